import * as fc from 'fast-check'
import t from 'tap'
import { childKind, isForeign, titleIn, type ChildKind } from '../../src/facts/child-title.ts'
import { anyText } from '../harness/foreign-text.ts'

const wal = '000000010000000A000000FF'

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
    'walsender replicator 10.0.0.7(40122) streaming 0/3000060',
    // Backends at work and in login.
    'app appdb 10.0.0.7(40122) idle',
    'app appdb 10.0.0.7(40122) startup',
    'app appdb ::1(40122) startup',
    'app appdb [local] startup',
    'app appdb [local] startup waiting',
    'app appdb [local] SELECT waiting',
    'app appdb [local] ',
    // Users and databases with the names of processes.
    'startup appdb [local] idle',
    'startup startup [local] startup',
    'startup appdb [local] startup',
    'startup recovering [local] idle',
    `startup recovering ${wal} [local] idle`,
    'app: startup appdb [local] startup',
    'app appdb: startup [local] ',
    'walwriter appdb [local] idle',
    'walwriter walwriter [local] startup',
    'checkpointer appdb 10.0.0.7(40122) idle',
    'checkpointer performing [local] idle',
    'walreceiver streaming 10.0.0.7(40122) idle',
    // The label of a backup is the client's choice, and its title ends after 49 characters of it.
    `walsender replicator [local] sending backup "${'x'.repeat(22)}: startup `,
    'logger ',
    'walsummarizer ',
    'slotsync worker streaming',
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
    t.equal(childKind(`postgres: ${title}`), kind, JSON.stringify(title))
  }
  t.end()
})

t.test('what the title leaves over of the command line is NUL', t => {
  for (const { kind, title } of spellings) {
    t.equal(childKind(`postgres: ${title}${'\0'.repeat(40)}`), kind, JSON.stringify(title))
  }
  t.equal(childKind('postgres: startup \0walwriter \0'), 'startup')
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

t.test('the name of the cluster may stand before, whatever it is', t => {
  for (const name of clusterNames) {
    for (const { kind, title } of spellings) {
      t.equal(childKind(`postgres: ${name}: ${title}`), kind, JSON.stringify([name, title]))
    }
  }
  t.end()
})

t.test('so may any name that the server lets a cluster have', t => {
  // check_cluster_name() in guc.c leaves printable ASCII, of which 63 characters are kept.
  const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 63 })
  const property = fc.property(name, fc.constantFrom(...spellings), (name, { kind, title }) => {
    return childKind(`postgres: ${name}: ${title}`) === kind
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
  t.end()
})

t.test('who does not begin with the mark of a title has none yet', t => {
  const commandLines = [
    '',
    '\0',
    '/usr/lib/postgresql/15/bin/postgres\0-D\0/var/lib/postgresql/15/main\0',
    'postgres\0-D\0/data\0',
    'postgres',
    'postgres:',
    'postgres:\0 startup ',
    '/bin/postgres: startup ',
    ' postgres: startup ',
    'postmaster: startup ',
    'sh\0-c\0echo postgres: startup \0',
  ]
  for (const line of commandLines) t.equal(childKind(line), 'untitled', JSON.stringify(line))
  t.end()
})

t.test('no user and no database make a backend look like a process of the server', t => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.constantFrom('startup', 'walwriter ', ': startup ', 'recovering', wal, 'x: checkpointer'),
  )
  const host = fc.constantFrom('[local]', '10.0.0.7(40122)', 'fe80::1(40122)', 'db.example(1)')
  const activity = fc.constantFrom(
    '',
    'startup',
    'idle',
    'authentication',
    'SELECT',
    'COPY waiting',
  )
  const backend = fc.tuple(name, name, host, activity)
  const property = fc.property(backend, words => {
    return ['other', 'untitled', 'unclear'].includes(childKind(`postgres: ${words.join(' ')}`))
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})

t.test('no command line makes it throw', t => {
  const property = fc.property(anyText, text => {
    return childKind(text) === 'untitled' && typeof childKind(`postgres: ${text}`) === 'string'
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
