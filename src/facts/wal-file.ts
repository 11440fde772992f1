/**
 * Names of files in pg_wal: XLogFileName() in xlog_internal.h. 24 hexadecimal digits, of which the
 * first eight are the timeline.
 */
import type { TimelineId } from './units.ts'

/** Null for a name that is not a segment's, such as that of a history file. */
export const timelineOfSegment = (name: string): TimelineId | null =>
  /^[0-9A-F]{24}$/.test(name) ? (Number.parseInt(name.slice(0, 8), 16) as TimelineId) : null
