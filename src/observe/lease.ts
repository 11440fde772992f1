/**
 * How long the result of the last look is valid, and whether this process was suspended meanwhile.
 *
 * A process that was stopped, or got no processor, continues with an old snapshot and with the
 * connections that have queued up. The server may be well, and a look takes milliseconds: so these
 * connections wait for it, for `graceMs` at most. If looks were due and did not end, as on a disk
 * that hangs, none of them waits.
 */
import type { Timer } from '../facts/timers.ts'
import type { MonotonicMs } from '../facts/units.ts'
import type { Clock } from './system/clock.ts'

export type Lease = {
  /** To be called when a look that began then has ended: the next lease begins. */
  readonly renew: (lookedAt: MonotonicMs) => void
  /** When the lease has expired: whether that is only because this process was suspended. */
  readonly overslept: () => boolean
  /** Resolves when a look has ended, or has not ended in time; null if there is no need to wait. */
  readonly waking: () => Promise<void> | null
  readonly close: () => void
}

/** A timer that is later than this was not delayed by other work: the process did not run. */
const sleptMsMin = 50
/** A hundred times what a look takes, and less than the time limit of any client. */
export const graceMs = 250

export const createLease = (needs: {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly leaseMs: number
  readonly lookAgain: () => void
  /** It has expired, and not because this process was suspended. */
  readonly expired: () => void
}): Lease => {
  const { clock, leaseMs, lookAgain, expired } = needs
  let endsAt = Infinity
  let timer: Timer | null = null
  /** What waits for the first look after a suspension; null if there was none. */
  let waiting: (() => void)[] | null = null
  let reported = false

  const slept = (): boolean => !reported && clock.monotonic() - endsAt > sleptMsMin

  const wake = (): void => {
    timer?.cancel()
    timer = clock.after(graceMs, giveUp)
    waiting = []
    lookAgain()
  }
  const giveUp = (): void => {
    reported = true
    endWaking()
    expired()
  }
  const endWaking = (): void => {
    const all = waiting ?? []
    waiting = null
    for (const go of all) go()
  }
  const setTimer = (): void => {
    timer = clock.after(Math.max(0, endsAt - clock.monotonic()) + 1, end)
  }
  const end = (): void => {
    // Node rounds to whole milliseconds: a timer may come almost two milliseconds early.
    if (clock.monotonic() <= endsAt) return setTimer()
    if (slept()) return wake()
    reported = true
    expired()
  }
  return {
    renew: lookedAt => {
      endsAt = lookedAt + leaseMs
      const isOver = clock.monotonic() > endsAt
      // This look was under way when the process was suspended: the next one counts.
      if (waiting !== null && isOver) return lookAgain()
      endWaking()
      timer?.cancel()
      // The look took longer than the lease, and that it expired has been reported.
      reported &&= isOver
      if (!reported) setTimer()
    },
    overslept: () => {
      if (waiting === null && slept()) wake()
      return waiting !== null
    },
    waking: () => {
      const others = waiting
      return others === null ? null : new Promise(resolve => void others.push(resolve))
    },
    close: () => {
      timer?.cancel()
    },
  }
}
