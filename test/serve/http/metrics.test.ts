import * as fc from 'fast-check'
import t from 'tap'
import { hazardsOf } from '../../../src/facts/decide/hazards.ts'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import { stampSnapshot, type Snapshot } from '../../../src/facts/decide/snapshot.ts'
import type { MonotonicMs, UnixMs } from '../../../src/facts/units.ts'
import { printMetrics, type MetricsRecord } from '../../../src/serve/http/metrics.ts'
import { createCounters } from '../../../src/serve/counters.ts'
import { anyEvidence } from '../../harness/any-evidence.ts'
import {
  newerControlFile,
  noSignalFiles,
  primaryEvidence,
  seen,
  snapshotOf,
  standbyEvidence,
} from '../../harness/evidence.ts'
import { connects } from '../../harness/connection-counters.ts'

const record = (
  snapshot: Snapshot | null,
  changes: Partial<MetricsRecord> = {},
): MetricsRecord => ({
  version: '1.2.3',
  verdict: snapshot?.verdict ?? {
    kind: 'unavailable',
    rule: 'not yet checked',
    because: 'the first check is not yet complete',
    settled: false,
  },
  snapshot,
  lag: null,
  now: 1250 as MonotonicMs,
  leaseMs: 1500,
  counters: createCounters().read(),
  certificateExpiresAt: null,
  connections: [connects],
  http: [{ dropped: 10, acceptFailed: 20, refused: 30 }],
  ...changes,
})

/** The samples by their names and labels, without the prefix. */
const samplesOf = (made: MetricsRecord): ReadonlyMap<string, string> =>
  new Map(
    printMetrics(made)
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
      .map(line => {
        const at = line.lastIndexOf(' ')
        return [line.slice('pg_replstatus_'.length, at), line.slice(at + 1)]
      }),
  )
const valuesOf = (evidence: Evidence | null, changes: Partial<MetricsRecord> = {}) =>
  samplesOf(record(evidence === null ? null : snapshotOf(evidence), changes))
/** Those of a family that are 1. */
const holding = (samples: ReadonlyMap<string, string>, family: string) =>
  [...samples]
    .filter(([name, value]) => name.startsWith(`${family}{`) && value === '1')
    .map(([name]) => /"(.*)"/.exec(name)?.[1])

t.test('a primary in good health', async t => {
  const samples = valuesOf(primaryEvidence())
  t.strictSame(holding(samples, 'role'), ['primary'])
  t.equal(samples.get('role{role="standby"}'), '0')
  t.equal(samples.get('role{role="unavailable"}'), '0')
  t.strictSame(holding(samples, 'unavailable_reason'), [])
  t.strictSame(holding(samples, 'hazard'), [])
  t.equal(samples.get('check_age_seconds'), '0.25')
  t.equal(samples.get('lease_seconds'), '1.5')
  t.equal(samples.get('timeline'), '3')
  t.equal(samples.get('postmaster_start_time_seconds'), '1767265200')
  const labels = 'data_directory="/pgdata",system_identifier="7395001122334455667",version="15"'
  t.equal(samples.get(`cluster_info{${labels}}`), '1')
  t.equal(samples.get('build_info{version="1.2.3"}'), '1')
  t.notOk(samples.has('wal_receive_lsn_bytes'))
  t.notOk(samples.has('replication{state="streaming"}'))
})

t.test('of a newer version than is known there is no timeline, but a hazard', async t => {
  const evidence = primaryEvidence({ controlFile: seen(newerControlFile()) })
  const hazards = hazardsOf('primary', evidence)
  const samples = samplesOf(record(snapshotOf(evidence, { hazards })))
  t.strictSame(holding(samples, 'role'), ['primary'])
  t.strictSame(holding(samples, 'hazard'), ['unknown control version'])
  t.notOk(samples.has('timeline'))
  t.ok([...samples.keys()].some(name => name.includes('system_identifier="7395001122334455667"')))
})

t.test('a standby has the position up to which it has received', async t => {
  const samples = valuesOf(standbyEvidence())
  t.strictSame(holding(samples, 'role'), ['standby'])
  t.equal(samples.get('wal_receive_lsn_bytes'), String(0x3000148))
  t.strictSame(holding(samples, 'replication'), ['streaming'])
  t.equal(samples.get('replication{state="catching up"}'), '0')
})

t.test('the reason of being unavailable is a series of its own', async t => {
  const down = valuesOf(primaryEvidence({ lockFile: { kind: 'absent' } }))
  t.strictSame(holding(down, 'role'), ['unavailable'])
  t.strictSame(holding(down, 'unavailable_reason'), ['no lock file'])
  t.strictSame(holding(valuesOf(null), 'unavailable_reason'), ['not yet checked'])
})

t.test('a rule that overrules the last check is reported', async t => {
  const samples = valuesOf(primaryEvidence(), {
    verdict: {
      kind: 'unavailable',
      rule: 'server process gone',
      because: 'it is gone',
      settled: false,
    },
  })
  t.strictSame(holding(samples, 'role'), ['unavailable'])
  t.strictSame(holding(samples, 'unavailable_reason'), ['server process gone'])
  t.equal(samples.get('timeline'), '3')
})

t.test('hazards hold by their names', async t => {
  const evidence = standbyEvidence({ signalFiles: noSignalFiles })
  const hazards = hazardsOf('standby', evidence)
  const samples = samplesOf(record(snapshotOf(evidence, { hazards })))
  t.strictSame(holding(samples, 'hazard'), ['standby without signal file'])
  t.equal(samples.get('hazard{hazard="next start fails"}'), '0')
})

t.test('what is not known is left out', async t => {
  const absent = { kind: 'absent' } as const
  const samples = valuesOf(
    primaryEvidence({
      directory: absent,
      postmaster: { kind: 'not checked' },
      controlFile: absent,
      children: { kind: 'not checked' },
    }),
  )
  for (const name of ['timeline', 'postmaster_start_time_seconds', 'wal_receive_lsn_bytes']) {
    t.notOk(samples.has(name), name)
  }
  t.equal(
    samples.get('cluster_info{data_directory="/pgdata",system_identifier="",version=""}'),
    '1',
  )
  const none = valuesOf(null)
  t.notOk(none.has('check_age_seconds'))
  t.notOk([...none.keys()].some(name => name.startsWith('cluster_info')))
})

t.test('counters of all listeners are added up', async t => {
  const samples = valuesOf(primaryEvidence(), {
    connections: [connects, connects],
    http: [],
  })
  const expected = {
    'answers_total{answer="primary"}': 2,
    'answers_total{answer="standby"}': 4,
    'answers_total{answer="unavailable"}': 6,
    'answers_total{answer="none"}': 8,
    'connections_dropped_total{listener="role"}': 10,
    'connections_failed_total{listener="role"}': 12,
    'connections_refused_total{listener="role"}': 18,
    connections_reset_total: 14,
    connections_cut_off_total: 16,
    'connections_dropped_total{listener="http"}': 0,
  }
  for (const [name, value] of Object.entries(expected)) {
    t.equal(samples.get(name), String(value), name)
  }
  const http = valuesOf(primaryEvidence())
  t.equal(http.get('connections_dropped_total{listener="http"}'), '10')
  t.equal(http.get('connections_failed_total{listener="http"}'), '20')
})

t.test('checks and changes of role are as they were counted', async t => {
  const counters = createCounters()
  counters.follow({ kind: 'unavailable' }, { lookMs: 2, lookedAt: 0 as MonotonicMs })
  counters.follow(
    { kind: 'available', role: 'primary' },
    { lookMs: 2, lookedAt: 500 as MonotonicMs },
  )
  const samples = valuesOf(primaryEvidence(), { counters: counters.read() })
  t.equal(samples.get('role_changes_total'), '1')
  t.equal(samples.get('check_duration_seconds_count'), '2')
  t.equal(samples.get('check_duration_seconds_sum'), '0.004')
  t.equal(samples.get('check_duration_seconds_bucket{le="0.001"}'), '0')
  t.equal(samples.get('check_duration_seconds_bucket{le="+Inf"}'), '2')
})

t.test('whatever is seen, exactly one role holds, with a reason if it is none', async () => {
  const line = /^pg_replstatus_[a-z_]+(?:\{[a-z_]+="[^\n]*"\})? [-+\dA-Za-z.]+$/
  fc.assert(
    fc.property(anyEvidence, evidence => {
      const { lookedAt, lookedAtUnix, lookMs } = snapshotOf(primaryEvidence())
      const made = record(stampSnapshot(evidence, { lookedAt, lookedAtUnix, lookMs }))
      const samples = samplesOf(made)
      const [role, ...others] = holding(samples, 'role')
      const reasons = holding(samples, 'unavailable_reason')
      const lines = printMetrics(made).trimEnd().split('\n')
      const helps = lines.filter(one => one.startsWith('# HELP')).map(one => one.split(' ')[2])
      return (
        others.length === 0 &&
        reasons.length === (role === 'unavailable' ? 1 : 0) &&
        new Set(helps).size === helps.length &&
        lines.every(one => one.startsWith('# ') || line.test(one))
      )
    }),
  )
})

t.test('the expiry of a certificate is reported if there is one', async t => {
  const name = 'http_certificate_expiry_time_seconds'
  t.equal(valuesOf(null).get(name), undefined)
  const certificateExpiresAt = 1_800_000_000_000 as UnixMs
  t.equal(valuesOf(null, { certificateExpiresAt }).get(name), '1800000000')
})
