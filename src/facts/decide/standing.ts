/**
 * What the other members of a cluster mean for the verdict on this one.
 *
 * A server that has been replaced cannot see that in its own directory: it starts as the primary
 * that it was. The timeline history of another member proves it (timeline-order.ts). What others
 * say can take the role of a primary away. It never gives a role.
 */
import type { TimelineHistory } from '../decode/timeline-history.ts'
import { printLsn, type Lsn, type MonotonicMs, type SystemIdentifier } from '../units.ts'
import type { Evidence } from './evidence.ts'
import type { Hazard } from './hazards.ts'
import { historyOf, systemIdentifierOf, type Member } from './member.ts'
import { compareHistories } from './timeline-order.ts'
import type { Overruling, Verdict } from './verdict.ts'

/** What one peer has said. */
export type Word = {
  /** Its address, as the operator wrote it. */
  readonly peer: string
  readonly member: Member
  readonly heardAt: MonotonicMs
  /** The last history that it told. Null if there was none. */
  readonly told: Told | null
}

type Told = { readonly systemIdentifier: SystemIdentifier; readonly history: TimelineHistory }

/**
 * What a peer has told of its history stands until it tells another one: a peer that is restarted,
 * is being re-cloned or can't read its files takes nothing back. The result of a check that is
 * older than `ageMsMax` tells nothing.
 */
export const hear = (
  before: Word | null,
  { peer, member, heardAt }: Omit<Word, 'told'>,
  ageMsMax: number,
): Word => {
  const { systemIdentifier, history, ageMs } = member
  const isFresh = ageMs !== null && ageMs <= ageMsMax
  const told =
    isFresh && systemIdentifier !== null && history !== null ? { systemIdentifier, history } : null
  return { peer, member, heardAt, told: told ?? before?.told ?? null }
}

export type Standing = {
  /** What overrules the verdict; null if nothing does. */
  readonly overruling: {
    readonly rule: Extract<Overruling, 'superseded' | 'asking peers'>
    readonly because: string
  } | null
  readonly hazards: readonly Hazard[]
}

/** Of a server without peers. */
export const unopposed: Standing = { overruling: null, hazards: [] }

export type Hearing = {
  readonly words: readonly Word[]
  /** What the verdict has to wait for, such as the answer of a peer; null for nothing. */
  readonly awaited: string | null
  readonly whenSuperseded: WhenSuperseded
  /** The end of our own write-ahead log; null if it is not known. */
  readonly walPosition: Lsn | null
  /** Who was heard earlier may be gone by now: it counts as superseding, but not as a primary. */
  readonly heardSince: MonotonicMs
}

/** `unavailable`: a superseded server has no role. `warn`: it has a hazard. */
export type WhenSuperseded = 'unavailable' | 'warn'

/** `verdict` is that of the check, on `evidence`. Only a primary depends on others. */
export const standingOf = (evidence: Evidence, verdict: Verdict, hearing: Hearing): Standing => {
  if (verdict.kind === 'unavailable' || verdict.role === 'standby') return unopposed
  const { awaited, whenSuperseded } = hearing
  const because = supersededBecause(evidence, hearing)
  if (because !== null) {
    return whenSuperseded === 'unavailable'
      ? { overruling: { rule: 'superseded', because }, hazards: [] }
      : { overruling: null, hazards: [{ name: 'superseded', warning: because }] }
  }
  const hazards = anotherPrimary(evidence, hearing)
  if (awaited === null || whenSuperseded === 'warn') return { overruling: null, hazards }
  return { overruling: { rule: 'asking peers', because: `waiting for ${awaited}` }, hazards }
}

/** Null if it is not. */
const supersededBecause = (evidence: Evidence, { words, walPosition }: Hearing): string | null => {
  const own = historyOf(evidence)
  if (own === null) return null
  for (const { peer, told } of words) {
    if (told === null || told.systemIdentifier !== systemIdentifierOf(evidence)) continue
    const order = compareHistories(own, told.history)
    if (order.kind !== 'continued') continue
    const { left, next } = order
    const { timeline } = told.history
    const began = `began at ${printLsn(left.at)} of timeline ${left.timeline} of this server`
    const which = next === timeline ? `which ${began}` : `and timeline ${next} ${began}`
    return `another server was promoted: ${peer} is on timeline ${timeline}, ${which}${beyond(left.at, walPosition)}`
  }
  return null
}

/** What pg_rewind would throw away. */
const beyond = (left: Lsn, walPosition: Lsn | null): string =>
  walPosition === null || walPosition <= left
    ? ''
    : `, ${walPosition - left} bytes before the end of its write-ahead log`

/**
 * Two primaries of which neither replaced the other: two standbys promoted at once, or a copy that
 * was started by mistake. It is not known which is the right one.
 */
const anotherPrimary = (evidence: Evidence, { words, heardSince }: Hearing): readonly Hazard[] => {
  const own = historyOf(evidence)
  const others = words.filter(({ member, heardAt }) => {
    if (member.answer !== 'primary' || heardAt < heardSince) return false
    if (member.systemIdentifier !== systemIdentifierOf(evidence)) return false
    if (own === null || member.history === null) return true
    const { kind } = compareHistories(own, member.history)
    return kind === 'same' || kind === 'diverged'
  })
  if (others.length === 0) return []
  const names = others.map(({ peer }) => peer).join(', ')
  const warning = `${names} ${others.length === 1 ? 'is' : 'are'} a primary of the same cluster as well, and neither timeline continues the other: clients may write to both`
  return [{ name: 'another primary', warning }]
}
