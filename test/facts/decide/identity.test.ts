import t from 'tap'
import { recognise, type ProcessTraits } from '../../../src/facts/decide/identity.ts'
import type { Pid, Ticks, UnixMs, UnixSeconds } from '../../../src/facts/units.ts'
import { lockFile } from '../../harness/evidence.ts'

const startTime = 1_767_268_000 as UnixSeconds
const startedAt = (startTime * 1000 + 400) as UnixMs
const started = 100 as Ticks
const claim = { lockFile: lockFile({ startTime }), directoryInode: '8:15' }

const traits = (changes: Partial<ProcessTraits> & { comm?: string } = {}): ProcessTraits => ({
  stat: {
    pid: 4711 as Pid,
    comm: changes.comm ?? 'postgres',
    state: 'running',
    parent: 1,
    started,
    titleRoom: 1000,
  },
  startedAt,
  program: 'postgres',
  workingDirectory: '8:15',
  createdSharedMemory: false,
  dataDirectory: null,
  ours: false,
  binaryUpgrade: false,
  ...changes,
})
const another = { comm: 'sshd', program: 'sshd' }
const alive = { kind: 'alive', started, startedAt, isServer: true, binaryUpgrade: false } as const

t.test('a server that works in the data directory is its postmaster', async t => {
  t.strictSame(recognise(traits(), claim), { ...alive, how: 'working directory' })
})

t.test('its names are those that packagers give it', async t => {
  const names = ['postgres', 'postmaster', 'edb-postgres', '.postgres-wrapp', 'postgres-15']
  for (const comm of names)
    t.match(recognise(traits({ comm, program: null }), claim), { isServer: true }, comm)
  for (const program of [...names, '.postgres-wrapped'])
    t.match(recognise(traits({ comm: 'wrapped', program }), claim), { isServer: true }, program)
})

t.test('a name has no veto where the working directory can be read', async t => {
  const expected = { ...alive, how: 'working directory', isServer: false }
  t.strictSame(recognise(traits(another), claim), expected)
  const created = traits({ ...another, createdSharedMemory: true })
  t.match(recognise(created, claim), { how: 'working directory', isServer: true })
})

t.test('a start time that does not fit never condemns it: the clock may have been set', async t => {
  const other = traits({ startedAt: (startedAt + 3_600_000) as UnixMs })
  t.match(recognise(other, claim), { kind: 'alive', how: 'working directory' })
})

t.test('a process that works elsewhere is not the postmaster, whatever else matches', async t => {
  const fitting = { createdSharedMemory: true, ours: true, dataDirectory: '/pgdata' }
  const elsewhere = (changes: Parameters<typeof traits>[0] = {}) =>
    recognise(traits({ workingDirectory: '8:16', ...changes }), claim)
  const because = 'it is a PostgreSQL server of another data directory'
  t.strictSame(elsewhere(), { kind: 'not the postmaster', because })
  t.strictSame(elsewhere(fitting), { kind: 'not the postmaster', because })
  t.strictSame(elsewhere(another), { kind: 'not the postmaster', because: 'it is sshd' })
})

t.test('a server of pg_upgrade is known as such', async t => {
  t.match(recognise(traits({ binaryUpgrade: true }), claim), { ...alive, binaryUpgrade: true })
  const hidden = traits({ binaryUpgrade: true, workingDirectory: null, createdSharedMemory: true })
  t.match(recognise(hidden, claim), { ...alive, binaryUpgrade: true })
})

t.test('where the working directory may not be read', async t => {
  const hidden = (changes: Parameters<typeof traits>[0] = {}) =>
    recognise(traits({ workingDirectory: null, program: null, ...changes }), claim)
  const startedLater = (ms: number) => ({ startedAt: (startTime * 1000 + ms) as UnixMs })

  t.test('the creator of the shared memory is the postmaster, called whatever', async t => {
    const created = { createdSharedMemory: true, ...startedLater(3_600_000) }
    t.match(hidden(created), { ...alive, ...startedLater(3_600_000), how: 'shared memory' })
    t.match(hidden({ ...created, ...another }), { how: 'shared memory', isServer: true })
  })

  t.test('otherwise another program is not the postmaster', async t => {
    const fitting = { ours: true, dataDirectory: '/pgdata' }
    t.strictSame(hidden({ ...another, ...fitting }), {
      kind: 'not the postmaster',
      because: 'it is sshd',
    })
    t.match(hidden({ comm: 'kthreadd' }), { because: 'it is kthreadd' })
    t.match(
      hidden({ comm: 'two\nlines\x9b2J' }),
      { because: String.raw`it is two\u000alines\u009b2J` },
      'whatever it calls itself',
    )
  })

  t.test('a server of ours that names the directory is its postmaster', async t => {
    const named = { ours: true, dataDirectory: '/pgdata', ...startedLater(3_600_000) }
    t.match(hidden(named), { kind: 'alive', how: 'command line' })
    t.match(hidden({ ...named, dataDirectory: '/pgdata//' }), { how: 'command line' })
    const withSlash = { ...claim, lockFile: lockFile({ startTime, dataDirectory: '/pgdata/' }) }
    const found = recognise(traits({ ...named, workingDirectory: null }), withSlash)
    t.match(found, { how: 'command line' })
  })

  t.test('but not one of another user, of another directory, or one that names none', async t => {
    const named = { ours: true, dataDirectory: '/pgdata', ...startedLater(3_600_000) }
    t.match(hidden({ ...named, ours: false }), { kind: 'not the postmaster' })
    t.match(hidden({ ...named, dataDirectory: '/pgdata2' }), { kind: 'not the postmaster' })
    t.match(hidden({ ...named, dataDirectory: null }), { kind: 'not the postmaster' })
    const unwritten = { ...claim, lockFile: lockFile({ startTime, dataDirectory: null }) }
    const found = recognise(traits({ ...named, workingDirectory: null }), unwritten)
    t.match(found, { kind: 'not the postmaster' }, 'while the lock file does not tell')
  })

  t.test('name and start time together are sufficient', async t => {
    for (const ms of [-3000, 0, 3000])
      t.match(hidden(startedLater(ms)), { kind: 'alive', how: 'name and start time' })
  })

  t.test('a process started at another time is not the postmaster', async t => {
    t.strictSame(hidden(startedLater(7_920_000)), {
      kind: 'not the postmaster',
      because:
        'it started 2 h 12 min after the time in the lock file, and its working directory could not be read',
    })
    t.match(hidden(startedLater(-4000)), {
      because: /^it started 4\.0 s before the time in the lock file/,
    })
  })

  t.test('so does a lock file without a start time', async t => {
    const silent = { ...claim, lockFile: lockFile({ startTime: null }) }
    const found = recognise(traits({ workingDirectory: null, ...startedLater(0) }), silent)
    const because = 'its working directory could not be read'
    t.strictSame(found, { kind: 'not the postmaster', because })
  })
})
