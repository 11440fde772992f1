/**
 * A listener that is opened and closed again as the verdict requires.
 *
 * While it is closed, another program can take the port. It is reported once when that happens, and
 * once when the port is open again.
 */
import type { PortPurpose, Report } from '../../facts/report/event.ts'
import type { Timer, Timers } from '../../facts/timers.ts'
import { describeListenFault, type ListenFault } from '../endpoint.ts'
import type { RoleListener } from './role-listener.ts'

export type ReopeningOptions = {
  readonly listener: Pick<RoleListener, 'open' | 'close'>
  readonly purpose: PortPurpose
  readonly timers: Timers
  readonly report: Report
}

export type Reopening = {
  /** May be called at any time, and repeatedly with the same value. */
  readonly setOpen: (open: boolean) => void
}

export const retryMs = 250

/** For a listener that is open or being opened. */
export const createReopening = (options: ReopeningOptions): Reopening => {
  const { listener, purpose, timers, report } = options
  let wanted = true
  // Incremented with each change, so that an older attempt notices that it is obsolete.
  let turn = 0
  let retry: Timer | null = null
  let blockedBy: ListenFault['kind'] | null = null

  const attempt = async (mine: number): Promise<void> => {
    const outcome = await listener.open()
    if (mine !== turn) return
    if (outcome.ok) {
      if (blockedBy !== null) report({ kind: 'listening', ...outcome.fact, purpose })
      blockedBy = null
      return
    }
    if (blockedBy !== outcome.fault.kind) {
      report({ kind: 'port blocked', because: describeListenFault(outcome.fault).message })
    }
    blockedBy = outcome.fault.kind
    retry = timers.after(retryMs, () => {
      void attempt(mine)
    })
  }

  return {
    setOpen: open => {
      if (open === wanted) return
      wanted = open
      turn += 1
      retry?.cancel()
      retry = null
      if (open) void attempt(turn)
      else listener.close()
    },
  }
}
