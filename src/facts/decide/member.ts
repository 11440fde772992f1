/** What the daemon of one member of a cluster tells those of the others. */
import type { TimelineHistory } from '../decode/timeline-history.ts'
import type { Lsn, SystemIdentifier } from '../units.ts'
import type { Evidence } from './evidence.ts'
import type { ReplicationState } from './streaming.ts'
import type { Answer } from './verdict.ts'

export type Member = {
  /** One for each daemon and cluster, and no other: a daemon that asks itself finds out. */
  readonly instance: string
  /** Of its host, without a domain. Null for an older daemon, as the next three. */
  readonly name: string | null
  /** Of the server, for database clients; null if it is not known. */
  readonly port: number | null
  /** Null for a server that is not a standby. */
  readonly replication: ReplicationState | null
  /** Names of its hazards. */
  readonly hazards: readonly string[] | null
  readonly answer: Answer
  readonly rule: string
  readonly because: string
  /** Null if it is not known, or before the first check. */
  readonly systemIdentifier: SystemIdentifier | null
  /** Null if the timeline or its history is not known. */
  readonly history: TimelineHistory | null
  /** As in Evidence, at the time of the answer. */
  readonly walPosition: Lsn | null
  /** Age of the check; null before the first one. */
  readonly ageMs: number | null
}

export const systemIdentifierOf = ({ controlFile }: Evidence): SystemIdentifier | null =>
  controlFile.kind === 'present' ? controlFile.fact.systemIdentifier : null

export const historyOf = ({ timelineHistory }: Evidence): TimelineHistory | null =>
  timelineHistory.kind === 'present' ? timelineHistory.fact : null
