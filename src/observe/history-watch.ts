/**
 * Reads the history file of the timeline that a server is on, once for each timeline.
 *
 * The file is complete before the server uses the timeline, and never changes. No look waits for
 * it: pg_wal may be on another disk.
 */
import {
  decodeTimelineHistory,
  firstTimeline,
  historyFileName,
} from '../facts/decode/timeline-history.ts'
import { timelineOf } from '../facts/decide/reason.ts'
import type { Evidence } from '../facts/decide/evidence.ts'
import { walDirectory, type HistorySighting } from '../facts/decide/sightings.ts'
import type { TimelineId } from '../facts/units.ts'
import { decodeText } from './files/data-directory.ts'
import { readBytes } from './files/disk.ts'
import { nullInShortage } from './system/system-error.ts'
import { join } from 'node:path'

export type HistoryWatch = {
  readonly see: (evidence: Evidence) => {
    readonly timelineHistory: HistorySighting
    /** Resolves when it is known; absent if it is known now. */
    readonly reading?: Promise<void>
  }
}

/** 2,000 timelines and more. */
export const historyBytesMax = 256 * 1024

type Known = {
  /** The timeline, the server and the directory. */
  readonly key: string
  history: HistorySighting
  reading: Promise<void> | null
}

export const createHistoryWatch = (): HistoryWatch => {
  let known: Known | null = null

  const read = async (of: Known, timeline: TimelineId, evidence: Evidence): Promise<void> => {
    const found = await nullInShortage(() => readHistory(evidence, timeline))
    of.reading = null
    of.history = found ?? of.history
  }

  return {
    see: evidence => {
      const timeline = timelineOf(evidence)
      const { directory, lockFile } = evidence
      if (timeline === null || directory.kind !== 'present') {
        known = null
        return { timelineHistory: { kind: 'not checked' } }
      }
      const pid = lockFile.kind === 'present' ? lockFile.fact.pid : 0
      const key = `${timeline} ${pid} ${directory.inode}`
      if (known?.key !== key) known = { key, history: unread(timeline), reading: null }
      // What could not be read is read again with each look.
      if (known.history.kind !== 'present') known.reading ??= read(known, timeline, evidence)
      const { history: timelineHistory, reading } = known
      return timelineHistory.kind === 'being read' && reading !== null
        ? { timelineHistory, reading }
        : { timelineHistory }
    },
  }
}

/** The first timeline has no file. */
const unread = (timeline: TimelineId): HistorySighting =>
  timeline === firstTimeline
    ? { kind: 'present', fact: { timeline, switches: [] } }
    : { kind: 'being read' }

const readHistory = async (evidence: Evidence, timeline: TimelineId): Promise<HistorySighting> => {
  const name = historyFileName(timeline)
  const path = join(evidence.path, walDirectory(evidence.directory), name)
  const { raw } = await readBytes(path, historyBytesMax)
  if (raw.kind === 'absent') return { kind: 'unknown', because: `there is no ${name}` }
  if (raw.kind === 'unreadable') {
    return { kind: 'unknown', because: `could not read ${name}: ${raw.code}` }
  }
  const decoded = decodeTimelineHistory(decodeText(raw.bytes), timeline)
  if (raw.bytes.length === historyBytesMax || !decoded.ok) {
    return { kind: 'unknown', because: `invalid ${name}` }
  }
  return { kind: 'present', fact: decoded.fact }
}
