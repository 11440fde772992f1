/** A clock that stands still until a test moves it. */
import type { Clock } from '../../src/observe/system/clock.ts'
import type { MonotonicMs, UnixMs } from '../../src/facts/units.ts'
import { noon } from './evidence.ts'
import { createManualTimers, type ManualTimers } from './manual-timers.ts'

export type ManualClock = Omit<ManualTimers, 'timers'> & { readonly clock: Clock }

export const createManualClock = (): ManualClock => {
  const { timers, ...manual } = createManualTimers()
  return {
    ...manual,
    clock: {
      ...timers,
      monotonic: () => manual.now() as MonotonicMs,
      unix: () => (noon + manual.now()) as UnixMs,
    },
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A promise, and what resolves it. */
export const deferred = <Value>(): {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
} => {
  let resolve: (value: Value) => void = () => {}
  const promise = new Promise<Value>(resolvePromise => {
    resolve = resolvePromise
  })
  return { promise, resolve }
}
