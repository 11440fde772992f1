/** What is known of a member, in words: for the table on a terminal, and for that in a browser. */
import { printDuration, printSize } from '../units.ts'
import type { MemberView } from './cluster-view.ts'

export const timelineText = ({ timeline }: MemberView): string => String(timeline ?? '-')

export const lagText = ({ lag }: MemberView): string => {
  if (lag === null) return '-'
  return lag === 'unknown' ? lag : printSize(lag)
}

export const answeredText = ({ ageMs }: MemberView): string => {
  if (ageMs === null) return 'never'
  return ageMs === 0 ? 'now' : `${printDuration(ageMs)} ago`
}

/** Empty if there is none. */
export const reasonText = ({ rule, because }: MemberView): string =>
  [rule, because].filter(text => text !== null).join(': ')
