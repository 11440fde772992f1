import t from 'tap'
import { createIdentification, type Claim } from '../../../src/observe/processes/identification.ts'
import type { ProcessHandle } from '../../../src/observe/processes/process-table.ts'
import { lockFile, noon } from '../../harness/evidence.ts'
import { fakeProcesses, type FakeProcess } from '../../harness/fake-processes.ts'
import type { Pid, UnixSeconds } from '../../../src/facts/units.ts'

const pid = 4711 as Pid
const owner = 101
const claim: Claim = {
  lockFile: lockFile({ pid, sharedMemory: { key: 1234, id: 7 }, dataDirectory: '/pgdata' }),
  directoryInode: '1:2',
  owner,
}
/** A table in which `creator` made the segment of the lock file. */
const shmOf = (creator: number) =>
  `key shmid perms\n 1234 7 600 56 ${creator} 4712 6 101 101 ${owner} 101\n`

const setUp = (changes: Partial<FakeProcess> = {}) => {
  const processes = fakeProcesses()
  const postmaster = processes.add({
    pid,
    started: 5,
    program: 'postgres',
    commandLine: 'postgres\0-D\0/pgdata\0',
    workingDirectory: '1:2',
    ...changes,
  })
  const handle = processes.table.open(pid) as ProcessHandle
  return { processes, postmaster, handle, ...createIdentification(processes.table) }
}

t.test('a process is identified as the postmaster by /proc, with its titles', async t => {
  const { handle, identify } = setUp()
  t.strictSame(await identify(handle, claim), {
    postmaster: {
      kind: 'alive',
      how: 'working directory',
      started: 5,
      startedAt: noon + 50,
      isServer: true,
      binaryUpgrade: false,
    },
    titles: { commandLine: 'postgres\0-D\0/pgdata\0', room: 1000 },
  })
})

t.test('its command line shows a binary upgrade', async t => {
  const { handle, identify } = setUp({ commandLine: 'postgres\0-b\0-D\0/pgdata\0' })
  t.match(await identify(handle, claim), { postmaster: { binaryUpgrade: true } })
})

t.test('where its working directory may not be read', async t => {
  const hidden = { workingDirectory: null, titleRoom: null } as const

  t.test('the table of shared memory identifies it', async t => {
    const { handle, identify, processes } = setUp({ ...hidden, program: null, comm: 'wrapped' })
    t.match(await identify(handle, claim), { postmaster: { because: 'it is wrapped' } })
    processes.setSharedMemory(shmOf(4712))
    t.match(await identify(handle, claim), { postmaster: { kind: 'not the postmaster' } })
    processes.setSharedMemory(shmOf(pid))
    t.match(await identify(handle, { ...claim, owner: 102 }), {
      postmaster: { kind: 'not the postmaster' },
    })
    t.match(await identify(handle, claim), {
      postmaster: { kind: 'alive', how: 'shared memory', isServer: true },
      titles: { room: null },
    })
  })

  t.test('or its command line, if it is our own', async t => {
    const ours = setUp(hidden)
    t.match(await ours.identify(ours.handle, claim), { postmaster: { how: 'command line' } })
    const { handle, identify } = setUp({ ...hidden, foreign: true })
    t.match(await identify(handle, claim), { postmaster: { kind: 'not the postmaster' } })
  })

  t.test('or its start', async t => {
    const { handle, identify } = setUp({ ...hidden, commandLine: 'postgres\0' })
    const startTime = (noon / 1000) as UnixSeconds
    const started = { ...claim, lockFile: { ...claim.lockFile, startTime } }
    t.match(await identify(handle, started), { postmaster: { how: 'name and start time' } })
  })
})

t.test('it is asked once, until the data directory is another', async t => {
  const { handle, identify, processes, postmaster } = setUp()
  const first = await identify(handle, claim)
  const read = processes.titlesRead()
  postmaster.workingDirectory = '1:3'
  t.equal(await identify(handle, claim), first)
  t.equal(processes.titlesRead(), read)
  const moved = { ...claim, directoryInode: '1:3' }
  t.match(await identify(handle, moved), { postmaster: { kind: 'alive' } })
  t.match(await identify(handle, claim), { postmaster: { kind: 'not the postmaster' } })
})

t.test('another process with its number is asked again', async t => {
  const { handle, identify, processes } = setUp()
  await identify(handle, claim)
  processes.add({ pid, comm: 'sshd', started: 9, workingDirectory: '1:3' })
  const other = processes.table.open(pid) as ProcessHandle
  t.match(await identify(other, claim), { postmaster: { because: 'it is sshd' } })
})

t.test('another process is checked again: it may not have changed its directory yet', async t => {
  const { handle, identify, postmaster } = setUp({ workingDirectory: '1:1' })
  t.match(await identify(handle, claim), { postmaster: { kind: 'not the postmaster' } })
  postmaster.workingDirectory = '1:2'
  t.match(await identify(handle, claim), { postmaster: { kind: 'alive' } })
})

t.test('a process that ends meanwhile is gone', async t => {
  for (const state of ['exiting', 'zombie'] as const) {
    const { handle, identify, postmaster } = setUp()
    const identified = identify(handle, claim)
    postmaster.state = state
    t.match(await identified, { postmaster: { kind: 'gone' } }, state)
  }
  const { handle, identify, processes } = setUp()
  processes.remove(pid)
  t.match(await identify(handle, claim), { postmaster: { kind: 'gone' } })
})

t.test('a process that /proc hides', async t => {
  const created = { kind: 'signal 0', createdSharedMemory: true }

  t.test('is the postmaster if it created the shared memory', async t => {
    const { identifyHidden, processes } = setUp({ hidden: true })
    processes.setSharedMemory(shmOf(pid))
    t.strictSame(identifyHidden(claim), created)
  })

  t.test('and is unknown if another process did, or none', async t => {
    const { identifyHidden, processes } = setUp({ hidden: true })
    t.strictSame(identifyHidden(claim), { kind: 'invisible' })
    processes.setSharedMemory(shmOf(4712))
    t.strictSame(identifyHidden(claim), { kind: 'invisible' })
  })

  t.test('or if it belongs to another user, that of other servers', async t => {
    const { identifyHidden, processes } = setUp({ hidden: true, foreign: true })
    processes.setSharedMemory(shmOf(pid))
    t.strictSame(identifyHidden(claim), { kind: 'invisible' })
  })
})
