/** Not waiting for ever: what a hung disk holds up never comes. */
import type { Timers } from '../facts/timers.ts'

/** A disk that works answers in a thousandth of it. */
export const patienceMs = 5000

/** Null when it takes longer than that; nobody listens to it any more. */
export const patiently = <Value>(promise: Promise<Value>, timers: Timers): Promise<Value | null> =>
  new Promise((resolve, reject) => {
    const timer = timers.after(patienceMs, () => {
      resolve(null)
    })
    const settle = (): void => timer.cancel()
    promise.finally(settle).then(resolve, reject)
  })
