/** How far a standby is behind, in bytes of the write-ahead log. */
import type { MonotonicMs } from '../units.ts'
import type { Evidence } from './evidence.ts'
import { historyOf, systemIdentifierOf, type Member } from './member.ts'
import type { Word } from './standing.ts'
import { compareHistories } from './timeline-order.ts'
import { symptomsOf } from './symptoms.ts'

/** Where a server is, in its own write-ahead log. */
export type Place = Pick<Member, 'systemIdentifier' | 'history' | 'walPosition'>

/**
 * What the primary of the same timeline has written and this standby has not received, as the peers
 * told since `heardSince`. Both are known to a page. The position of the primary is as old as its
 * answer, so that a lag below a second of writing may show as none. Null for a server that is no
 * standby, without such a primary, or if either position is unknown.
 */
export const lagOf = (
  evidence: Evidence,
  words: readonly Word[],
  heardSince: MonotonicMs,
): number | null => {
  if (symptomsOf(evidence).cluster !== 'in archive recovery') return null
  const own: Place = {
    systemIdentifier: systemIdentifierOf(evidence),
    history: historyOf(evidence),
    walPosition: evidence.walPosition,
  }
  const recent = words.filter(({ heardAt }) => heardAt >= heardSince)
  return lagBehind(
    own,
    recent.map(({ member }) => member),
  )
}

/** The same of any standby, as its place and the members of its cluster are known. */
export const lagBehind = (standby: Place, members: readonly Member[]): number | null => {
  const { systemIdentifier, history, walPosition } = standby
  if (history === null || walPosition === null) return null
  const written = members.flatMap(member => {
    if (member.answer !== 'primary' || member.systemIdentifier !== systemIdentifier) return []
    if (member.history === null || member.walPosition === null) return []
    return compareHistories(history, member.history).kind === 'same' ? [member.walPosition] : []
  })
  // Of two primaries on the same timeline it is not known which one it follows.
  const [position, ...others] = written
  if (position === undefined || others.length > 0) return null
  return Math.max(0, Number(position - walPosition))
}
