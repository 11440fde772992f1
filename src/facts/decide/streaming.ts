/**
 * Whether a standby streams, from the titles of its processes: no session is needed.
 *
 * The WAL receiver writes up to where it has flushed (`streaming 0/13275230`, walreceiver.c), the
 * startup process which file it replays (`recovering 000000010000000000000013`, xlogrecovery.c),
 * so that replay is known to a segment only. In these states:
 *
 * - `not connected`: there is no WAL receiver. While its upstream is away, one is started every
 *   wal_retrieve_retry_interval and ends at once.
 * - `streaming`: the receiver streams, and replay is in the segment of what was received last or
 *   in the one before.
 * - `catching up`: the receiver streams and replay is further behind (after an outage, in a
 *   recovery conflict, by recovery_min_apply_delay); or the receiver waits between two timelines
 *   (`restarting at`, `idle`).
 * - `unknown`: there is a receiver, and it shows no activity. It has just been started and still
 *   connects; or it is connected and nothing new has come since; or update_process_title is off.
 *   Or a title is outdated: switched off on a running server, it never changes again, which is
 *   detected when more has been replayed, by the control file, than was received. Or processes, or
 *   the control file with the size of a segment, are not visible.
 *
 * A receiver whose network is dead shows `streaming` until wal_receiver_timeout ends it.
 *
 * No verdict depends on this: titles are written in place and may be read torn.
 */
import { hasKnownLayout } from '../decode/control-file.ts'
import { isSegmentSize } from '../decode/wal-page.ts'
import type { Evidence } from './evidence.ts'
import { symptomsOf } from './symptoms.ts'
import { parseLsn, type Lsn } from '../units.ts'

export const replicationStates = ['streaming', 'catching up', 'not connected', 'unknown'] as const
export type ReplicationState = (typeof replicationStates)[number]

export type Replication = {
  readonly state: ReplicationState
  /** As pg_last_wal_receive_lsn() has it. */
  readonly receiveLsn: Lsn | null
  /** Name of the WAL file in replay, or waited for: 24 hexadecimal digits. */
  readonly replaySegment: string | null
}

/** Null for a server that is no standby. Titles in the evidence are as old as it is. */
export const replicationOf = (evidence: Evidence): Replication | null => {
  if (!isStandby(evidence)) return null
  const { children } = evidence
  if (children.kind !== 'present') return unknown
  const { startup, walreceiver, startupUndecided, titlesIncomplete } = children
  if (startup === null) return startupUndecided || titlesIncomplete ? unknown : null
  const replaySegment =
    /(?:recovering|waiting for) ([0-9A-F]{24})\b/.exec(startup.title)?.[1] ?? null
  if (walreceiver === null && titlesIncomplete) return { ...unknown, replaySegment }
  if (walreceiver === null) return { state: 'not connected', receiveLsn: null, replaySegment }
  if (/ (?:idle|restarting at \S+)$/.test(walreceiver.title)) {
    return { state: 'catching up', receiveLsn: null, replaySegment }
  }
  const [, position = ''] = / streaming (\S+)$/.exec(walreceiver.title) ?? []
  const receiveLsn = parseLsn(position)
  if (receiveLsn === null || isOutdated(receiveLsn, evidence)) return { ...unknown, replaySegment }
  const behind = segmentsBehind(replaySegment, receiveLsn, walSegmentSize(evidence))
  if (behind === null) return { state: 'unknown', receiveLsn, replaySegment }
  return { state: behind > 1 ? 'catching up' : 'streaming', receiveLsn, replaySegment }
}

const unknown: Replication = { state: 'unknown', receiveLsn: null, replaySegment: null }

const isStandby = (evidence: Evidence): boolean => {
  const { postmaster, cluster, nextStart } = symptomsOf(evidence)
  if (postmaster !== 'alive') return false
  return cluster === 'not checked'
    ? nextStart === 'standby' || nextStart === 'recovery'
    : cluster === 'in archive recovery'
}

/** The control file was read before the title, and holds what has been replayed since the start. */
const isOutdated = (receiveLsn: Lsn, { controlFile }: Evidence): boolean =>
  controlFile.kind === 'present' &&
  hasKnownLayout(controlFile.fact) &&
  receiveLsn < controlFile.fact.minRecoveryPoint

/** In bytes; null when it is not known, or makes no sense. */
const walSegmentSize = ({ controlFile }: Evidence): number | null => {
  if (controlFile.kind !== 'present' || !hasKnownLayout(controlFile.fact)) return null
  const size = controlFile.fact.walSegmentSize
  return isSegmentSize(size) ? size : null
}

/** Files from the one in replay to the one that ends with the position; null when unknown. */
const segmentsBehind = (
  replaySegment: string | null,
  receiveLsn: Lsn,
  size: number | null,
): number | null => {
  if (replaySegment === null || size === null) return null
  // XLogFileName() in xlog_internal.h: timeline, high half of the position, number within that.
  const high = Number.parseInt(replaySegment.slice(8, 16), 16)
  const low = Number.parseInt(replaySegment.slice(16), 16)
  const replayed = high * (0x1_0000_0000 / size) + low
  // What ends with a segment is within it.
  return Number((receiveLsn - 1n) / BigInt(size)) - replayed
}
