/**
 * Runs a command of the operator when the answer changes.
 *
 * One command runs at a time, for ten seconds at most. If there are several changes meanwhile, the
 * command runs for the last one only. It does not run if only the reason changes. If it cannot be
 * started because of a shortage of descriptors or processes, it is retried. No answer waits for it.
 */
import { changeVariables } from '../../facts/report/changes.ts'
import type { Change, Report } from '../../facts/report/event.ts'
import { meansShortage } from '../../facts/outcome.ts'
import type { Timer, Timers } from '../../facts/timers.ts'
import { answerOf } from '../../facts/decide/verdict.ts'
import type { CommandEnd, ShellCommand, StartShellCommand } from './shell-command.ts'

export type ChangeCommand = {
  /** To be called for each change of the verdict. */
  readonly changed: (change: Change) => void
  /** Kills a running command, and starts no other. */
  readonly destroy: () => void
}

const runMsMax = 10_000
/** From SIGTERM to SIGKILL, and from there until the command is abandoned. */
const graceMs = 1000
/** Pause before a command that could not be started is retried. */
export const retryMs = 1000
/** Lines of output that are logged for one run. */
const linesMax = 20

export const createChangeCommand = (needs: {
  readonly command: string
  readonly pgdata: string
  readonly start: StartShellCommand
  readonly timers: Timers
  readonly report: Report
}): ChangeCommand => {
  const { command, pgdata, start, timers, report } = needs
  let next: Change | null = null
  /** A change whose failure has been reported. */
  let retried: Change | null = null
  let running: ShellCommand | null = null
  let timer: Timer | null = null

  const later = (ms: number, action: () => void): void => {
    timer?.cancel()
    timer = timers.after(ms, action)
  }
  const runNext = (): void => {
    if (next === null || running !== null) return
    const change = next
    next = null
    let lines = 0
    let overdue = false
    const shell = start(command, {
      variables: changeVariables(change, pgdata),
      line: line => {
        lines += 1
        if (lines <= linesMax) report({ kind: 'command output', line })
      },
      ended: end => {
        if (lines > linesMax) {
          report({ kind: 'command output', line: `... and ${lines - linesMax} more lines` })
        }
        const because = failureOf(end, overdue)
        if (because !== null && change !== retried) report({ kind: 'command failed', because })
        timer?.cancel()
        running = null
        if (next !== null || !isTemporary(end)) return runNext()
        next = change
        retried = change
        later(retryMs, runNext)
      },
    })
    running = shell
    later(runMsMax, () => {
      overdue = true
      shell.signal('SIGTERM')
      later(graceMs, () => {
        shell.signal('SIGKILL')
        later(graceMs, shell.abandon)
      })
    })
  }

  return {
    changed: change => {
      if (!isNewRole(change)) return
      next = change
      // Pending answers go first: to start a process takes a millisecond.
      if (running === null) later(0, runNext)
    },
    destroy: () => {
      timer?.cancel()
      next = null
      running?.signal('SIGKILL')
    },
  }
}

/** Before the first check there is no role. */
const isNewRole = ({ from, to }: Change): boolean => {
  if (to.rule === 'not yet checked') return false
  return from === null || from.rule === 'not yet checked' || answerOf(from) !== answerOf(to)
}

/** A shortage may be over a moment later. */
const isTemporary = (end: CommandEnd): boolean =>
  end.kind === 'not started' && meansShortage(end.code)

/** Null if the command succeeded. */
const failureOf = (end: CommandEnd, overdue: boolean): string | null => {
  const late = overdue ? `, after more than ${runMsMax / 1000} s` : ''
  switch (end.kind) {
    case 'exited':
      return end.code === 0 && !overdue ? null : `exit code ${end.code}${late}`
    case 'killed':
      return `killed by ${end.signal}${late}`
    case 'not started':
      return `/bin/sh did not start (${end.code})`
    case 'abandoned':
      return `its output is still open${late}`
  }
}
