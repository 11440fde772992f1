/**
 * Decides when to look, and keeps the result.
 *
 * A file event, the end of the interval, a lost pulse and unsettled evidence have the same effect:
 * another look. There is one look at a time, and at most one more is queued. The result becomes the
 * snapshot from which every answer is given.
 */
import type { Evidence } from '../facts/decide/evidence.ts'
import { timelineOf } from '../facts/decide/reason.ts'
import type { Report } from '../facts/report/event.ts'
import type { Maintenance } from '../facts/decide/maintenance-mode.ts'
import {
  currentVerdict,
  stampSnapshot,
  underMaintenance,
  type Snapshot,
  type Stamp,
} from '../facts/decide/snapshot.ts'
import type { Standing } from '../facts/decide/standing.ts'
import type { Timer } from '../facts/timers.ts'
import { answerOf, type Verdict } from '../facts/decide/verdict.ts'
import { createRateLimit, nextLookMs, pollMs } from './cadence.ts'
import type { Clock } from './system/clock.ts'
import { createHazardWatch } from './hazard-watch.ts'
import { createLease } from './lease.ts'
import type { Look, Probe } from './probe.ts'
import { nullInShortage } from './system/system-error.ts'
import { createPulse, noVitalSigns, type VitalSigns } from './processes/liveness.ts'
import { createWatchHealth } from './watch/watch-health.ts'
import type { Watcher, WatcherNeeds } from './watch/watcher.ts'

export type Monitor = {
  /** The verdict that may be answered now: checks that the processes exist, reads no file. */
  readonly current: () => Verdict
  /**
   * Resolves when current() may be called; null if it may be called now. After this process was
   * suspended there is a short wait, because that must not look like a failure of the server.
   */
  readonly waking: () => Promise<void> | null
  readonly snapshot: () => Snapshot | null
  /** To be called when the maintenance mode, or what others say, has changed. */
  readonly reconsider: () => void
  readonly close: () => void
}

const controlFileName = 'pg_control'

export const startMonitor = (needs: {
  readonly probe: Probe
  readonly clock: Clock
  readonly watch: (needs: Pick<WatcherNeeds, 'hint' | 'armed' | 'trouble'>) => Watcher
  readonly intervalMs: number
  readonly leaseMs: number
  /** Called before each answer. */
  readonly maintenance: () => Maintenance
  /** Called with what each look found: what other members of the cluster mean for it. */
  readonly heedPeers: (evidence: Evidence, verdict: Verdict) => Standing
  readonly report: Report
  /** Called whenever the verdict may have changed. */
  readonly changed: (verdict: Verdict) => void
}): Monitor => {
  const { probe, clock, intervalMs, leaseMs, maintenance, heedPeers, report, changed } = needs
  const pulse = createPulse(clock)
  const rateLimit = createRateLimit()
  const hazardWatch = createHazardWatch(report)
  let snapshot: Snapshot | null = null
  let vitals: VitalSigns = noVitalSigns
  let announced: { verdict: Verdict; key: string } | null = null
  let unsettled: { since: number; looks: number } | null = null
  let looking = false
  let askedAgain = false
  let beganAt = -Infinity
  /** The error code of the shortage in which the last look failed; null for none. */
  let shortage: string | null = null
  let closed = false
  let nextLook: Timer | null = null
  /** That nothing is known yet is no news, unless it lasts. */
  let isBeginning = true

  const health = createWatchHealth({
    timers: clock,
    monotonic: clock.monotonic,
    degraded: because => {
      report({ kind: 'watching degraded', because, pollMs })
      lookAgain()
    },
    restored: () => report({ kind: 'watching restored' }),
  })

  const lookAgain = (): void => {
    askedAgain = true
    if (!looking && !closed) lookIn(rateLimit.waitMs(clock.monotonic()))
  }
  const lookIn = (ms: number): void => {
    nextLook?.cancel()
    nextLook = clock.after(ms, () => {
      // A look that fails otherwise is a bug: its rejection ends the process.
      void look()
    })
  }
  const look = async (): Promise<void> => {
    looking = true
    askedAgain = false
    const began = { lookedAt: clock.monotonic(), lookedAtUnix: clock.unix() }
    beganAt = began.lookedAt
    rateLimit.began(beganAt)
    const looked = await nullInShortage(probe.look, code => {
      shortage = code
    })
    looking = false
    if (closed) return probe.close()
    if (looked === null) return lookAgain()
    accept(looked, { ...began, lookMs: clock.monotonic() - began.lookedAt })
    void looked.unfinished?.then(lookAgain)
    if (askedAgain) return lookAgain()
    const outlook = {
      settled: unsettled === null,
      unsettledLooks: unsettled?.looks ?? 0,
      unsettledForMs: unsettled === null ? 0 : beganAt - unsettled.since,
      endsWithoutEvent: snapshot?.verdict.rule === 'postmaster stopped',
      polling: health.polling(),
    }
    lookIn(nextLookMs(outlook, intervalMs))
  }

  const stamp = (evidence: Evidence, when: Stamp): Snapshot => {
    const next = stampSnapshot(evidence, when, heedPeers)
    hazardWatch.found(next.hazards, next.lookedAt)
    snapshot = next
    return next
  }

  const accept = ({ evidence, vitals: seen, controlFileInode }: Look, when: Stamp): void => {
    shortage = null
    const before = snapshot
    if (before !== null) health.looked(before.evidence, evidence)
    const next = stamp(evidence, when)
    vitals = seen
    unsettled = next.verdict.settled
      ? null
      : { since: unsettled?.since ?? beganAt, looks: (unsettled?.looks ?? 0) + 1 }
    lease.renew(next.lookedAt)
    const { directory } = evidence
    watcher.aim({
      directory: evidence.path,
      directoryInode: directory.kind === 'present' ? directory.inode : null,
      controlFileInode,
      isSymlink: directory.kind === 'present' && directory.symlink,
    })
    review()
  }

  const announce = (verdict: Verdict): void => {
    const postmaster = postmasterOf(snapshot)
    const key = `${answerOf(verdict)} ${verdict.rule} ${postmaster}`
    const from = announced?.verdict ?? null
    if (verdict.rule === 'not yet checked' && isBeginning) return changed(verdict)
    if (announced?.key !== key) {
      const timeline = timelineIn(snapshot)
      report({ kind: 'verdict changed', from, to: verdict, postmaster, timeline })
    }
    announced = { verdict, key }
    changed(verdict)
  }

  const judge = (): Verdict =>
    currentVerdict(snapshot, {
      now: clock.monotonic(),
      leaseMs,
      pulse: pulse(vitals),
      shortage,
      maintenance: maintenance(),
    })

  /** The current verdict, reported if it has changed; a lost pulse causes a look. */
  const review = (): Verdict => {
    const verdict = judge()
    if (verdict.rule === 'lease expired' && lease.overslept()) return verdict
    announce(verdict)
    if (verdict.rule === 'server process gone') {
      rateLimit.reset()
      lookAgain()
    }
    return verdict
  }

  /** Most answers change nothing, and cost the check of the processes alone. */
  const current = (): Verdict => {
    const verdict = judge()
    return closed || verdict === announced?.verdict ? verdict : review()
  }

  const expired = (): void => void review()
  const lease = createLease({ clock, leaseMs, lookAgain, expired })
  const watcher = needs.watch({
    hint: name => {
      health.hinted()
      // The control file alone is written in storms. What it says settles what is open, as at the
      // end of a crash restart, which no other file tells.
      if (name !== controlFileName || unsettled !== null) rateLimit.reset()
      // Something goes on: what is open now will soon be settled.
      if (unsettled !== null) unsettled = { ...unsettled, looks: 0 }
      lookAgain()
    },
    armed: () => {
      health.armed()
      lookAgain()
    },
    trouble: ({ code, path }) => {
      health.trouble(`could not watch ${path}: ${code}`)
    },
  })
  probe.watchFreezer(() => {
    rateLimit.reset()
    lookAgain()
  })
  void look()
  const firstVerdictDue = clock.after(leaseMs, () => {
    isBeginning = false
    review()
  })

  return {
    current,
    waking: lease.waking,
    snapshot: () => snapshot && underMaintenance(snapshot, maintenance()),
    reconsider: () => {
      if (snapshot !== null) stamp(snapshot.evidence, snapshot)
      review()
    },
    close: () => {
      closed = true
      nextLook?.cancel()
      firstVerdictDue.cancel()
      lease.close()
      health.close()
      watcher.close()
      if (!looking) probe.close()
    },
  }
}

const postmasterOf = (snapshot: Snapshot | null) =>
  snapshot?.evidence.lockFile.kind === 'present' ? snapshot.evidence.lockFile.fact.pid : null

const timelineIn = (snapshot: Snapshot | null) =>
  snapshot === null ? null : timelineOf(snapshot.evidence)
