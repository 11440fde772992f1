/** A time limit for what a hung disk may hold up forever. */
import type { Timers } from '../../facts/timers.ts'
import { nullAfter } from '../../observe/system/clock.ts'

/** A disk that works needs a thousandth of it. */
export const timeLimitMs = 5000

/** Null if the promise takes longer. Its result is then ignored. */
export const withTimeLimit = <Value>(
  promise: Promise<Value>,
  timers: Timers,
): Promise<Value | null> => nullAfter(timers, timeLimitMs, promise)
