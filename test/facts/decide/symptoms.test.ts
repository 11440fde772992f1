import t, { type Test } from 'tap'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import type { PostmasterSighting } from '../../../src/facts/decide/sightings.ts'
import { symptomsOf, type Symptoms } from '../../../src/facts/decide/symptoms.ts'
import {
  alive,
  children,
  controlFile,
  directory,
  lockFile,
  noSignalFiles,
  noon,
  primaryEvidence,
  seen,
  standbyEvidence,
} from '../../harness/evidence.ts'

const becomes = (t: Test, changes: Partial<Evidence>, symptoms: Partial<Symptoms>) =>
  t.match(symptomsOf(primaryEvidence(changes)), symptoms)

t.test('a healthy primary shows these symptoms', async t => {
  t.strictSame(symptomsOf(primaryEvidence()), {
    directory: 'present',
    lockFile: 'complete',
    postmaster: 'alive',
    status: 'ready',
    crashRestart: false,
    startup: 'not running',
    checkpointer: 'running',
    cluster: 'in production',
    nextStart: 'primary',
  })
})

t.test('and a healthy standby these', async t => {
  t.match(symptomsOf(standbyEvidence()), {
    startup: 'running',
    cluster: 'in archive recovery',
    nextStart: 'standby',
  })
})

t.test('a directory that cannot be read is named as such', async t => {
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

t.test('a missing, damaged, empty or single-user lock file is distinguished', async t => {
  const faulty = (fault: Extract<Evidence['lockFile'], { kind: 'invalid' }>['fault']) =>
    ({ kind: 'invalid', fault, modified: noon }) as const
  becomes(t, { lockFile: { kind: 'absent' } }, { lockFile: 'absent', status: 'none' })
  becomes(t, { lockFile: { kind: 'unreadable', code: 'EIO' } }, { lockFile: 'unreadable' })
  becomes(t, { lockFile: faulty({ kind: 'empty' }) }, { lockFile: 'incomplete' })
  becomes(
    t,
    { lockFile: faulty({ kind: 'mixed status', found: 'reading ' }) },
    { lockFile: 'invalid' },
  )
  becomes(t, { lockFile: seen(lockFile({ singleUser: true })) }, { lockFile: 'single-user' })
})

const postmasters: readonly (readonly [PostmasterSighting, Symptoms['postmaster']])[] = [
  [alive, 'alive'],
  [{ ...alive, isServer: false }, 'alive'],
  [{ ...alive, binaryUpgrade: true }, 'upgrading'],
  [{ kind: 'signal 0', createdSharedMemory: false }, 'alive'],
  [{ kind: 'signal 0', createdSharedMemory: true }, 'alive'],
  [{ kind: 'gone' }, 'gone'],
  [{ kind: 'zombie' }, 'gone'],
  [{ kind: 'not checked' }, 'unknown'],
  [{ kind: 'stopped', by: 'signal' }, 'stopped'],
  [{ kind: 'not the postmaster', because: 'it is sshd' }, 'not the postmaster'],
  [{ kind: 'invisible' }, 'invisible'],
]

t.test('a postmaster is alive only if it was found so', async t => {
  for (const [postmaster, symptom] of postmasters)
    becomes(t, { postmaster }, { postmaster: symptom })
})

t.test('children that cannot be seen are not taken to be absent', async t => {
  for (const kind of ['invisible', 'not checked'] as const) {
    becomes(t, { children: { kind } }, { startup: 'not visible', checkpointer: 'not visible' })
  }
  becomes(t, { children: children({ checkpointer: null }) }, { checkpointer: 'not running' })
})

t.test('so are those whose titles cannot be read, if the process is a server', async t => {
  const cut = children({ startup: null, checkpointer: null, titlesIncomplete: true })
  const unseen = { startup: 'not visible', checkpointer: 'not visible' } as const
  becomes(t, { children: cut }, unseen)
  becomes(t, { children: cut, postmaster: { kind: 'signal 0', createdSharedMemory: true } }, unseen)
  becomes(t, { children: { ...cut, titlesIncomplete: false } }, { startup: 'not running' })
  becomes(
    t,
    { children: children({ titlesIncomplete: true }) },
    { checkpointer: 'running', startup: 'not visible' },
  )
})

t.test('another program at work in the data directory is no postmaster', async t => {
  // The shell of an operator, with the pid of a dead one.
  const shell = { postmaster: { ...alive, isServer: false } }
  becomes(t, shell, { postmaster: 'alive' })
  const stranger = { postmaster: 'not the postmaster' } as const
  becomes(t, { ...shell, children: children({ checkpointer: null }) }, stranger)
  const cut = children({ checkpointer: null, titlesIncomplete: true })
  becomes(t, { ...shell, children: cut }, stranger)
  becomes(t, { ...shell, children: { kind: 'invisible' } }, stranger)
})

t.test('a crash restart is a crash restart', async t => {
  becomes(t, { crashRestart: true }, { crashRestart: true })
})

t.test('the cluster state is that of the control file, if it is checked', async t => {
  becomes(t, { controlFile: seen(controlFile({ state: 'shut down' })) }, { cluster: 'shut down' })
  becomes(t, { controlFile: { kind: 'absent' } }, { cluster: 'unreadable' })
  becomes(t, { controlFile: { kind: 'absent' }, controlCheck: 'off' }, { cluster: 'not checked' })
})

t.test('without PG_VERSION signal files mean what they mean to the newest', async t => {
  const signalFiles = { ...noSignalFiles, standbySignal: true }
  becomes(t, { signalFiles, directory: directory(null) }, { nextStart: 'standby' })
  becomes(t, { signalFiles, directory: directory('11') }, { nextStart: 'primary' })
})
