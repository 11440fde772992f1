/**
 * A listener that was open once, kept open or closed as the verdict wants it.
 *
 * While it is closed another program may take the port. That is news once, not four times a
 * second: it is said when it begins and when it is over.
 */
import type { Timer, Timers } from '../facts/timers.ts'
import type { BoundAddress, ListenFault } from './endpoint.ts'
import type { RoleListener } from './role-listener.ts'

export type ReopeningEvent =
  | { readonly kind: 'listener blocked'; readonly fault: ListenFault }
  | { readonly kind: 'listener up'; readonly bound: BoundAddress }

export type ReopeningOptions = {
  readonly listener: Pick<RoleListener, 'open' | 'close'>
  readonly timers: Timers
  readonly report: (event: ReopeningEvent) => void
}

export type Reopening = {
  /** May be called at any time with the same wish again. */
  readonly want: (open: boolean) => void
}

export const retryMs = 250

/** Takes over a listener that is open or being opened. */
export const createReopening = ({ listener, timers, report }: ReopeningOptions): Reopening => {
  let wanted = true
  // Goes up with each change of mind, so that an opening under way knows it has been overtaken.
  let turn = 0
  let retry: Timer | null = null
  let blockedBy: ListenFault['kind'] | null = null

  const attempt = async (mine: number): Promise<void> => {
    const outcome = await listener.open()
    if (mine !== turn) return
    if (outcome.ok) {
      if (blockedBy !== null) report({ kind: 'listener up', bound: outcome.fact })
      blockedBy = null
      return
    }
    if (blockedBy !== outcome.fault.kind) report({ kind: 'listener blocked', fault: outcome.fault })
    blockedBy = outcome.fault.kind
    retry = timers.after(retryMs, () => {
      void attempt(mine)
    })
  }

  return {
    want: open => {
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
