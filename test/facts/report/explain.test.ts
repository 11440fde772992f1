import * as fc from 'fast-check'
import t from 'tap'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import { explain } from '../../../src/facts/report/explain.ts'
import { maintenanceOn } from '../../../src/facts/decide/maintenance-mode.ts'
import { underMaintenance } from '../../../src/facts/decide/snapshot.ts'
import { anyEvidence } from '../../harness/any-evidence.ts'
import {
  alive,
  children,
  controlFile,
  directory,
  lockFile,
  newerControlFile,
  noSignalFiles,
  noon,
  primaryEvidence,
  seen,
  snapshotOf,
  standbyChildren,
  standbyEvidence,
} from '../../harness/evidence.ts'
import { assertOneLine, bytesAsText } from '../../harness/foreign-text.ts'

t.test('the text for a healthy primary', async t => {
  t.strictSame(explain(snapshotOf(primaryEvidence())), [
    'primary: /pgdata',
    '',
    '  data directory  PostgreSQL 15',
    '  lock file       ready, pid 4711, port 5432                   written 59 min 0 s ago',
    '  postmaster      alive, identified by its working directory   started 1 h 0 min ago',
    '  children        checkpointer 4712, walwriter 4713',
    '  timeline        3',
    '  control file    in production, read directly                 written 1 min 0 s ago',
    '  checkpoint      3/28, redo from 3/0                          taken 1 min 0 s ago',
    '  system id       7395001122334455667',
    '  next start      as a primary (no signal file)',
    '',
    'because postmaster pid 4711 is ready and the cluster state is in production',
  ])
})

t.test('maintenance mode is in the first and the last line', async t => {
  const snapshot = snapshotOf(primaryEvidence())
  const lines = explain(underMaintenance(snapshot, maintenanceOn('new kernel')))
  t.strictSame(lines.slice(0, 4), [
    'unavailable: /pgdata',
    '',
    '  maintenance     new kernel',
    '  data directory  PostgreSQL 15',
  ])
  t.equal(lines.at(-1), 'because new kernel')
  t.strictSame(lines.slice(3, -1), explain(snapshot).slice(2, -1))
})

t.test('hazards come last, as warnings', async t => {
  const hazard = { name: 'next start fails', warning: 'the next start will fail' } as const
  const lines = explain(snapshotOf(primaryEvidence(), { hazards: [hazard] }))
  t.equal(lines.at(-1), 'warning: the next start will fail')
})

t.test('a promotion that has removed the signal file is reported', async t => {
  const without = standbyEvidence({ signalFiles: noSignalFiles, promotion: 'none' })
  const promoted = standbyEvidence({ signalFiles: noSignalFiles, promotion: 'under way' })
  const line = '  promotion       under way: pg_wal has the first segment of a new timeline'
  t.notOk(explain(snapshotOf(without)).includes(line))
  t.ok(explain(snapshotOf(promoted)).includes(line))
})

t.test('a standby has a line on its replication', async t => {
  const line = (changes: Partial<Evidence>): string | undefined =>
    explain(snapshotOf(standbyEvidence(changes))).find(each => each.startsWith('  replication '))
  t.equal(
    line({}),
    '  replication     streaming, received up to 0/3000148, in replay 000000010000000000000003',
  )
  const silent = { ...standbyChildren(), walreceiver: null }
  t.equal(
    line({ children: silent }),
    '  replication     not connected, in replay 000000010000000000000003',
  )
  t.equal(line({ children: { kind: 'invisible' } }), '  replication     unknown')
})

/** The line with this label, single-spaced. */
const lineOf = (label: string, changes: Partial<Evidence>): string =>
  explain(snapshotOf(primaryEvidence(changes)))
    .map(line => line.trim().replaceAll(/ +/g, ' '))
    .filter(line => line.startsWith(label))
    .join('\n')

const faulty = <Fault>(fault: Fault) => ({ kind: 'invalid', fault, modified: noon }) as const

type Case = readonly [label: string, changes: Partial<Evidence>, line: string | RegExp]
const cases: readonly Case[] = [
  ['unavailable', { lockFile: { kind: 'absent' } }, 'unavailable: /pgdata'],
  ['data directory', { directory: { kind: 'absent' } }, 'data directory does not exist'],
  [
    'data directory',
    { directory: { kind: 'not a directory' } },
    'data directory is not a directory',
  ],
  [
    'data directory',
    { directory: { kind: 'unreadable', code: 'EACCES', owner: 1 } },
    'data directory could not be read (EACCES)',
  ],
  ['data directory', { directory: directory(null) }, 'data directory no valid PG_VERSION'],
  ['lock file', { lockFile: { kind: 'absent' } }, 'lock file no postmaster.pid'],
  [
    'lock file',
    { lockFile: { kind: 'unreadable', code: 'EIO' } },
    'lock file postmaster.pid could not be read (EIO)',
  ],
  ['lock file', { lockFile: faulty({ kind: 'empty' }) }, /^lock file .*empty.* written 0 ms ago$/],
  [
    'lock file',
    { lockFile: seen(lockFile({ singleUser: true, status: null, port: null }), noon) },
    'lock file no status line, single-user backend pid 4711 written 0 ms ago',
  ],
  ['postmaster', { postmaster: { kind: 'not checked' } }, 'postmaster no PID to check'],
  ['postmaster', { postmaster: { kind: 'gone' } }, 'postmaster no such process'],
  ['postmaster', { postmaster: { kind: 'zombie' } }, 'postmaster a zombie'],
  [
    'postmaster',
    { postmaster: { kind: 'stopped', by: 'signal' } },
    'postmaster stopped by a signal',
  ],
  [
    'postmaster',
    { postmaster: { kind: 'stopped', by: 'tracer' } },
    'postmaster stopped by a debugger',
  ],
  [
    'postmaster',
    { postmaster: { kind: 'stopped', by: 'freezer' } },
    'postmaster frozen by its control group',
  ],
  [
    'postmaster',
    { postmaster: { kind: 'not the postmaster', because: 'it is sshd' } },
    'postmaster not the postmaster: it is sshd',
  ],
  ['postmaster', { postmaster: { kind: 'invisible' } }, 'postmaster not visible in /proc'],
  [
    'postmaster',
    { postmaster: { kind: 'signal 0', createdSharedMemory: false } },
    /^postmaster answers signal 0; without \/proc/,
  ],
  [
    'postmaster',
    { postmaster: { kind: 'signal 0', createdSharedMemory: true } },
    'postmaster not visible in /proc, but answers signal 0 and created the shared memory of the lock file',
  ],
  [
    'postmaster',
    { postmaster: { ...alive, how: 'command line' } },
    'postmaster alive, identified by its command line started 1 h 0 min ago',
  ],
  ['children', { children: { kind: 'not checked' } }, 'children not checked'],
  ['children', { children: { kind: 'invisible' } }, /^children not visible: /],
  [
    'children',
    { children: children({ checkpointer: null, walwriter: null }) },
    'children no relevant process',
  ],
  [
    'children',
    { children: children({ titlesIncomplete: true }) },
    'children checkpointer 4712, walwriter 4713; some titles could not be read',
  ],
  [
    'children',
    { children: children({ checkpointer: null, walwriter: null, titlesIncomplete: true }) },
    'children no relevant process; some titles could not be read',
  ],
  ['control file', { controlCheck: 'off' }, 'control file not checked (--control-check off)'],
  [
    'control file',
    { controlCheck: 'pg_controldata' },
    /^control file in production, as reported by pg_controldata written/,
  ],
  ['control file', { controlFile: { kind: 'absent' } }, 'control file no global/pg_control'],
  [
    'control file',
    { controlFile: { kind: 'unreadable', code: 'EIO' } },
    'control file global/pg_control could not be read (EIO)',
  ],
  [
    'control file',
    { controlFile: faulty({ source: 'native', fault: { kind: 'wrong byte order' } } as const) },
    /^control file global\/pg_control: .*byte order.* written 0 ms ago$/,
  ],
  [
    'next start',
    { signalFiles: { ...noSignalFiles, standbySignal: true } },
    'next start as a standby (standby.signal)',
  ],
  [
    'next start',
    { signalFiles: { ...noSignalFiles, recoverySignal: true } },
    'next start archive recovery, then a primary (recovery.signal)',
  ],
  [
    'next start',
    {
      directory: directory('11'),
      signalFiles: { ...noSignalFiles, recoveryConf: { standbyMode: true } },
    },
    'next start as a standby (recovery.conf)',
  ],
  [
    'next start',
    { signalFiles: { ...noSignalFiles, recoveryConf: { standbyMode: true } } },
    /^next start will fail/,
  ],
]

t.test('whatever was found, or could not be, is described in words', async t => {
  for (const [label, changes, line] of cases) t.match(lineOf(label, changes), line)
})

t.test('whatever was found, none of it breaks out of its line', async t => {
  const property = fc.property(anyEvidence, bytesAsText(20), (evidence, path) => {
    const lines = explain(snapshotOf({ ...evidence, path: `/${path}` }))
    lines.filter(line => line !== '').forEach(assertOneLine)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('a standby names its startup process and its WAL receiver', async t => {
  const lines = explain(snapshotOf(standbyEvidence()))
  t.equal(lines[0], 'standby: /pgdata')
  t.match(lines[5], /children +startup 4714, checkpointer 4712, walreceiver 4715$/)
})

t.test('the control file of a standby shows where it is', async t => {
  t.match(
    lineOf('control file', { controlFile: seen(controlFile({ state: 'shut down' })) }),
    /shut down/,
  )
})

t.test('of a newer version than is known, timeline and checkpoint are unknown', async t => {
  const newer = { controlFile: seen(newerControlFile()) }
  t.match(lineOf('control file', newer), /in production, read directly/)
  t.match(lineOf('timeline', newer), /timeline +unknown$/)
  t.match(lineOf('checkpoint', newer), /checkpoint +unknown$/)
  t.match(lineOf('system id', newer), /7395001122334455667/)
})
