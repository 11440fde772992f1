/** What happens to clients before the first check is complete. */
import type { Timers } from '../../facts/timers.ts'
import { withTimeLimit } from '../system/time-limit.ts'

/**
 * Clients may have been waiting in the queue of a passed socket while the daemon did not run. They
 * are answered after the first check, rather than closed without a role. A time limit ends the wait
 * if a disk hangs.
 */
export const createFirstCheck = (sockets: readonly number[], timers: Timers) => {
  let resolveCheck: (() => void) | null = null
  let pending: Promise<void> | null = null
  const end = (): void => {
    pending = null
    resolveCheck?.()
  }
  if (sockets.length > 0) {
    const checked = new Promise<void>(resolve => {
      resolveCheck = resolve
    })
    pending = withTimeLimit(checked, timers).then(end)
  }
  return { pending: (): Promise<void> | null => pending, end }
}
