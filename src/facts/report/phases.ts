/** What a member of a cluster was, from when on: its changes as one daemon saw them. */
import type { Member } from '../decide/member.ts'
import { answerOf, type Answer } from '../decide/verdict.ts'
import type { UnixMs } from '../units.ts'
import { changesMax, type History } from './changes.ts'

/** A phase lasts until the next one begins. */
export type Phase = {
  readonly since: UnixMs
  /** Null for a member that is silent. */
  readonly answer: Answer | null
  /** Null for a member that is silent. */
  readonly rule: string | null
  readonly because: string
  readonly timeline: number | null
}

export const phaseOf = ({ answer, rule, because, history }: Member, since: UnixMs): Phase => ({
  since,
  answer,
  rule,
  because,
  timeline: history?.timeline ?? null,
})

export const silence = (because: string, since: UnixMs): Phase => ({
  since,
  answer: null,
  rule: null,
  because,
  timeline: null,
})

/** Oldest first, and limited in number. The same list if `next` is no change. */
export const withPhase = (phases: readonly Phase[], next: Phase): readonly Phase[] => {
  const last = phases.at(-1)
  const isSame =
    last?.answer === next.answer && last.rule === next.rule && last.timeline === next.timeline
  return isSame ? phases : [...phases.slice(1 - changesMax), next]
}

/** Of the daemon itself. */
export const phasesOf = (history: History): readonly Phase[] =>
  history.map(({ at, to, timeline }) => ({
    since: at,
    answer: answerOf(to),
    rule: to.rule,
    because: to.because,
    timeline,
  }))
