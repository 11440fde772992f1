import t from 'tap'
import { recognise, type Papers } from '../../src/facts/identity.ts'
import type { Pid, Ticks, UnixMs, UnixSeconds } from '../../src/facts/units.ts'
import { lockFile } from '../harness/evidence.ts'

const startTime = 1_767_268_000 as UnixSeconds
const startedAt = (startTime * 1000 + 400) as UnixMs
const started = 100 as Ticks
const claim = { lockFile: lockFile({ startTime }), directoryInode: '8:15' }

const papers = (changes: Partial<Papers> & { comm?: string } = {}): Papers => ({
  stat: {
    pid: 4711 as Pid,
    comm: changes.comm ?? 'postgres',
    state: 'running',
    parent: 1,
    started,
  },
  startedAt,
  program: 'postgres',
  workingDirectory: '8:15',
  ...changes,
})

t.test('a server that works in the data directory is its postmaster', async t => {
  const alive = { kind: 'alive', how: 'working directory', started, startedAt }
  t.strictSame(recognise(papers(), claim), alive)
  t.strictSame(recognise(papers({ comm: 'edb-postgres', program: null }), claim), alive)
  t.strictSame(recognise(papers({ comm: 'wrapped', program: 'postmaster' }), claim), alive)
})

t.test('a start time that does not fit never condemns it: the clock may have been set', async t => {
  const other = papers({ startedAt: (startedAt + 3_600_000) as UnixMs })
  t.match(recognise(other, claim), { kind: 'alive', how: 'working directory' })
})

t.test('another program is a stranger, wherever it works', async t => {
  t.strictSame(recognise(papers({ comm: 'sshd', program: 'sshd' }), claim), {
    kind: 'stranger',
    because: 'it is sshd',
  })
  t.match(recognise(papers({ comm: 'kthreadd', program: null }), claim), {
    because: 'it is kthreadd',
  })
  t.match(
    recognise(papers({ comm: 'two\nlines\x9b2J', program: null }), claim),
    { because: 'it is two.lines.2J' },
    'whatever it calls itself',
  )
})

t.test('a server of another data directory is a stranger', async t => {
  t.strictSame(recognise(papers({ workingDirectory: '8:16' }), claim), {
    kind: 'stranger',
    because: 'it is a PostgreSQL server of another data directory',
  })
})

t.test('where the working directory may not be read', async t => {
  const hidden = (ms: number) =>
    papers({ workingDirectory: null, program: null, startedAt: (startTime * 1000 + ms) as UnixMs })

  t.test('name and start time together are believed', async t => {
    for (const ms of [-3000, 0, 3000]) {
      t.match(recognise(hidden(ms), claim), { kind: 'alive', how: 'name and start time' })
    }
  })

  t.test('a start at another time makes a stranger', async t => {
    t.strictSame(recognise(hidden(7_920_000), claim), {
      kind: 'stranger',
      because: 'it started 2 h 12 min after the lock file says',
    })
    t.match(recognise(hidden(-4000), claim), {
      because: 'it started 4.0 s before the lock file says',
    })
  })

  t.test('so does a lock file that tells no start time', async t => {
    const silent = { ...claim, lockFile: lockFile({ startTime: null }) }
    t.match(recognise(hidden(0), silent), { kind: 'stranger' })
  })
})
