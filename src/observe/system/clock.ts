/** The only access to time. Ages are measured by the monotonic clock, dates by the other. */
import type { Timers } from '../../facts/timers.ts'
import type { MonotonicMs, UnixMs } from '../../facts/units.ts'

export type Clock = Timers & {
  readonly monotonic: () => MonotonicMs
  readonly unix: () => UnixMs
}

export const systemClock: Clock = {
  monotonic: () => performance.now() as MonotonicMs,
  unix: () => Date.now() as UnixMs,
  after: (ms, action) => {
    // A timer of Node takes at least a millisecond, and more on a busy event loop.
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

/** Null if the promise takes longer. Its result is then ignored. */
export const nullAfter = <Value>(
  timers: Pick<Timers, 'after'>,
  ms: number,
  promise: Promise<Value>,
): Promise<Value | null> =>
  new Promise((resolve, reject) => {
    const timer = timers.after(ms, () => {
      resolve(null)
    })
    const settle = (): void => timer.cancel()
    promise.finally(settle).then(resolve, reject)
  })
