/**
 * When to look, and what is known meanwhile.
 *
 * File events, the tick, a lost pulse and unsettled evidence all say the same thing: look again.
 * There is one look at a time and at most one more asked for; what it finds becomes the snapshot
 * from which every answer is given.
 */
import { timelineOf } from '../facts/because.ts'
import type { Report } from '../facts/event.ts'
import type { Evidence } from '../facts/evidence.ts'
import type { Maintenance } from '../facts/maintenance.ts'
import {
  currentVerdict,
  stampSnapshot,
  underMaintenance,
  type Snapshot,
} from '../facts/snapshot.ts'
import type { Timer } from '../facts/timers.ts'
import { answerOf, type Verdict } from '../facts/verdict.ts'
import { createEagerness, nextLookMs, pollMs } from './cadence.ts'
import type { Clock } from './clock.ts'
import { createHazardWatch } from './hazard-watch.ts'
import { createLease } from './lease.ts'
import type { Look, Probe } from './probe.ts'
import { createPulse, noVitalSigns, type VitalSigns } from './vital-signs.ts'
import { createWatchHealth } from './watch-health.ts'
import type { Watcher, WatcherNeeds } from './watcher.ts'

export type Monitor = {
  /** The verdict that may be answered now: takes the pulse, touches no disk. */
  readonly current: () => Verdict
  /**
   * Resolves when current() is worth asking; null when it is now. It is not for a moment after the
   * process itself stood still, which must not look like a failure of the server.
   */
  readonly waking: () => Promise<void> | null
  readonly snapshot: () => Snapshot | null
  /** To be told when the maintenance has changed. */
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
  /** Asked before each answer. */
  readonly maintenance: () => Maintenance
  readonly report: Report
  /** Told whenever the verdict may have changed. */
  readonly changed: (verdict: Verdict) => void
}): Monitor => {
  const { probe, clock, intervalMs, leaseMs, maintenance, report, changed } = needs
  const pulse = createPulse(clock)
  const eagerness = createEagerness()
  const hazardWatch = createHazardWatch(report)
  let snapshot: Snapshot | null = null
  let vitals: VitalSigns = noVitalSigns
  let announced: { verdict: Verdict; key: string } | null = null
  let unsettled: { since: number; looks: number } | null = null
  let looking = false
  let askedAgain = false
  let beganAt = -Infinity
  let closed = false
  let nextLook: Timer | null = null

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
    if (!looking && !closed) lookIn(eagerness.waitMs(clock.monotonic()))
  }
  const lookIn = (ms: number): void => {
    nextLook?.cancel()
    nextLook = clock.after(ms, () => {
      // A failing look is our own mistake: let it end the process, as the supervisor expects.
      void look()
    })
  }
  const look = async (): Promise<void> => {
    looking = true
    askedAgain = false
    if (watcher.state() !== 'armed' || health.polling()) probe.forget(null)
    const began = { lookedAt: clock.monotonic(), lookedAtUnix: clock.unix() }
    beganAt = began.lookedAt
    eagerness.began(beganAt)
    const looked = await probe.look()
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
      unheralded: snapshot?.verdict.rule === 'postmaster stopped',
      polling: health.polling(),
    }
    lookIn(nextLookMs(outlook, intervalMs))
  }

  const accept = (
    { evidence, vitals: seen, controlFileInode }: Look,
    when: Pick<Snapshot, 'lookedAt' | 'lookedAtUnix' | 'lookMs'>,
  ): void => {
    const before = snapshot
    const next =
      before?.evidence === evidence ? { ...before, ...when } : stampSnapshot(evidence, when)
    if (before !== null && fileChanges(before.evidence, evidence)) health.foundChange()
    hazardWatch.found(next.hazards, next.lookedAt)
    snapshot = next
    vitals = seen
    unsettled = next.verdict.settled
      ? null
      : { since: unsettled?.since ?? beganAt, looks: (unsettled?.looks ?? 0) + 1 }
    lease.renew(next.lookedAt)
    const { directory } = evidence
    watcher.aim({
      directory: evidence.path,
      directoryInode: directory.kind === 'seen' ? directory.inode : null,
      controlFileInode,
      isSymlink: directory.kind === 'seen' && directory.symlink,
    })
    review()
  }

  const announce = (verdict: Verdict): void => {
    const postmaster = postmasterOf(snapshot)
    const key = `${answerOf(verdict)} ${verdict.rule} ${postmaster}`
    const from = announced?.verdict ?? null
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
      maintenance: maintenance(),
    })

  /** The verdict of now, announced if it is another one; a lost pulse asks for a look. */
  const review = (): Verdict => {
    const verdict = judge()
    if (verdict.rule === 'lease expired' && lease.overslept()) return verdict
    announce(verdict)
    if (verdict.rule === 'pulse lost') {
      eagerness.calm()
      lookAgain()
    }
    return verdict
  }

  /** Most answers change nothing, and those pay for the pulse alone. */
  const current = (): Verdict => {
    const verdict = judge()
    return closed || verdict === announced?.verdict ? verdict : review()
  }

  const lease = createLease({
    clock,
    leaseMs,
    lookAgain,
    expired: () => {
      review()
    },
  })
  const watcher = needs.watch({
    hint: name => {
      probe.forget(name)
      health.hinted()
      // The control file alone is written in storms. What it says settles what is open, as at the
      // end of a crash restart, which no other file tells.
      if (name !== controlFileName || unsettled !== null) eagerness.calm()
      // Something goes on: what is open now will soon be settled.
      if (unsettled !== null) unsettled = { ...unsettled, looks: 0 }
      lookAgain()
    },
    armed: () => {
      health.armed()
      lookAgain()
    },
    trouble: ({ code, path }) => {
      health.trouble(`${path} can't be watched (${code})`)
    },
  })
  probe.watchFreezer(() => {
    eagerness.calm()
    lookAgain()
  })
  void look()

  return {
    current,
    waking: lease.waking,
    snapshot: () => snapshot && underMaintenance(snapshot, maintenance()),
    reconsider: () => {
      review()
    },
    close: () => {
      closed = true
      nextLook?.cancel()
      lease.close()
      health.close()
      watcher.close()
      if (!looking) probe.close()
    },
  }
}

const postmasterOf = (snapshot: Snapshot | null) =>
  snapshot?.evidence.lockFile.kind === 'seen' ? snapshot.evidence.lockFile.fact.pid : null

const timelineIn = (snapshot: Snapshot | null) =>
  snapshot === null ? null : timelineOf(snapshot.evidence)

/** Changes for which an event is due: those of files in a directory that is still the same one. */
const fileChanges = (before: Evidence, now: Evidence): boolean =>
  before !== now &&
  before.directory.kind === 'seen' &&
  now.directory.kind === 'seen' &&
  before.directory.inode === now.directory.inode &&
  fingerprint(before) !== fingerprint(now)

const fingerprint = ({ lockFile, controlFile, signalFiles }: Evidence): string =>
  JSON.stringify([written(lockFile), written(controlFile), signalFiles])

const written = (sighting: Evidence['lockFile'] | Evidence['controlFile']): number | string =>
  'modified' in sighting ? sighting.modified : sighting.kind
