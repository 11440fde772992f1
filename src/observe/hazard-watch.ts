/**
 * Hazards as news: said when they have lasted, and when they are over.
 *
 * A promotion removes standby.signal up to 117 ms before the server is a primary, which looks just
 * like a standby that has lost its signal file; the end of a point-in-time recovery took 866 ms.
 */
import type { Report } from '../facts/event.ts'
import type { Hazard } from '../facts/hazards.ts'
import type { MonotonicMs } from '../facts/units.ts'

export type HazardWatch = {
  /** To be told what each look found. */
  readonly found: (hazards: readonly Hazard[], now: MonotonicMs) => void
}

const lastingMs = 1000

export const createHazardWatch = (report: Report): HazardWatch => {
  type Standing = { readonly hazard: Hazard; readonly since: MonotonicMs; readonly told: boolean }
  let standing: readonly Standing[] = []
  return {
    found: (hazards, now) => {
      const before = standing
      standing = hazards.map(hazard => {
        const known = before.find(other => other.hazard.name === hazard.name)
        if (known === undefined) return { hazard, since: now, told: false }
        if (known.told || now - known.since < lastingMs) return known
        report({ kind: 'hazard began', hazard })
        return { ...known, told: true }
      })
      for (const { hazard, told } of before) {
        const isOver = hazards.every(other => other.name !== hazard.name)
        if (told && isOver) report({ kind: 'hazard ended', hazard })
      }
    },
  }
}
