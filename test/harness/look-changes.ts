/**
 * What may be another way with the next look, one thing at a time: from these, and from a server
 * in good health, tests make up sequences of looks.
 */
import { clusterStates } from '../../src/facts/decode/control-file.ts'
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import type { LockFile } from '../../src/facts/decode/lock-file.ts'
import type { SignalFiles } from '../../src/facts/decode/signal-files.ts'
import type { Child, ChildrenSighting } from '../../src/facts/decide/sightings.ts'
import type { Pid, UnixMs, UnixSeconds } from '../../src/facts/units.ts'
import {
  alive,
  child,
  children,
  controlFile,
  directory,
  lockFile,
  noon,
  noSignalFiles,
  primaryEvidence,
  seen,
  standbyEvidence,
} from './evidence.ts'

type Change = (before: Evidence) => Partial<Evidence>

/** Whoever is found again is as it was at first. */
const withLockFile =
  (changes: Partial<LockFile>): Change =>
  ({ lockFile: before }) =>
    before.kind === 'present'
      ? { lockFile: { ...before, fact: { ...before.fact, ...changes } } }
      : { lockFile: seen(lockFile(changes)) }

const writtenAt =
  (timeOf: (before: UnixMs) => number): Change =>
  ({ lockFile: before }) =>
    before.kind === 'present'
      ? { lockFile: { ...before, modified: timeOf(before.modified) as UnixMs } }
      : {}

type Seen = Extract<ChildrenSighting, { kind: 'present' }>
const withChildren =
  (changes: Partial<Seen>): Change =>
  ({ children: before }) => ({
    children: { ...(before.kind === 'present' ? before : children()), ...changes },
  })

const withSignalFiles =
  (changes: Partial<SignalFiles>): Change =>
  () => ({ signalFiles: { ...noSignalFiles, ...changes } })

const found =
  (changes: Partial<Evidence>): Change =>
  () =>
    changes

const lateStartup = child('startup recovering 000000010000000000000003', 4716, 500)
const besideStartup = (ms: number): Change => writtenAt(() => lateStartup.startedAt + ms)

/** A crash restart as far as the files have come: but for the shared memory, all is as before. */
const crashed: Change = before => {
  const { lockFile: file } = before
  const id = file.kind === 'present' ? (file.fact.sharedMemory?.id ?? 0) + 1 : 1
  return {
    ...withLockFile({ sharedMemory: { key: 1234, id } })(before),
    ...withChildren({ startup: lateStartup, walwriter: null, walreceiver: null })(before),
  }
}

/** Seen for the first time, with a startup process that may be its first one, or not. */
const unknown =
  (startup: Child): Change =>
  before => {
    const pid = before.lockFile.kind === 'present' ? before.lockFile.fact.pid + 1 : 4811
    return {
      lockFile: seen(lockFile({ pid: pid as Pid }), startup.startedAt),
      ...withChildren({ startup, walreceiver: null })(before),
    }
  }

/** Those that make another server of it, applied to what the look before would have found. */
export const wholeChanges: Readonly<Record<string, Change>> = {
  'a primary': () => primaryEvidence(),
  'a standby': () => standbyEvidence(),
  'a crash restart': crashed,
  'a crash restart before its startup process': before => ({
    ...crashed(before),
    ...withChildren({ startup: null, walwriter: null })(before),
  }),
  'a server with its first startup process': unknown(child('startup', 4714)),
  'a standby with a late startup process': before => ({
    ...unknown(lateStartup)(before),
    controlFile: seen(controlFile({ state: 'in archive recovery' })),
  }),
}

/** And those that change one thing. */
export const lookChanges: Readonly<Record<string, Change>> = {
  ...wholeChanges,

  'no directory': found({ directory: { kind: 'absent' } }),
  'a file for a directory': found({ directory: { kind: 'not a directory' } }),
  'a closed directory': found({ directory: { kind: 'unreadable', code: 'EACCES', owner: 1 } }),
  'version 15': found({ directory: directory('15') }),
  'version 11': found({ directory: directory('11') }),
  'version 9.6': found({ directory: directory('9.6') }),
  'no version': found({ directory: directory(null) }),

  'no lock file': found({ lockFile: { kind: 'absent' } }),
  'a closed lock file': found({ lockFile: { kind: 'unreadable', code: 'EIO' } }),
  'an empty lock file': found({
    lockFile: { kind: 'invalid', fault: { kind: 'empty' }, modified: noon },
  }),
  'a ready postmaster': withLockFile({ status: 'ready', lineCount: 8, singleUser: false }),
  'a starting postmaster': withLockFile({ status: 'starting', lineCount: 8 }),
  'a stopping postmaster': withLockFile({ status: 'stopping', lineCount: 8 }),
  'a refusing standby': withLockFile({ status: 'standby', lineCount: 8 }),
  'a lock file of seven lines': withLockFile({ status: null, lineCount: 7 }),
  'a single user': withLockFile({ status: null, lineCount: 7, singleUser: true }),
  'shared memory 7': withLockFile({ sharedMemory: { key: 1234, id: 7 } }),
  'shared memory 8': withLockFile({ sharedMemory: { key: 1234, id: 8 } }),
  'no shared memory': withLockFile({ sharedMemory: null }),
  'another pid': withLockFile({ pid: 4811 as Pid }),
  'another start': withLockFile({ startTime: 1_767_265_999 as UnixSeconds }),
  'a lock file written again': writtenAt(before => before + 1),
  'a lock file older than the startup process': besideStartup(-3),
  'a lock file as old as the startup process': besideStartup(20),
  'a lock file younger than the startup process': besideStartup(21),

  'a live postmaster': found({ postmaster: alive }),
  'somebody who answers signal 0': found({
    postmaster: { kind: 'signal 0', createdSharedMemory: false },
  }),
  'no postmaster': found({ postmaster: { kind: 'gone' } }),
  'a dead postmaster': found({ postmaster: { kind: 'zombie' } }),
  'a stopped postmaster': found({ postmaster: { kind: 'stopped', by: 'signal' } }),
  'a frozen postmaster': found({ postmaster: { kind: 'stopped', by: 'freezer' } }),
  'a stranger': found({ postmaster: { kind: 'not the postmaster', because: 'it is sshd' } }),
  'a hidden postmaster': found({ postmaster: { kind: 'invisible' } }),

  'illegible titles': withChildren({ titlesIncomplete: true }),
  'a session': withChildren({ session: child('me db [local] idle', 4720, 600) }),
  'an old session': withChildren({ session: child('me db [local] idle', 4720, 499) }),
  'no session': withChildren({ session: null }),
  'hidden children': found({ children: { kind: 'invisible' } }),
  'no startup process': withChildren({ startup: null, startupUndecided: false }),
  'the first startup process': withChildren({ startup: child('startup', 4714, 1) }),
  'a late startup process': withChildren({ startup: lateStartup }),
  'a child without title': withChildren({ startup: null, startupUndecided: true }),
  'no checkpointer': withChildren({ checkpointer: null }),
  'a checkpointer': withChildren({ checkpointer: child('checkpointer', 4712) }),
  'no WAL writer': withChildren({ walwriter: null }),
  'a WAL writer': withChildren({ walwriter: child('walwriter', 4713) }),
  'no WAL receiver': withChildren({ walreceiver: null }),
  'a WAL receiver': withChildren({ walreceiver: child('walreceiver', 4715, 510) }),

  ...Object.fromEntries(
    clusterStates.map(state => [state, found({ controlFile: seen(controlFile({ state })) })]),
  ),
  'no control file': found({ controlFile: { kind: 'absent' } }),
  'a damaged control file': found({
    controlFile: {
      kind: 'invalid',
      fault: { source: 'native', fault: { kind: 'wrong byte order' } },
      modified: noon,
    },
  }),
  'a control file not asked': found({ controlCheck: 'off', controlFile: { kind: 'absent' } }),

  'no signal file': withSignalFiles({}),
  'standby.signal': withSignalFiles({ standbySignal: true }),
  'recovery.signal': withSignalFiles({ recoverySignal: true }),
  'recovery.conf': withSignalFiles({ recoveryConf: { standbyMode: true } }),
}
