/**
 * The metrics for Prometheus: a plain record in, text out.
 *
 * All names begin with the prefix below, and values are in base units. A state has a series for
 * each possible value, one of which is 1. An unknown value is left out, which is not the same as 0.
 */
import { timelineOf } from '../../facts/decide/reason.ts'
import type { Hazard } from '../../facts/decide/hazards.ts'
import { rows } from '../../facts/decide/rules.ts'
import type { Snapshot } from '../../facts/decide/snapshot.ts'
import { replicationOf, replicationStates } from '../../facts/decide/streaming.ts'
import type { MonotonicMs, UnixMs } from '../../facts/units.ts'
import { answerOf, type Overruling, type Verdict } from '../../facts/decide/verdict.ts'
import type { ConnectionCounters } from '../role/answering.ts'
import type { LossCounters } from '../lost-connections.ts'
import { printFamilies, type Family, type Sample } from './prometheus-text.ts'
import { wireWords } from '../role/reply.ts'
import type { CounterValues } from '../counters.ts'

export type MetricsRecord = {
  readonly version: string
  readonly verdict: Verdict
  /** Null before the first look. */
  readonly snapshot: Snapshot | null
  /** Of a standby, in bytes; null if it is unknown. */
  readonly lag: number | null
  readonly now: MonotonicMs
  readonly leaseMs: number
  readonly counters: CounterValues
  /** Of each listener that reports the role. */
  readonly connections: readonly ConnectionCounters[]
  /** Null for plain HTTP. */
  readonly certificateExpiresAt: UnixMs | null
  /** Of each HTTP listener. */
  readonly http: readonly LossCounters[]
}

export const printMetrics = (record: MetricsRecord): string =>
  printFamilies([
    ...verdictFamilies(record),
    ...checkFamilies(record),
    ...serverFamilies(record),
    ...clientFamilies(record),
    gauge(
      'http_certificate_expiry_time_seconds',
      'Expiry time of the HTTP certificate, in seconds since 1970.',
      known(record.certificateExpiresAt === null ? null : record.certificateExpiresAt / 1000),
    ),
    gauge('build_info', 'Always 1; the version of pg-replstatus is a label.', [
      { labels: { version: record.version }, value: 1 },
    ]),
  ])

const prefix = 'pg_replstatus_'

const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name: prefix + name,
  help,
  type: 'gauge',
  samples,
})

const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name: `${prefix}${name}_total`,
  help,
  type: 'counter',
  samples,
})

/** Empty if the value is unknown. */
const known = (value: number | bigint | null): readonly Sample[] =>
  value === null ? [] : [{ value }]

/** A series for each name, 1 for those that apply. */
const flags = (
  label: string,
  names: readonly string[],
  applying: readonly string[],
): readonly Sample[] =>
  names.map(name => ({ labels: { [label]: name }, value: applying.includes(name) ? 1 : 0 }))

const roles = Object.keys(wireWords)

/** As objects, the compiler notices when a name is missing. */
const overrulings: Readonly<Record<Overruling, true>> = {
  'not yet checked': true,
  'lease expired': true,
  'server process gone': true,
  maintenance: true,
  superseded: true,
  'asking peers': true,
}
const hazardNames: Readonly<Record<Hazard['name'], true>> = {
  'standby without signal file': true,
  'primary with standby request': true,
  'primary with recovery request': true,
  'next start fails': true,
  'primary with backup_label': true,
  'unknown control version': true,
  'another primary': true,
  superseded: true,
}

const reasons: readonly string[] = [
  ...rows.filter(({ answer }) => answer === 'unavailable').map(({ rule }) => rule),
  'contradiction',
  ...Object.keys(overrulings),
]

const verdictFamilies = ({ verdict, snapshot, counters }: MetricsRecord): readonly Family[] => {
  const role = answerOf(verdict)
  const reason = verdict.kind === 'available' ? [] : [verdict.rule]
  const hazards = snapshot?.hazards.map(({ name }) => name) ?? []
  return [
    gauge(
      'role',
      'Current answer: 1 for that role, 0 for the others.',
      flags('role', roles, [role]),
    ),
    gauge(
      'unavailable_reason',
      'Why there is no role: 1 for the rule that decided.',
      flags('reason', reasons, reason),
    ),
    counter('role_changes', 'Changes of the answer.', [{ value: counters.roleChanges }]),
    gauge(
      'hazard',
      'Hazards, mostly of the next start: 1 for each that was found.',
      flags('hazard', Object.keys(hazardNames), hazards),
    ),
  ]
}

const checkFamilies = ({ snapshot, now, leaseMs, counters }: MetricsRecord) => [
  {
    name: `${prefix}check_duration_seconds`,
    help: 'Duration of checks of the server.',
    type: 'histogram',
    buckets: counters.checkBuckets,
    count: counters.checks,
    sum: counters.checkSeconds,
  } as const,
  gauge(
    'check_age_seconds',
    'Time since the last check began.',
    known(snapshot === null ? null : (now - snapshot.lookedAt) / 1000),
  ),
  gauge('lease_seconds', 'Maximum age of a result.', known(leaseMs / 1000)),
]

/** As found by the last check. */
const serverFamilies = ({ snapshot, lag }: MetricsRecord): readonly Family[] => {
  if (snapshot === null) return []
  const { path, directory, postmaster, controlFile } = snapshot.evidence
  const control = controlFile.kind === 'present' ? controlFile.fact : null
  const replication = replicationOf(snapshot.evidence)
  const version = directory.kind === 'present' ? directory.version : null
  return [
    gauge('cluster_info', 'Always 1; the labels identify the cluster.', [
      {
        labels: {
          data_directory: path,
          system_identifier: control === null ? '' : control.systemIdentifier.toString(),
          version: version ?? '',
        },
        value: 1,
      },
    ]),
    gauge('timeline', 'Timeline of the server.', known(timelineOf(snapshot.evidence))),
    gauge(
      'wal_position_bytes',
      'End of the write-ahead log, to a page: written by a primary, received by a standby.',
      known(snapshot.evidence.walPosition),
    ),
    gauge(
      'lag_bytes',
      'What the primary of the same timeline has written and this standby has not received.',
      known(lag),
    ),
    gauge(
      'postmaster_start_time_seconds',
      'Start time of the postmaster, in seconds since 1970.',
      known(postmaster.kind === 'alive' ? postmaster.startedAt / 1000 : null),
    ),
    gauge(
      'replication',
      'Replication of a standby: 1 for its state.',
      replication === null ? [] : flags('state', replicationStates, [replication.state]),
    ),
    gauge(
      'wal_receive_lsn_bytes',
      'Write-ahead log received by a streaming standby, as a position in bytes.',
      known(replication && replication.receiveLsn),
    ),
  ]
}

const clientFamilies = ({ connections, http }: MetricsRecord): readonly Family[] => {
  const sum = (of: keyof ConnectionCounters): number =>
    connections.reduce((total, counters) => total + counters[of], 0)
  const sumHttp = (of: keyof LossCounters): number =>
    http.reduce((total, counters) => total + counters[of], 0)
  const both = (of: keyof LossCounters): readonly Sample[] => [
    { labels: { listener: 'role' }, value: sum(of) },
    { labels: { listener: 'http' }, value: sumHttp(of) },
  ]
  const answers = ['primary', 'standby', 'unavailable', 'none'] as const
  return [
    counter(
      'answers',
      'Answered connections, by answer.',
      answers.map(answer => ({ labels: { answer }, value: sum(answer) })),
    ),
    counter('connections_reset', 'Connections that the client reset.', [{ value: sum('reset') }]),
    counter(
      'connections_cut_off',
      'Connections that the client did not close in time after the answer.',
      [{ value: sum('lingeringDestroyed') }],
    ),
    counter(
      'connections_dropped',
      'Connections closed for new ones at the limit.',
      both('dropped'),
    ),
    counter('connections_refused', 'Connections of clients that are not allowed.', both('refused')),
    counter('connections_failed', 'Connections that could not be accepted.', both('acceptFailed')),
  ]
}
