import * as fc from 'fast-check'
import t from 'tap'
import {
  childKind,
  isForeign,
  titleIn,
  type ChildKind,
  type TitleFrame,
} from '../../../src/facts/decode/process-title.ts'
import { anyText } from '../../harness/foreign-text.ts'

const wal = '000000010000000A000000FF'

const frame: TitleFrame = { commandLine: 'postgres\0-D\0/data\0', room: null }
const kindOf = (commandLine: string): ChildKind => childKind(commandLine, frame)

/** Without the leading `postgres: `. Each was seen on a server or is in the source. */
const titles: { readonly [Kind in ChildKind]?: readonly string[] } = {
  startup: [
    // 10 and older, 11 and 12, 13 and newer: bare, then with each activity.
    'startup process   ',
    'startup   ',
    'startup ',
    `startup process   recovering ${wal}`,
    `startup   recovering ${wal}`,
    `startup recovering ${wal}`,
    `startup recovering ${wal} waiting`,
    `startup waiting for ${wal}`,
    'startup  waiting',
    // 14, where the startup process makes this checkpoint itself.
    'startup performing end-of-recovery checkpoint',
  ],
  checkpointer: [
    'checkpointer process   ',
    'checkpointer   ',
    'checkpointer ',
    'checkpointer performing end-of-recovery checkpoint',
    'checkpointer performing end-of-recovery shutdown checkpoint',
    'checkpointer performing shutdown checkpoint',
    'checkpointer performing shutdown restartpoint',
  ],
  walwriter: ['wal writer process   ', 'walwriter   ', 'walwriter '],
  walreceiver: [
    'wal receiver process   ',
    'walreceiver   ',
    'walreceiver ',
    'wal receiver process   streaming 16/B374D848',
    'walreceiver   streaming 16/B374D848',
    'walreceiver streaming 0/3000060',
    'walreceiver streaming 0/03000060',
    'walreceiver restarting at 0/3000000',
    'walreceiver idle',
  ],
  other: [
    // Auxiliary processes.
    'writer process   ',
    'background writer ',
    'archiver last was 000000010000000000000003',
    'autovacuum launcher ',
    'logical replication launcher ',
    'stats collector process   ',
    'io worker 0',
    'parallel worker for PID 4711 ',
    // The label of a backup is the client's choice, and its title ends after 49 characters of it.
    `walsender replicator [local] sending backup "${'x'.repeat(22)}: startup `,
    'logger ',
    'walsummarizer ',
    'slotsync worker streaming',
  ],
  session: [
    'app appdb 10.0.0.7(40122) idle',
    'app appdb [local] idle in transaction',
    'app appdb [local] idle in transaction (aborted)',
    'app appdb ::1(40122) SELECT',
    'app appdb [local] SELECT waiting',
    'app appdb [local] CREATE TABLE AS',
    'walsender replicator 10.0.0.7(40122) streaming 0/3000060',
    'walsender replicator 10.0.0.7(40122) streaming 0/03000060',
    // What a logical walsender shows all the time.
    'walsender replicator appdb [local] START_REPLICATION',
    'wal sender process replicator 10.0.0.7(40122) idle',
    // Users and databases with the names of processes, or that end like the name of a cluster.
    'startup appdb [local] idle',
    'startup recovering [local] idle',
    `startup recovering ${wal} [local] idle`,
    'walwriter appdb [local] idle',
    'checkpointer appdb 10.0.0.7(40122) idle',
    'checkpointer performing [local] idle',
    'walreceiver streaming 10.0.0.7(40122) idle',
    'app : [local] idle',
    'app startup: 10.0.0.7(40122) idle',
  ],
  login: [
    'app appdb 10.0.0.7(40122) initializing',
    'app appdb 10.0.0.7(40122) authentication',
    'app appdb 10.0.0.7(40122) startup',
    'app appdb ::1(40122) startup',
    'app appdb [local] startup',
    'app appdb [local] startup waiting',
    'app appdb [local] ',
    'startup startup [local] startup',
    'startup appdb [local] startup',
    'app: startup appdb [local] startup',
    'app appdb: startup [local] ',
    'walwriter walwriter [local] startup',
    // Users and databases with names that end like the title of a session.
    'app [local] idle [local] startup',
    'app appdb [local] SELECT [local] ',
    'app [local] streaming 0/3000060 [local] authentication',
  ],
  unclear: [
    // Background workers of extensions, whose names may be anything.
    'pg_cron launcher ',
    'bgw_replstatus ',
    'bgworker: TimescaleDB Background Worker Launcher   ',
    // Half-written, or almost right.
    '',
    'st',
    'startup',
    'startup process',
    'startup    ',
    'startups ',
    ' startup ',
    'Startup ',
    'startup recovering',
    `startup recovering ${wal}0`,
    `startup recovering ${wal.slice(1)}`,
    `startup recovering ${wal.toLowerCase()}`,
    'startup recovering 00000002.history',
    `startup recovering ${wal} waiting waiting`,
    `startup recovering ${wal}\n`,
    'walwriter',
    'walwriter  idle',
    'checkpointer performing checkpoint now',
  ],
}
const known = Object.entries(titles) as [ChildKind, readonly string[]][]
/** A kind and one of its titles. */
const spellings = known.flatMap(([kind, spelled]) => spelled.map(title => ({ kind, title })))

t.test('each kind of child is known by its titles in all versions', t => {
  for (const { kind, title } of spellings) {
    t.equal(kindOf(`postgres: ${title}`), kind, JSON.stringify(title))
  }
  t.end()
})

t.test('what the title leaves over of the command line is NUL', t => {
  for (const { kind, title } of spellings) {
    t.equal(kindOf(`postgres: ${title}${'\0'.repeat(40)}`), kind, JSON.stringify(title))
  }
  t.equal(kindOf('postgres: startup \0walwriter \0'), 'startup')
  t.end()
})

const clusterNames = [
  'main',
  '15/main',
  'startup',
  'checkpointer',
  'walwriter ',
  'startup recovering',
  'prod: east',
  ': ',
  ':',
  'startup: ',
  'postgres: ',
  'a b [local] idle',
]

t.test('the name of the cluster may be in front, whatever it is', t => {
  for (const name of clusterNames) {
    for (const { kind, title } of spellings) {
      t.equal(kindOf(`postgres: ${name}: ${title}`), kind, JSON.stringify([name, title]))
    }
  }
  t.end()
})

t.test('so may any name that the server lets a cluster have', t => {
  // check_cluster_name() in guc.c leaves printable ASCII, of which 63 characters are kept.
  const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 63 })
  const property = fc.property(name, fc.constantFrom(...spellings), (name, { kind, title }) => {
    return kindOf(`postgres: ${name}: ${title}`) === kind
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
  t.end()
})

t.test('a child without a title shows the command line of its postmaster', async t => {
  for (const commandLine of [
    '/usr/lib/postgresql/15/bin/postgres\0-D\0/var/lib/postgresql/15/main\0',
    'postgres\0-D\0/data\0',
    'postgres',
    '/opt/postgres: startup \0',
  ]) {
    t.equal(
      childKind(commandLine, { commandLine, room: 20 }),
      'untitled',
      JSON.stringify(commandLine),
    )
  }
})

t.test('any other process without the mark of a title is not of PostgreSQL', async t => {
  const commandLines = [
    'postgres\0-D\0/data',
    'postgres\0-D\0/data2\0',
    'postgres',
    'postgres:',
    'postgres:\0 startup ',
    '/bin/postgres: startup ',
    ' postgres: startup ',
    'postmaster: startup ',
    'sleep\x0060\0',
    'sh\0-c\0echo postgres: startup \0',
  ]
  for (const line of commandLines) t.equal(kindOf(line), 'foreign', JSON.stringify(line))
})

t.test('a command line that cannot be read shows nothing', async t => {
  for (const line of ['', '\0', '\0\0startup ']) t.equal(kindOf(line), 'illegible', line)
  const unread = { commandLine: '', room: null }
  t.equal(childKind('postgres\0-D\0/data\0', unread), 'illegible', 'nor that of the postmaster')
  t.equal(childKind('postgres: startup ', unread), 'startup', 'without which titles still do')
})

t.test('a title that fills the room of its process may have been cut', async t => {
  const title = `postgres: 15/main: startup recovering ${wal}`
  const cutIn = (room: number): ChildKind => {
    return childKind(`${title.slice(0, room - 2)}\0\0`, { ...frame, room })
  }
  t.equal(cutIn(title.length + 3), 'startup')
  t.equal(cutIn(title.length + 2), 'illegible', 'as long as a title can be')
  t.equal(cutIn(title.length - 8), 'illegible')
  const user = { commandLine: 'postgres: startup ', room: 'postgres: startup '.length + 2 }
  t.equal(childKind('postgres: startup ', user), 'illegible', 'the beginning of a user called so')
})

t.test('however little room there is, no title is taken for what it begins with', async t => {
  const room = fc.integer({ min: 13, max: 120 })
  const cluster = fc.constantFrom('', 'main: ', 'startup: ')
  const property = fc.property(fc.constantFrom(...spellings), cluster, room, (one, name, room) => {
    const whole = `postgres: ${name}${one.title}`
    const isWhole = whole.length < room - 2
    const kind = childKind(whole.slice(0, room - 2), { ...frame, room })
    return kind === (isWhole ? one.kind : 'illegible')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('no name of a user or database makes a backend another process, or logs it in', async t => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }).filter(text => !text.includes('\0')),
    fc.constantFrom('startup', 'walwriter ', ': startup ', 'recovering', wal, 'x: checkpointer'),
    fc.constantFrom('[local] idle', 'x(1) SELECT', 'idle', 'SELECT', ':', 'x(1)', '[local]'),
  )
  const host = fc.constantFrom('[local]', '10.0.0.7(40122)', 'fe80::1(40122)', 'db.example(1)')
  const beforeLogin = fc.constantFrom('', 'initializing', 'authentication', 'startup')
  const afterLogin = fc.constantFrom('idle', 'idle in transaction', 'SELECT', 'COPY waiting')
  const kindsOf = (activity: fc.Arbitrary<string>, kind: ChildKind) =>
    fc.property(name, name, host, activity, (...words) => {
      return kindOf(`postgres: ${words.join(' ')}`) === kind
    })
  t.doesNotThrow(() => fc.assert(kindsOf(beforeLogin, 'login'), { numRuns: 1000 }))
  t.doesNotThrow(() => fc.assert(kindsOf(afterLogin, 'session'), { numRuns: 1000 }))
})

t.test('no command line makes it throw', t => {
  const room = fc.option(fc.nat(100))
  const property = fc.property(anyText, anyText, room, (text, commandLine, room) => {
    const kinds: readonly ChildKind[] = ['untitled', 'foreign', 'illegible']
    return (
      kinds.includes(childKind(text, { commandLine, room })) &&
      typeof childKind(`postgres: ${text}`, { commandLine, room }) === 'string'
    )
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})

t.test('a title of no known form is foreign unless it begins as one of ours does', async t => {
  for (const own of ['pg_cron launcher ', 'bgw_replstatus ', 'TimescaleDB Background Worker', '']) {
    for (const cluster of ['', 'main: ', 'startup: ']) {
      t.equal(isForeign(`postgres: ${cluster}${own}\0\0`), true, `${cluster}${own}`)
    }
  }
  for (const own of [
    'startup recov',
    'startup process   rec',
    'walreceiver strea',
    'checkpointer p',
  ]) {
    t.equal(isForeign(`postgres: ${own}`), false, own)
    t.equal(isForeign(`postgres: main: ${own}`), false, own)
  }
  t.equal(titleIn('postgres: startup \0\0rest'), 'postgres: startup ')
})
