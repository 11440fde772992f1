/**
 * A snapshot for programs. The shape is stable: fields are added, never renamed or removed. Log
 * positions and the system identifier are strings, since they don't fit a JSON number; what was
 * not seen is null. fixtures/docs/status-json.md documents each field.
 */
import { timelineOf } from '../decide/reason.ts'
import type { ControlFile } from '../decode/control-file.ts'
import type { Evidence } from '../decide/evidence.ts'
import { historyOf } from '../decide/member.ts'
import type { TimelineHistory } from '../decode/timeline-history.ts'
import { visibleLines } from '../visible-text.ts'
import type { Child } from '../decide/sightings.ts'
import type { Snapshot } from '../decide/snapshot.ts'
import { replicationOf } from '../decide/streaming.ts'
import { symptomsOf } from '../decide/symptoms.ts'
import { printLsn, type Lsn, type UnixSeconds } from '../units.ts'
import { answerOf } from '../decide/verdict.ts'

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** What is known beside a snapshot. */
export type Beside = {
  /** Of a standby, in bytes. It is known to a daemon that has peers only. */
  readonly lag?: number | null
  /** What the daemon answers, for a check without it: see daemonJson(). */
  readonly daemon?: Json
}

export const snapshotJson = (
  snapshot: Snapshot,
  { lag = null, daemon = null }: Beside = {},
): { readonly [key: string]: Json } => {
  const { evidence, verdict, hazards, lookedAtUnix, lookMs } = snapshot
  return {
    verdict: answerOf(verdict),
    rule: verdict.rule,
    because: verdict.because,
    settled: verdict.settled,
    maintenance: verdict.rule === 'maintenance' ? verdict.because : null,
    hazards: hazards.map(({ name, warning }) => ({ name, warning })),
    checked_at: isoTime(lookedAtUnix),
    check_ms: Math.round(lookMs * 1000) / 1000,
    data_directory: dataDirectory(evidence),
    lock_file: lockFile(evidence),
    postmaster: postmaster(evidence),
    children: children(evidence),
    control_file: controlFile(evidence),
    replication: replication(evidence),
    timeline_history: timelineHistoryJson(historyOf(evidence)),
    wal_position: lsnJson(evidence.walPosition),
    lag_bytes: lag,
    daemon,
    promotion: evidence.promotion,
    next_start: symptomsOf(evidence).nextStart,
    signal_files: signalFiles(evidence),
  }
}

/** The same as a document: what `status --json` prints and `/status` sends. */
export const snapshotDocument = (snapshot: Snapshot, beside: Beside = {}): string =>
  printJson(snapshotJson(snapshot, beside))

/** For programs and for people, ending with a line feed. */
export const printJson = (json: Json): string => `${visibleLines(JSON.stringify(json, null, 2))}\n`

/** Null for a time no calendar holds, which a forged or foreign control file may well contain. */
export const isoTime = (unixMs: number): string | null => {
  const date = new Date(unixMs)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}
/** For people: `2026-01-31 12:00:00.000 UTC`. The time must be one that a calendar holds. */
export const timeText = (unixMs: number): string =>
  `${new Date(unixMs).toISOString().slice(0, -1).replace('T', ' ')} UTC`

const isoSeconds = (seconds: UnixSeconds | null): string | null =>
  seconds === null ? null : isoTime(seconds * 1000)

export const lsnJson = (position: Lsn | null): string | null =>
  position === null ? null : printLsn(position)

const dataDirectory = ({ path, directory }: Evidence): Json => ({
  path,
  found: directory.kind,
  version: directory.kind === 'present' ? directory.version : null,
  owner_uid: 'owner' in directory ? directory.owner : null,
})

const lockFile = ({ lockFile: sighting }: Evidence): Json => {
  const found = { found: sighting.kind }
  if (sighting.kind === 'unreadable') return { ...found, error: sighting.code }
  if (sighting.kind === 'invalid') return { ...found, error: sighting.fault.kind }
  if (sighting.kind === 'absent') return found
  const { fact, modified } = sighting
  return {
    ...found,
    written_at: isoTime(modified),
    pid: fact.pid,
    single_user: fact.singleUser,
    started_at: isoSeconds(fact.startTime),
    port: fact.port,
    socket_directory: fact.socketDirectory,
    listen_address: fact.listenAddress,
    shared_memory_id: fact.sharedMemory?.id ?? null,
    status: fact.status,
  }
}

const postmaster = ({ postmaster: sighting }: Evidence): Json => {
  switch (sighting.kind) {
    case 'alive':
      return {
        found: sighting.kind,
        identified_by: sighting.how,
        started_at: isoTime(sighting.startedAt),
      }
    case 'not the postmaster':
      return { found: sighting.kind, because: sighting.because }
    case 'stopped':
      return { found: sighting.kind, by: sighting.by }
    case 'not checked':
    case 'gone':
    case 'zombie':
    case 'invisible':
    case 'signal 0':
      return { found: sighting.kind }
  }
}

const children = ({ children: sighting }: Evidence): Json => {
  if (sighting.kind !== 'present') return { found: sighting.kind }
  const { startup, checkpointer, walwriter, walreceiver, titlesIncomplete } = sighting
  return {
    found: sighting.kind,
    startup: child(startup),
    checkpointer: child(checkpointer),
    walwriter: child(walwriter),
    walreceiver: child(walreceiver),
    titles_incomplete: titlesIncomplete,
  }
}

const child = (found: Child | null): Json =>
  found === null
    ? null
    : { pid: found.pid, started_at: isoTime(found.startedAt), title: found.title }

const controlFile = (evidence: Evidence): Json => {
  const { controlCheck, controlFile: sighting } = evidence
  if (controlCheck === 'off') return { source: controlCheck, found: 'not checked' }
  const found = { source: controlCheck, found: sighting.kind }
  switch (sighting.kind) {
    case 'absent':
      return found
    case 'unreadable':
      return { ...found, error: sighting.code }
    case 'invalid':
      return { ...found, error: sighting.fault.fault.kind, written_at: isoTime(sighting.modified) }
    case 'present':
      return {
        ...found,
        written_at: isoTime(sighting.modified),
        state: sighting.fact.state,
        timeline: timelineOf(evidence),
        ...controlFields(sighting.fact),
      }
  }
}

const controlFields = (fact: ControlFile): { readonly [key: string]: Json } => ({
  system_identifier: fact.systemIdentifier.toString(),
  control_version: fact.controlVersion,
  catalog_version: fact.catalogVersion,
  modified_at: isoSeconds(fact.modified),
  checkpoint: lsnJson(fact.checkpoint),
  checkpoint_redo: lsnJson(fact.redo),
  checkpoint_timeline: fact.checkpointTimeline,
  checkpoint_at: isoSeconds(fact.checkpointTime),
  min_recovery_point: lsnJson(fact.minRecoveryPoint),
  min_recovery_timeline: fact.minRecoveryTimeline,
})

const replication = (evidence: Evidence): Json => {
  const found = replicationOf(evidence)
  if (found === null) return null
  const { state, receiveLsn, replaySegment } = found
  return {
    state,
    receive_lsn: lsnJson(receiveLsn),
    replay_segment: replaySegment,
  }
}

/** Where each earlier timeline was left; null if that is not known. */
export const timelineHistoryJson = (history: TimelineHistory | null): Json =>
  history === null
    ? null
    : history.switches.map(({ timeline, at }) => ({ timeline, switched_at: printLsn(at) }))

const signalFiles = ({ signalFiles: files }: Evidence): Json => ({
  standby_signal: files.standbySignal,
  recovery_signal: files.recoverySignal,
  recovery_conf: files.recoveryConf !== null,
  backup_label: files.backupLabel,
})
