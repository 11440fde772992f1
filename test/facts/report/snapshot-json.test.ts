import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import { maintenanceOn } from '../../../src/facts/decide/maintenance-mode.ts'
import { underMaintenance } from '../../../src/facts/decide/snapshot.ts'
import {
  printJson,
  snapshotDocument,
  snapshotJson,
} from '../../../src/facts/report/snapshot-json.ts'
import type { Lsn, UnixSeconds } from '../../../src/facts/units.ts'
import { promoted, timelineHistory } from '../../harness/timelines.ts'
import { anyEvidence } from '../../harness/any-evidence.ts'
import { anyText, assertPrintable } from '../../harness/foreign-text.ts'
import {
  alive,
  child,
  children,
  controlFile,
  lockFile,
  newerControlFile,
  noon,
  primaryEvidence,
  seen,
  snapshotOf,
  standbyChildren,
  standbyEvidence,
} from '../../harness/evidence.ts'

t.test('the document is the same, indented, and ends with a line feed', async t => {
  const snapshot = snapshotOf(primaryEvidence())
  t.strictSame(JSON.parse(snapshotDocument(snapshot)), snapshotJson(snapshot))
  t.match(snapshotDocument(snapshot), /^\{\n {2}"verdict": "primary",\n[^]*\n\}\n$/)
})

t.test('a primary in good health, field by field', async t => {
  const hazards = [{ name: 'next start fails', warning: 'it will' }] as const
  t.strictSame(snapshotJson(snapshotOf(primaryEvidence(), { hazards })), {
    verdict: 'primary',
    rule: 'in production',
    because: 'postmaster pid 4711 is ready and the cluster state is in production',
    settled: true,
    maintenance: null,
    hazards: [{ name: 'next start fails', warning: 'it will' }],
    checked_at: '2026-01-01T12:00:00.000Z',
    check_ms: 0.432,
    data_directory: { path: '/pgdata', found: 'present', version: '15', owner_uid: 101 },
    lock_file: {
      found: 'present',
      written_at: '2026-01-01T11:01:00.000Z',
      pid: 4711,
      single_user: false,
      started_at: '2026-01-01T11:00:00.000Z',
      port: 5432,
      socket_directory: '/run/postgresql',
      listen_address: '*',
      shared_memory_id: 7,
      status: 'ready',
    },
    postmaster: {
      found: 'alive',
      identified_by: 'working directory',
      started_at: '2026-01-01T11:00:00.000Z',
    },
    children: {
      found: 'present',
      startup: null,
      checkpointer: {
        pid: 4712,
        started_at: '2026-01-01T11:00:00.010Z',
        title: 'postgres: checkpointer',
      },
      walwriter: {
        pid: 4713,
        started_at: '2026-01-01T11:00:00.010Z',
        title: 'postgres: walwriter',
      },
      walreceiver: null,
      titles_incomplete: false,
    },
    control_file: {
      source: 'native',
      found: 'present',
      written_at: '2026-01-01T11:59:00.000Z',
      state: 'in production',
      timeline: 3,
      system_identifier: '7395001122334455667',
      control_version: 1300,
      catalog_version: 202_209_061,
      modified_at: '2026-01-01T11:59:00.000Z',
      checkpoint: '3/28',
      checkpoint_redo: '3/0',
      checkpoint_timeline: 3,
      checkpoint_at: '2026-01-01T11:59:00.000Z',
      min_recovery_point: '0/0',
      min_recovery_timeline: 0,
    },
    replication: null,
    timeline_history: null,
    wal_position: null,
    lag_bytes: null,
    daemon: null,
    promotion: 'not checked',
    next_start: 'primary',
    signal_files: {
      standby_signal: false,
      recovery_signal: false,
      recovery_conf: false,
      backup_label: false,
    },
  })
})

t.test('under maintenance the verdict is overruled, and the evidence is not', async t => {
  const snapshot = underMaintenance(snapshotOf(primaryEvidence()), maintenanceOn('new kernel'))
  t.match(snapshotJson(snapshot), {
    verdict: 'unavailable',
    rule: 'maintenance',
    because: 'new kernel',
    settled: true,
    maintenance: 'new kernel',
    control_file: { state: 'in production' },
  })
})

t.test('a standby, and a server that does not serve', async t => {
  t.match(snapshotJson(snapshotOf(standbyEvidence())), {
    verdict: 'standby',
    children: { startup: { pid: 4714 } },
    replication: {
      state: 'streaming',
      receive_lsn: '0/3000148',
      replay_segment: '000000010000000000000003',
    },
  })
  const startup = child('startup recovering 000000040000000000000003', 4714)
  const followed = standbyEvidence({ children: { ...standbyChildren(), startup } })
  t.match(snapshotJson(snapshotOf(followed)), {
    control_file: { timeline: 4, checkpoint_timeline: 3 },
  })
  const down = primaryEvidence({ lockFile: { kind: 'absent' } })
  t.match(snapshotJson(snapshotOf(down)), { verdict: 'unavailable', rule: 'no lock file' })
  const alone = standbyEvidence({ children: { ...standbyChildren(), walreceiver: null } })
  t.match(snapshotJson(snapshotOf(alone)), {
    replication: { state: 'not connected', receive_lsn: null },
  })
})

const faulty = <Fault>(fault: Fault) => ({ kind: 'invalid', fault, modified: noon }) as const

type Case = readonly [field: string, changes: Partial<Evidence>, value: unknown]
const cases: readonly Case[] = [
  [
    'data_directory',
    { directory: { kind: 'absent' } },
    { found: 'absent', version: null, owner_uid: null },
  ],
  [
    'data_directory',
    { directory: { kind: 'unreadable', code: 'EACCES', owner: 7 } },
    { found: 'unreadable', owner_uid: 7 },
  ],
  ['lock_file', { lockFile: { kind: 'absent' } }, { found: 'absent' }],
  [
    'lock_file',
    { lockFile: { kind: 'unreadable', code: 'EIO' } },
    { found: 'unreadable', error: 'EIO' },
  ],
  ['lock_file', { lockFile: faulty({ kind: 'empty' }) }, { found: 'invalid', error: 'empty' }],
  [
    'lock_file',
    { lockFile: seen(lockFile({ startTime: null, sharedMemory: null, status: null })) },
    { started_at: null, shared_memory_id: null, status: null },
  ],
  ...(['not checked', 'gone', 'zombie', 'invisible'] as const).map((kind): Case => [
    'postmaster',
    { postmaster: { kind } },
    { found: kind },
  ]),
  [
    'postmaster',
    { postmaster: { kind: 'signal 0', createdSharedMemory: true } },
    { found: 'signal 0' },
  ],
  ...(['shared memory', 'command line', 'name and start time'] as const).map((how): Case => [
    'postmaster',
    { postmaster: { ...alive, how } },
    { found: 'alive', identified_by: how },
  ]),
  [
    'postmaster',
    { postmaster: { kind: 'not the postmaster', because: 'it is sshd' } },
    { found: 'not the postmaster', because: 'it is sshd' },
  ],
  [
    'postmaster',
    { postmaster: { kind: 'stopped', by: 'tracer' } },
    { found: 'stopped', by: 'tracer' },
  ],
  ['children', { children: { kind: 'invisible' } }, { found: 'invisible' }],
  ['children', { children: children({ checkpointer: null }) }, { checkpointer: null }],
  [
    'children',
    { children: children({ titlesIncomplete: true }) },
    { found: 'present', titles_incomplete: true },
  ],
  ['control_file', { controlCheck: 'off' }, { source: 'off', found: 'not checked' }],
  ['control_file', { controlFile: { kind: 'absent' } }, { source: 'native', found: 'absent' }],
  [
    'control_file',
    { controlFile: { kind: 'unreadable', code: 'EIO' } },
    { found: 'unreadable', error: 'EIO' },
  ],
  [
    'control_file',
    { controlFile: faulty({ source: 'native', fault: { kind: 'wrong byte order' } } as const) },
    { found: 'invalid', error: 'wrong byte order', written_at: '2026-01-01T12:00:00.000Z' },
  ],
  [
    'control_file',
    { controlFile: seen(controlFile({ checkpointTime: 9e15 as UnixSeconds })) },
    { checkpoint_at: null },
  ],
  [
    'control_file',
    { controlFile: seen(newerControlFile()) },
    {
      found: 'present',
      state: 'in production',
      timeline: null,
      system_identifier: '7395001122334455667',
      control_version: 9900,
      catalog_version: 209_901_011,
      modified_at: null,
      checkpoint: null,
      checkpoint_redo: null,
      checkpoint_timeline: null,
      checkpoint_at: null,
      min_recovery_point: null,
      min_recovery_timeline: null,
    },
  ],
]

t.test('what was not seen is named or null, never left to be guessed', async t => {
  for (const [field, changes, value] of cases) {
    t.match(snapshotJson(snapshotOf(primaryEvidence(changes)))[field], value, field)
  }
})

t.test('whatever was found, nothing of it is lost on the way to a program', async t => {
  const property = fc.property(anyEvidence, evidence => {
    const json = snapshotJson(snapshotOf(evidence))
    assert.deepStrictEqual(JSON.parse(JSON.stringify(json)), json)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('nor does any of it act on a terminal, or end a line', async t => {
  const property = fc.property(anyEvidence, anyText, (evidence, text) => {
    const snapshot = snapshotOf({ ...evidence, path: `/${text}` })
    const document = snapshotDocument(snapshot)
    assertPrintable(document)
    assert.deepStrictEqual(JSON.parse(document), snapshotJson(snapshot))
    const lines = printJson({ [text]: text }).split('\n')
    assert.equal(lines.length, 4, 'nothing is a line feed but between values')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('positions are text, and the lag is a number', async t => {
  const history = promoted(promoted(timelineHistory(1), 0x300_0148n), 0x16_b374_d848n)
  const evidence = standbyEvidence({
    timelineHistory: { kind: 'present', fact: history },
    walPosition: 0x16_b374_e000n as Lsn,
  })
  t.match(snapshotJson(snapshotOf(evidence), { lag: 8192 }), {
    timeline_history: [
      { timeline: 1, switched_at: '0/3000148' },
      { timeline: 2, switched_at: '16/B374D848' },
    ],
    wal_position: '16/B374E000',
    lag_bytes: 8192,
  })
})
