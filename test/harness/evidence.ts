/** Evidence made up for tests: a primary in perfect health, and what the caller changes of it. */
import type { KnownControlFile, NewerControlFile } from '../../src/facts/decode/control-file.ts'
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import type { LockFile } from '../../src/facts/decode/lock-file.ts'
import {
  parsePgVersion,
  type Lsn,
  type MonotonicMs,
  type Pid,
  type SystemIdentifier,
  type Ticks,
  type TimelineId,
  type UnixMs,
  type UnixSeconds,
} from '../../src/facts/units.ts'
import type { Child, ChildrenSighting } from '../../src/facts/decide/sightings.ts'
import type { Snapshot } from '../../src/facts/decide/snapshot.ts'
import { decide } from '../../src/facts/decide/verdict.ts'

/** 2026-01-01T12:00:00Z; everything in the evidence happened before. */
export const noon = 1_767_268_800_000 as UnixMs
const minuteMs = 60_000

export const lockFile = (changes: Partial<LockFile> = {}): LockFile => ({
  pid: 4711 as Pid,
  singleUser: false,
  lineCount: 8,
  dataDirectory: '/pgdata',
  startTime: ((noon - 60 * minuteMs) / 1000) as UnixSeconds,
  port: 5432,
  socketDirectory: '/run/postgresql',
  listenAddress: '*',
  sharedMemory: { key: 1234, id: 7 },
  status: 'ready',
  ...changes,
})

export const controlFile = (changes: Partial<KnownControlFile> = {}): KnownControlFile => ({
  systemIdentifier: 7_395_001_122_334_455_667n as SystemIdentifier,
  controlVersion: 1300,
  catalogVersion: 202_209_061,
  state: 'in production',
  modified: ((noon - minuteMs) / 1000) as UnixSeconds,
  checkpoint: 0x3_0000_0028n as Lsn,
  redo: 0x3_0000_0000n as Lsn,
  checkpointTimeline: 3 as TimelineId,
  checkpointTime: ((noon - minuteMs) / 1000) as UnixSeconds,
  minRecoveryPoint: 0n as Lsn,
  minRecoveryTimeline: 0 as TimelineId,
  walSegmentSize: 0x100_0000,
  walPageSize: 0x2000,
  ...changes,
})

/** Of a version that this program does not know. */
export const newerControlFile = (): NewerControlFile => ({
  systemIdentifier: 7_395_001_122_334_455_667n as SystemIdentifier,
  controlVersion: 9900,
  catalogVersion: 209_901_011,
  state: 'in production',
  modified: null,
  checkpoint: null,
  redo: null,
  checkpointTimeline: null,
  checkpointTime: null,
  minRecoveryPoint: null,
  minRecoveryTimeline: null,
  walSegmentSize: null,
  walPageSize: null,
})

/** The postmaster started at tick 100,000; a child `afterTicks` later. */
export const postmasterStarted = 100_000 as Ticks
export const child = (title: string, pid: number, afterTicks = 1): Child => ({
  pid: pid as Pid,
  started: (postmasterStarted + afterTicks) as Ticks,
  startedAt: (noon - 60 * minuteMs + afterTicks * 10) as UnixMs,
  title: `postgres: ${title}`,
})

type Seen = Extract<ChildrenSighting, { kind: 'present' }>
export const children = (changes: Partial<Seen> = {}): Seen => ({
  kind: 'present',
  startup: null,
  checkpointer: child('checkpointer', 4712),
  walwriter: child('walwriter', 4713),
  walreceiver: null,
  session: null,
  titlesIncomplete: false,
  startupUndecided: false,
  ...changes,
})

export const standbyChildren = (): Seen =>
  children({
    startup: child('startup recovering 000000010000000000000003', 4714),
    walwriter: null,
    walreceiver: child('walreceiver streaming 0/3000148', 4715),
  })

export const seen = <Fact>(fact: Fact, modified: UnixMs = (noon - minuteMs) as UnixMs) =>
  ({ kind: 'present', fact, modified }) as const

export const noSignalFiles = {
  standbySignal: false,
  recoverySignal: false,
  recoveryConf: null,
  backupLabel: false,
} as const

export const directory = (version: string | null = '15') =>
  ({
    kind: 'present',
    inode: '1:2',
    owner: 101,
    symlink: false,
    version: version === null ? null : parsePgVersion(version),
  }) as const

export const alive = {
  kind: 'alive',
  how: 'working directory',
  started: postmasterStarted,
  startedAt: (noon - 60 * minuteMs) as UnixMs,
  isServer: true,
  binaryUpgrade: false,
} as const

export const primaryEvidence = (changes: Partial<Evidence> = {}): Evidence => ({
  controlCheck: 'native',
  path: '/pgdata',
  directory: directory(),
  lockFile: seen(lockFile(), (noon - 59 * minuteMs) as UnixMs),
  postmaster: alive,
  children: children(),
  controlFile: seen(controlFile()),
  signalFiles: noSignalFiles,
  promotion: 'not checked',
  timelineHistory: { kind: 'not checked' },
  walPosition: null,
  crashRestart: false,
  ...changes,
})

export const standbyEvidence = (changes: Partial<Evidence> = {}): Evidence =>
  primaryEvidence({
    children: standbyChildren(),
    controlFile: seen(controlFile({ state: 'in archive recovery' })),
    signalFiles: { ...noSignalFiles, standbySignal: true },
    ...changes,
  })

export const snapshotOf = (evidence: Evidence, changes: Partial<Snapshot> = {}): Snapshot => ({
  evidence,
  verdict: decide(evidence),
  hazards: [],
  lookedAt: 1000 as MonotonicMs,
  lookedAtUnix: noon,
  lookMs: 0.4321,
  ...changes,
})
