/** The one door to time. Ages are told by the monotonic clock, dates by the other. */
import type { Timers } from '../facts/timers.ts'
import type { MonotonicMs, UnixMs } from '../facts/units.ts'

export type Clock = Timers & {
  readonly monotonic: () => MonotonicMs
  readonly unix: () => UnixMs
}

export const systemClock: Clock = {
  monotonic: () => performance.now() as MonotonicMs,
  unix: () => Date.now() as UnixMs,
  after: (ms, action) => {
    // A timer of Node's takes a millisecond at least, and more on a busy event loop.
    if (ms <= 0) {
      const turn = setImmediate(action)
      return { cancel: () => clearImmediate(turn) }
    }
    const timer = setTimeout(action, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** Resolves after `ms`. */
export const pause = (timers: Timers, ms: number): Promise<void> =>
  new Promise(resolve => {
    timers.after(ms, resolve)
  })
