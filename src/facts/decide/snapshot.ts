/**
 * The result of the last check, and whether it is still valid.
 *
 * A snapshot expires with the lease, because a disk that hangs or a process that was suspended must
 * not keep an old answer alive. The pulse, taken before each answer, detects at once that the
 * postmaster or its checkpointer is gone. Maintenance mode overrules the snapshot.
 */
import type { Evidence } from './evidence.ts'
import { hazardsOf, type Hazard } from './hazards.ts'
import type { Maintenance } from './maintenance-mode.ts'
import type { MonotonicMs, UnixMs } from '../units.ts'
import { unopposed, type Standing } from './standing.ts'
import { decide, type Overruling, type Verdict } from './verdict.ts'

export type Snapshot = {
  readonly evidence: Evidence
  readonly verdict: Verdict
  readonly hazards: readonly Hazard[]
  /** When the check began: what it found first is this old. */
  readonly lookedAt: MonotonicMs
  readonly lookedAtUnix: UnixMs
  readonly lookMs: number
}

export type Stamp = Pick<Snapshot, 'lookedAt' | 'lookedAtUnix' | 'lookMs'>

/** The verdict on the evidence of one check, with the time of the check. */
export const stampSnapshot = (
  evidence: Evidence,
  { lookedAt, lookedAtUnix, lookMs }: Stamp,
  judge: (evidence: Evidence, verdict: Verdict) => Standing = () => unopposed,
): Snapshot => {
  const found = decide(evidence)
  const standing = judge(evidence, found)
  const hazards = [
    ...hazardsOf(found.kind === 'available' ? found.role : null, evidence),
    ...standing.hazards,
  ]
  const { overruling } = standing
  const verdict =
    overruling === null
      ? found
      : { ...overruled(overruling.rule, overruling.because), settled: true }
  return { evidence, verdict, hazards, lookedAt, lookedAtUnix, lookMs }
}

/** Whether the processes of a snapshot still run. `lost`: which of them does not, and why. */
export type Pulse = { readonly kind: 'steady' } | { readonly kind: 'lost'; readonly lost: string }

/** The verdict that may be answered now. */
export const currentVerdict = (
  snapshot: Snapshot | null,
  {
    now,
    leaseMs,
    pulse,
    shortage = null,
    maintenance,
  }: {
    now: MonotonicMs
    leaseMs: number
    pulse: Pulse
    /** The code of the error by which checks fail, such as EMFILE; null without one. */
    shortage?: string | null
    maintenance: Maintenance
  },
): Verdict => {
  if (maintenance.kind !== 'none') return maintenanceVerdict(maintenance)
  const lacking = shortage === null ? '' : `, and checks fail (${shortage})`
  if (snapshot === null) {
    return overruled('not yet checked', `the first check is not yet complete${lacking}`)
  }
  const ageMs = now - snapshot.lookedAt
  if (ageMs > leaseMs) {
    const because = `the last check is ${Math.round(ageMs)} ms old, the limit is ${leaseMs} ms`
    return overruled('lease expired', because + lacking)
  }
  return pulse.kind === 'lost' ? overruled('server process gone', pulse.lost) : snapshot.verdict
}

/** In maintenance mode the evidence is reported as it is, and the verdict is another one. */
export const underMaintenance = (snapshot: Snapshot, maintenance: Maintenance): Snapshot =>
  maintenance.kind === 'none' ? snapshot : { ...snapshot, verdict: maintenanceVerdict(maintenance) }

/**
 * What a check cannot see, and the daemon of the same directory knows: maintenance mode that a
 * signal began, and what other members say. `told` is its answer.
 */
export const underDaemon = (
  snapshot: Snapshot,
  told: { readonly rule: string; readonly because: string },
): Snapshot => {
  const rule = knownToDaemon.find(known => known === told.rule)
  return rule === undefined
    ? snapshot
    : { ...snapshot, verdict: { ...overruled(rule, told.because), settled: true } }
}

const knownToDaemon = ['maintenance', 'superseded', 'asking peers'] as const

const maintenanceVerdict = (maintenance: Exclude<Maintenance, { kind: 'none' }>): Verdict =>
  maintenance.kind === 'on'
    ? { ...overruled('maintenance', maintenance.because), settled: true }
    : overruled('not yet checked', 'the maintenance file has not been checked yet')

const overruled = (rule: Overruling, because: string): Verdict => ({
  kind: 'unavailable',
  rule,
  because,
  settled: false,
})
