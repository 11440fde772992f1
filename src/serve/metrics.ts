/**
 * What Prometheus is told: a plain record in, text out.
 *
 * Names are ours alone, in base units. What is one of several has a series for each, of which one
 * is 1: a graph over time shows the role without a legend of numbers. What is not known is left
 * out, which is not the same as 0.
 */
import { timelineOf } from '../facts/because.ts'
import type { Hazard } from '../facts/hazards.ts'
import { rows } from '../facts/rules.ts'
import type { Snapshot } from '../facts/snapshot.ts'
import { replicationOf, type ReplicationState } from '../facts/streaming.ts'
import type { MonotonicMs } from '../facts/units.ts'
import { answerOf, type Overruling, type Verdict } from '../facts/verdict.ts'
import type { ConnectCounters } from './answering.ts'
import type { LossCounters } from './losses.ts'
import { printFamilies, type Family, type Sample } from './prometheus-text.ts'
import { wireWords } from './reply.ts'
import type { TallyReading } from './tally.ts'

export type MetricsRecord = {
  readonly version: string
  readonly verdict: Verdict
  /** Null before the first look. */
  readonly snapshot: Snapshot | null
  readonly now: MonotonicMs
  readonly leaseMs: number
  readonly tally: TallyReading
  /** Of each listener that tells the role. */
  readonly connects: readonly ConnectCounters[]
  /** Of each that speaks HTTP. */
  readonly http: readonly LossCounters[]
}

export const printMetrics = (record: MetricsRecord): string =>
  printFamilies([
    ...verdictFamilies(record),
    ...lookFamilies(record),
    ...serverFamilies(record.snapshot),
    ...clientFamilies(record),
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

/** None for what is not known. */
const known = (value: number | bigint | null): readonly Sample[] =>
  value === null ? [] : [{ value }]

/** A series for each name, 1 for those that hold. */
const flags = (
  label: string,
  names: readonly string[],
  holding: readonly string[],
): readonly Sample[] =>
  names.map(name => ({ labels: { [label]: name }, value: holding.includes(name) ? 1 : 0 }))

const roles = Object.keys(wireWords)

/** Objects, so that the compiler misses a new name. */
const overrulings: Readonly<Record<Overruling, true>> = {
  'not looked yet': true,
  'lease expired': true,
  'pulse lost': true,
  maintenance: true,
}
const hazardNames: Readonly<Record<Hazard['name'], true>> = {
  'standby without signal file': true,
  'primary with standby request': true,
  'primary with recovery request': true,
  'next start fails': true,
  'primary with backup_label': true,
  'unknown control version': true,
}

const replicationStates: readonly ReplicationState[] = [
  'streaming',
  'catching up',
  'not connected',
  'unknown',
]

const reasons: readonly string[] = [
  ...rows.filter(({ says }) => says === 'unavailable').map(({ rule }) => rule),
  'contradiction',
  ...Object.keys(overrulings),
]

const verdictFamilies = ({ verdict, snapshot, tally }: MetricsRecord): readonly Family[] => {
  const role = answerOf(verdict)
  const reason = verdict.kind === 'available' ? [] : [verdict.rule]
  const hazards = snapshot?.hazards.map(({ name }) => name) ?? []
  return [
    gauge(
      'role',
      'What is answered now: 1 for that role, 0 for the others.',
      flags('role', roles, [role]),
    ),
    gauge(
      'unavailable_reason',
      'Why there is no role to tell: 1 for the rule that decided.',
      flags('reason', reasons, reason),
    ),
    counter('role_changes', 'Changes of what is answered.', [{ value: tally.roleChanges }]),
    gauge(
      'hazard',
      'What would go wrong at the next start, or is not known: 1 for each that is seen.',
      flags('hazard', Object.keys(hazardNames), hazards),
    ),
  ]
}

const lookFamilies = ({ snapshot, now, leaseMs, tally }: MetricsRecord) => [
  {
    name: `${prefix}look_duration_seconds`,
    help: 'How long looks at the server took.',
    type: 'histogram',
    buckets: tally.lookBuckets,
    count: tally.looks,
    sum: tally.lookSeconds,
  } as const,
  gauge(
    'look_age_seconds',
    'Time since the last look began.',
    known(snapshot === null ? null : (now - snapshot.lookedAt) / 1000),
  ),
  gauge('lease_seconds', 'The age up to which a look is believed.', known(leaseMs / 1000)),
]

/** As the last look saw it. */
const serverFamilies = (snapshot: Snapshot | null): readonly Family[] => {
  if (snapshot === null) return []
  const { path, directory, postmaster, controlFile } = snapshot.evidence
  const control = controlFile.kind === 'seen' ? controlFile.fact : null
  const replication = replicationOf(snapshot.evidence)
  const version = directory.kind === 'seen' ? directory.version : null
  return [
    gauge('cluster_info', 'Always 1; what is known of the cluster is in labels.', [
      {
        labels: {
          data_directory: path,
          system_identifier: control === null ? '' : control.systemIdentifier.toString(),
          version: version ?? '',
        },
        value: 1,
      },
    ]),
    gauge('timeline', 'The timeline of the server.', known(timelineOf(snapshot.evidence))),
    gauge(
      'postmaster_start_time_seconds',
      'When the postmaster started, since 1970.',
      known(postmaster.kind === 'alive' ? postmaster.startedAt / 1000 : null),
    ),
    gauge(
      'replication',
      'Whether a standby streams: 1 for its state.',
      replication === null ? [] : flags('state', replicationStates, [replication.state]),
    ),
    gauge(
      'wal_receive_lsn_bytes',
      'Up to where a streaming standby has received the write-ahead log.',
      known(replication && replication.receiveLsn),
    ),
  ]
}

const clientFamilies = ({ connects, http }: MetricsRecord): readonly Family[] => {
  const sum = (of: keyof ConnectCounters): number =>
    connects.reduce((total, counters) => total + counters[of], 0)
  const sumHttp = (of: keyof LossCounters): number =>
    http.reduce((total, counters) => total + counters[of], 0)
  const both = (of: keyof LossCounters): readonly Sample[] => [
    { labels: { listener: 'role' }, value: sum(of) },
    { labels: { listener: 'http' }, value: sumHttp(of) },
  ]
  const answers = ['primary', 'standby', 'unavailable', 'silence'] as const
  return [
    counter(
      'answers',
      'Connects that were answered, by what they were told.',
      answers.map(answer => ({ labels: { answer }, value: sum(answer) })),
    ),
    counter('connects_reset', 'Connects that the client ended with a reset.', [
      { value: sum('reset') },
    ]),
    counter('connects_cut_off', 'Clients that were answered and did not hang up in time.', [
      { value: sum('lingeringDestroyed') },
    ]),
    counter('connects_dropped', 'Connects above the limit, without an answer.', both('dropped')),
    counter('connects_refused', 'Connects of those who may not ask.', both('refused')),
    counter('connects_failed', 'Connects that the system failed to accept.', both('acceptFailed')),
  ]
}
