/** What is counted for the metrics: how long looks take, and how often the role changes. */
import { answerOf, type Availability } from '../facts/verdict.ts'

export type TallyReading = {
  readonly roleChanges: number
  readonly looks: number
  readonly lookSeconds: number
  /** How many looks took no longer than each bound, in seconds. */
  readonly lookBuckets: readonly { readonly bound: number; readonly count: number }[]
}

export type Tally = {
  /** To be called with each verdict, and with what it was made from; the same may come again. */
  readonly follow: (availability: Availability, look: { readonly lookMs: number } | null) => void
  readonly read: () => TallyReading
}

/** A look takes half a millisecond, and is worth nothing after the lease. */
const boundsMs = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500]

export const createTally = (): Tally => {
  const buckets = boundsMs.map(bound => ({ bound, count: 0 }))
  let looks = 0
  let lookMs = 0
  let roleChanges = 0
  let lastLook: { readonly lookMs: number } | null = null
  let lastRole: string | null = null

  const count = (took: number): void => {
    looks += 1
    lookMs += took
    for (const bucket of buckets) if (took <= bucket.bound) bucket.count += 1
  }

  return {
    follow: (availability, look) => {
      // Before the first look there is no role that could change.
      if (look === null) return
      const role = answerOf(availability)
      if (lastRole !== null && role !== lastRole) roleChanges += 1
      if (look !== lastLook) count(look.lookMs)
      lastRole = role
      lastLook = look
    },
    read: () => ({
      roleChanges,
      looks,
      lookSeconds: lookMs / 1000,
      lookBuckets: buckets.map(({ bound, count: upTo }) => ({ bound: bound / 1000, count: upTo })),
    }),
  }
}
