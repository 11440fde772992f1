/**
 * How the timeline histories of two servers of one cluster relate.
 *
 * A promotion makes a new timeline, whose history is that of the promoted server and one more
 * switch. So a server on which another history is built, complete and with its own timeline as the
 * one that was left, has been replaced: another server was promoted in its place. A higher number
 * proves nothing, since two servers may choose the same or any free number.
 */
import type { TimelineHistory, TimelineSwitch } from '../decode/timeline-history.ts'
import type { TimelineId } from '../units.ts'

/**
 * - `same`: on the same timeline, by the same switches. Two standbys that are promoted at once at
 *   the same position write identical histories, so that this is no proof of one server either.
 * - `continued`: the other one left the timeline of this one, for `next`.
 * - `continues`: this one left the timeline of the other one.
 * - `diverged`: neither continues the other.
 */
export type TimelineOrder =
  | { readonly kind: 'same' | 'continues' | 'diverged' }
  | { readonly kind: 'continued'; readonly left: TimelineSwitch; readonly next: TimelineId }

export const compareHistories = (own: TimelineHistory, other: TimelineHistory): TimelineOrder => {
  const continued = continuationOf(own, other)
  if (continued !== null) return continued
  if (continuationOf(other, own) !== null) return { kind: 'continues' }
  return { kind: isSameHistory(own, other) ? 'same' : 'diverged' }
}

const continuationOf = (
  earlier: TimelineHistory,
  later: TimelineHistory,
): Extract<TimelineOrder, { kind: 'continued' }> | null => {
  const left = later.switches[earlier.switches.length]
  if (left?.timeline !== earlier.timeline || !beginsWith(later, earlier)) return null
  const after = later.switches[earlier.switches.length + 1]
  return { kind: 'continued', left, next: after?.timeline ?? later.timeline }
}

const isSameHistory = (one: TimelineHistory, other: TimelineHistory): boolean =>
  one.timeline === other.timeline &&
  one.switches.length === other.switches.length &&
  beginsWith(one, other)

const beginsWith = (whole: TimelineHistory, part: TimelineHistory): boolean =>
  part.switches.every(({ timeline, at }, index) => {
    const other = whole.switches[index]
    return other?.timeline === timeline && other.at === at
  })
