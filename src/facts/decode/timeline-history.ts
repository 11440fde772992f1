/**
 * The timelines that a server came by: its own, and where each earlier one was left.
 *
 * Source: timeline.c, 10 to 19. writeTimeLineHistory() writes the file of a new timeline before the
 * server uses that timeline; a standby that follows gets the same file from its upstream or from
 * the archive. Timeline 1 has no file.
 */
import { fact, fault, type Outcome } from '../outcome.ts'
import { parseLsn, type Lsn, type TimelineId } from '../units.ts'

/** `at`: where `timeline` was left, which is the first position of the next one. */
export type TimelineSwitch = { readonly timeline: TimelineId; readonly at: Lsn }

export type TimelineHistory = {
  readonly timeline: TimelineId
  /** Oldest first, in increasing order of timelines. */
  readonly switches: readonly TimelineSwitch[]
}

/** `line`: from 1; null if each line can be read, but together they are no history. */
export type TimelineHistoryFault = { readonly kind: 'not a history'; readonly line: number | null }

export const firstTimeline = 1 as TimelineId

/** `00000002.history`: TLHistoryFileName() in xlog_internal.h. */
export const historyFileName = (timeline: TimelineId): string =>
  `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`

/** `text` is the content of the history file of `timeline`. */
export const decodeTimelineHistory = (
  text: string,
  timeline: TimelineId,
): Outcome<TimelineHistory, TimelineHistoryFault> => {
  const switches: TimelineSwitch[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const found = parseSwitch(line)
    if (found === null) return fault({ kind: 'not a history', line: index + 1 })
    switches.push(found)
  }
  const history = assembleHistory(timeline, switches)
  return history === null ? fault({ kind: 'not a history', line: null }) : fact(history)
}

/** Null unless the numbers increase. Only the first timeline has no earlier one. */
export const assembleHistory = (
  timeline: TimelineId,
  switches: readonly TimelineSwitch[],
): TimelineHistory | null => {
  const numbers = [...switches.map(left => left.timeline), timeline]
  const isIncreasing = numbers.every((number, index) => number > (numbers[index - 1] ?? 0))
  const isWhole = switches.length > 0 || timeline === firstTimeline
  return isIncreasing && isWhole ? { timeline, switches } : null
}

/** Number, position and, in words, the reason. */
const parseSwitch = (line: string): TimelineSwitch | null => {
  const [, number = '', position = ''] = /^\s*(\d{1,10})\s+(\S+)/.exec(line) ?? []
  const timeline = parseTimeline(Number(number))
  const at = parseLsn(position)
  return timeline === null || at === null ? null : { timeline, at }
}

const timelineMax = 0xffff_ffff

/** Null for what is not a timeline. */
export const parseTimeline = (value: unknown): TimelineId | null =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= timelineMax
    ? (value as TimelineId)
    : null
