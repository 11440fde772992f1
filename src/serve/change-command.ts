/**
 * Push, not only poll: a command of the operator's, run when the answer changes.
 *
 * One runs at a time, and each takes ten seconds at most. Changes that come meanwhile wait, and
 * only the last of them is told: what was true in between is of no use to anybody. A mere change
 * of reason is none. Nothing here holds up an answer.
 */
import { changeVariables } from '../facts/change-variables.ts'
import type { Change } from '../facts/event.ts'
import type { Timer, Timers } from '../facts/timers.ts'
import { answerOf } from '../facts/verdict.ts'
import type { CommandEnd, ShellCommand, StartShellCommand } from './shell-command.ts'

export type ChangeCommandEvent =
  | { readonly kind: 'command said'; readonly line: string }
  | { readonly kind: 'command failed'; readonly because: string }

export type ChangeCommand = {
  /** To be told of each change of the verdict. */
  readonly changed: (change: Change) => void
  /** Kills what runs, and runs nothing any more. */
  readonly destroy: () => void
}

const runMsMax = 10_000
/** From SIGTERM to SIGKILL, and from there to the end of patience. */
const graceMs = 1000
/** Lines of one run in the log. */
const linesMax = 20

export const createChangeCommand = (needs: {
  readonly command: string
  readonly pgdata: string
  readonly start: StartShellCommand
  readonly timers: Timers
  readonly report: (event: ChangeCommandEvent) => void
}): ChangeCommand => {
  const { command, pgdata, start, timers, report } = needs
  let next: Change | null = null
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
        if (lines <= linesMax) report({ kind: 'command said', line })
      },
      ended: end => {
        if (lines > linesMax) {
          report({ kind: 'command said', line: `... and ${lines - linesMax} more lines` })
        }
        const because = failureOf(end, overdue)
        if (because !== null) report({ kind: 'command failed', because })
        timer?.cancel()
        running = null
        runNext()
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
      if (!isNews(change)) return
      next = change
      // Whoever asks at this moment is answered first: starting a process takes a millisecond.
      if (running === null) later(0, runNext)
    },
    destroy: () => {
      timer?.cancel()
      next = null
      running?.signal('SIGKILL')
    },
  }
}

/** Before the first look there is nothing to tell, whoever asked. */
const isNews = ({ from, to }: Change): boolean => {
  if (to.rule === 'not looked yet') return false
  return from === null || from.rule === 'not looked yet' || answerOf(from) !== answerOf(to)
}

/** Null for none. */
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
