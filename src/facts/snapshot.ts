/**
 * What is known of a cluster between two looks, and what it is still worth.
 *
 * Memory is never trusted blindly: a snapshot older than the lease says nothing any more, because
 * a hung disk or a stalled process must not keep an old answer alive; and the pulse, taken before
 * each answer, notices at once when the postmaster or its checkpointer is no longer there. Nor does
 * it matter while people have taken the server out of service by hand.
 */
import type { Evidence } from './evidence.ts'
import { hazardsOf, type Hazard } from './hazards.ts'
import type { Maintenance } from './maintenance.ts'
import type { MonotonicMs, UnixMs } from './units.ts'
import { decide, type Overruling, type Verdict } from './verdict.ts'

export type Snapshot = {
  readonly evidence: Evidence
  readonly verdict: Verdict
  readonly hazards: readonly Hazard[]
  /** When the look began: what it saw first is this old. */
  readonly lookedAt: MonotonicMs
  readonly lookedAtUnix: UnixMs
  readonly lookMs: number
}

/** What the evidence of one look comes to, stamped with when it was taken. */
export const stampSnapshot = (
  evidence: Evidence,
  when: Pick<Snapshot, 'lookedAt' | 'lookedAtUnix' | 'lookMs'>,
): Snapshot => {
  const verdict = decide(evidence)
  const hazards = hazardsOf(verdict.kind === 'available' ? verdict.role : null, evidence)
  return { evidence, verdict, hazards, ...when }
}

/** A glance at the processes of a snapshot. `lost` says in words which is gone, and how. */
export type Pulse = { readonly kind: 'steady' } | { readonly kind: 'lost'; readonly lost: string }

/** The verdict that may be answered now. */
export const currentVerdict = (
  snapshot: Snapshot | null,
  {
    now,
    leaseMs,
    pulse,
    maintenance,
  }: { now: MonotonicMs; leaseMs: number; pulse: Pulse; maintenance: Maintenance },
): Verdict => {
  if (maintenance.kind !== 'none') return drainedVerdict(maintenance)
  if (snapshot === null) return overruled('not looked yet', 'the first look is still under way')
  const ageMs = now - snapshot.lookedAt
  if (ageMs > leaseMs) {
    const because = `the last look is ${Math.round(ageMs)} ms old, trusted for ${leaseMs} ms`
    return overruled('lease expired', because)
  }
  return pulse.kind === 'lost' ? overruled('pulse lost', pulse.lost) : snapshot.verdict
}

/** As people are told while the server is drained: the evidence stands, the verdict does not. */
export const underMaintenance = (snapshot: Snapshot, maintenance: Maintenance): Snapshot =>
  maintenance.kind === 'none' ? snapshot : { ...snapshot, verdict: drainedVerdict(maintenance) }

const drainedVerdict = (maintenance: Exclude<Maintenance, { kind: 'none' }>): Verdict =>
  maintenance.kind === 'drained'
    ? { ...overruled('maintenance', maintenance.because), settled: true }
    : overruled('not looked yet', 'it is not known yet whether there is a maintenance file')

const overruled = (rule: Overruling, because: string): Verdict => ({
  kind: 'unavailable',
  rule,
  because,
  settled: false,
})
