/**
 * Reports a hazard when it has lasted for a second, and when it is over.
 *
 * A promotion removes standby.signal up to 117 ms before the server is a primary, which looks just
 * like a standby that has lost its signal file; the end of a point-in-time recovery took 866 ms.
 */
import type { Report } from '../facts/report/event.ts'
import type { Hazard } from '../facts/decide/hazards.ts'
import type { MonotonicMs } from '../facts/units.ts'

export type HazardWatch = {
  /** To be called with what each look found. */
  readonly found: (hazards: readonly Hazard[], now: MonotonicMs) => void
}

const lastingMs = 1000

export const createHazardWatch = (report: Report): HazardWatch => {
  type Present = {
    readonly hazard: Hazard
    readonly since: MonotonicMs
    readonly reported: boolean
  }
  let present: readonly Present[] = []
  return {
    found: (hazards, now) => {
      const before = present
      present = hazards.map(hazard => {
        const known = before.find(other => other.hazard.name === hazard.name)
        if (known === undefined) return { hazard, since: now, reported: false }
        if (known.reported || now - known.since < lastingMs) return known
        report({ kind: 'hazard began', hazard })
        return { ...known, reported: true }
      })
      for (const { hazard, reported } of before) {
        const isOver = hazards.every(other => other.name !== hazard.name)
        if (reported && isOver) report({ kind: 'hazard ended', hazard })
      }
    },
  }
}
