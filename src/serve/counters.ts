/** Counters for the metrics: the duration of checks, and changes of the role. */
import type { Snapshot } from '../facts/decide/snapshot.ts'
import type { MonotonicMs } from '../facts/units.ts'
import { answerOf, type Availability } from '../facts/decide/verdict.ts'

export type CounterValues = {
  readonly roleChanges: number
  readonly checks: number
  readonly checkSeconds: number
  /** The number of checks that took no longer than each bound, in seconds. */
  readonly checkBuckets: readonly { readonly bound: number; readonly count: number }[]
}

export type Counters = {
  /** To be called with each verdict and its check. The same check may be passed again. */
  readonly follow: (availability: Availability, check: Check | null) => void
  readonly read: () => CounterValues
}

type Check = Pick<Snapshot, 'lookedAt' | 'lookMs'>

/** A check takes half a millisecond. After the lease its result would be useless. */
const boundsMs = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500]

export const createCounters = (): Counters => {
  const buckets = boundsMs.map(bound => ({ bound, count: 0 }))
  let checks = 0
  let checkMs = 0
  let roleChanges = 0
  let lastCheckAt: MonotonicMs | null = null
  let lastRole: string | null = null

  const count = (took: number): void => {
    checks += 1
    checkMs += took
    for (const bucket of buckets) if (took <= bucket.bound) bucket.count += 1
  }

  return {
    follow: (availability, check) => {
      // Before the first check there is no role that could change.
      if (check === null) return
      const role = answerOf(availability)
      if (lastRole !== null && role !== lastRole) roleChanges += 1
      if (check.lookedAt !== lastCheckAt) count(check.lookMs)
      lastRole = role
      lastCheckAt = check.lookedAt
    },
    read: () => ({
      roleChanges,
      checks,
      checkSeconds: checkMs / 1000,
      checkBuckets: buckets.map(({ bound, count: upTo }) => ({ bound: bound / 1000, count: upTo })),
    }),
  }
}
