import t, { type Test } from 'tap'
import type { ClusterState } from '../../src/facts/control-file.ts'
import type { Evidence } from '../../src/facts/evidence.ts'
import type { PostmasterSighting } from '../../src/facts/sightings.ts'
import { symptomsOf, type Symptoms } from '../../src/facts/symptoms.ts'
import type { Pid, UnixMs } from '../../src/facts/units.ts'
import {
  alive,
  child,
  children,
  controlFile,
  directory,
  lockFile,
  noSignalFiles,
  noon,
  primaryEvidence,
  seen,
  standbyEvidence,
} from '../harness/evidence.ts'

const becomes = (t: Test, changes: Partial<Evidence>, symptoms: Partial<Symptoms>) =>
  t.match(symptomsOf(primaryEvidence(changes)), symptoms)

t.test('a healthy primary shows these symptoms', async t => {
  t.strictSame(symptomsOf(primaryEvidence()), {
    directory: 'there',
    lockFile: 'complete',
    postmaster: 'alive',
    status: 'ready',
    crashRestart: false,
    startup: 'not there',
    checkpointer: 'there',
    cluster: 'in production',
    nextStart: 'none',
  })
})

t.test('and a healthy standby these', async t => {
  t.match(symptomsOf(standbyEvidence()), {
    startup: 'there',
    cluster: 'in archive recovery',
    nextStart: 'standby',
  })
})

t.test('a directory that can not be looked into is named as such', async t => {
  becomes(t, { directory: { kind: 'absent' } }, { directory: 'absent' })
  becomes(t, { directory: { kind: 'not a directory' } }, { directory: 'not a directory' })
  const unreadable = { kind: 'unreadable', code: 'EACCES', owner: 1 } as const
  becomes(t, { directory: unreadable }, { directory: 'unreadable' })
})

t.test('the lock file is complete with eight lines, and before 10 with seven', async t => {
  const lines = (lineCount: number) => seen(lockFile({ lineCount, status: null }))
  becomes(t, { lockFile: lines(7) }, { lockFile: 'incomplete', status: 'none' })
  becomes(t, { lockFile: lines(7), directory: directory(null) }, { lockFile: 'incomplete' })
  becomes(t, { lockFile: lines(7), directory: directory('9.6') }, { lockFile: 'complete' })
  becomes(t, { lockFile: lines(6), directory: directory('9.6') }, { lockFile: 'incomplete' })
})

t.test('a lock file that is missing, damaged, empty or of a single user is told apart', async t => {
  const faulty = (fault: Extract<Evidence['lockFile'], { kind: 'fault' }>['fault']) =>
    ({ kind: 'fault', fault, modified: noon }) as const
  becomes(t, { lockFile: { kind: 'absent' } }, { lockFile: 'absent', status: 'none' })
  becomes(t, { lockFile: { kind: 'unreadable', code: 'EIO' } }, { lockFile: 'unreadable' })
  becomes(t, { lockFile: faulty({ kind: 'empty' }) }, { lockFile: 'incomplete' })
  becomes(
    t,
    { lockFile: faulty({ kind: 'mixed status', found: 'reading ' }) },
    { lockFile: 'garbled' },
  )
  becomes(t, { lockFile: seen(lockFile({ singleUser: true })) }, { lockFile: 'single-user' })
})

const postmasters: readonly (readonly [PostmasterSighting, Symptoms['postmaster']])[] = [
  [alive, 'alive'],
  [{ kind: 'signal 0' }, 'alive'],
  [{ kind: 'gone' }, 'gone'],
  [{ kind: 'zombie' }, 'gone'],
  [{ kind: 'not looked for' }, 'unknown'],
  [{ kind: 'stopped', by: 'signal' }, 'stopped'],
  [{ kind: 'stranger', because: 'it is sshd' }, 'stranger'],
  [{ kind: 'invisible' }, 'invisible'],
]

t.test('a postmaster is alive only when it was seen so', async t => {
  for (const [postmaster, symptom] of postmasters)
    becomes(t, { postmaster }, { postmaster: symptom })
})

t.test('children that can not be seen are not taken to be absent', async t => {
  for (const kind of ['invisible', 'not looked for'] as const) {
    becomes(t, { children: { kind } }, { startup: 'unseen', checkpointer: 'unseen' })
  }
  becomes(t, { children: children({ checkpointer: null }) }, { checkpointer: 'not there' })
})

t.test('a crash restart is judged from memory and children', async t => {
  const memory = {
    pid: 4711 as Pid,
    startTime: null,
    sharedMemoryId: 8,
    suspicion: { kind: 'new id', written: 0 as UnixMs, writtenAt: 0 as UnixMs },
    clockOffsetMs: 0,
  } as const
  const restarting = children({ walwriter: null })
  becomes(t, { memory, children: restarting }, { crashRestart: true })
  becomes(
    t,
    { memory, children: restarting, postmaster: { kind: 'signal 0' } },
    { crashRestart: true },
  )
  becomes(t, { memory: { ...memory, suspicion: null } }, { crashRestart: false })
})

t.test('who comes too late takes no startup process of a primary for its first', async t => {
  const startup = child('startup', 4714)
  const memory = {
    pid: 4711 as Pid,
    startTime: null,
    sharedMemoryId: 8,
    suspicion: {
      kind: 'first sight',
      written: startup.startedAt,
      writtenAt: startup.startedAt,
    },
    clockOffsetMs: 0,
  } as const
  const seenLate = { memory, children: children({ startup, walwriter: null }) }
  const says = (state: ClusterState) => seen(controlFile({ state }))
  becomes(t, { ...seenLate, controlFile: says('in archive recovery') }, { crashRestart: false })
  becomes(t, { ...seenLate, controlCheck: 'off' }, { crashRestart: false })
  becomes(t, { ...seenLate, controlFile: says('in production') }, { crashRestart: true })
  becomes(t, { ...seenLate, controlFile: says('shut down') }, { crashRestart: true })
})

t.test('the cluster state is what the control file says, if it was asked', async t => {
  becomes(t, { controlFile: seen(controlFile({ state: 'shut down' })) }, { cluster: 'shut down' })
  becomes(t, { controlFile: { kind: 'absent' } }, { cluster: 'unreadable' })
  becomes(t, { controlFile: { kind: 'absent' }, controlCheck: 'off' }, { cluster: 'not asked' })
})

t.test('without PG_VERSION signal files mean what they mean to the newest', async t => {
  const signalFiles = { ...noSignalFiles, standbySignal: true }
  becomes(t, { signalFiles, directory: directory(null) }, { nextStart: 'standby' })
  becomes(t, { signalFiles, directory: directory('11') }, { nextStart: 'none' })
})
