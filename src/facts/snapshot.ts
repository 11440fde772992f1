/**
 * What is known of a cluster between two looks, and what it is still worth.
 *
 * Memory is never trusted blindly: a snapshot older than the lease says nothing any more, because
 * a hung disk or a stalled process must not keep an old answer alive; and the pulse, taken before
 * each answer, notices at once when the postmaster or its checkpointer is no longer there.
 */
import type { Evidence } from './evidence.ts'
import { hazardsOf, type Hazard } from './hazards.ts'
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
  { now, leaseMs, pulse }: { now: MonotonicMs; leaseMs: number; pulse: Pulse },
): Verdict => {
  if (snapshot === null) return overruled('not looked yet', 'the first look is still under way')
  const ageMs = now - snapshot.lookedAt
  if (ageMs > leaseMs) {
    const because = `the last look is ${Math.round(ageMs)} ms old, trusted for ${leaseMs} ms`
    return overruled('lease expired', because)
  }
  return pulse.kind === 'lost' ? overruled('pulse lost', pulse.lost) : snapshot.verdict
}

const overruled = (rule: Overruling, because: string): Verdict => ({
  kind: 'unavailable',
  rule,
  because,
  settled: false,
})
