/** The result of a check: a role or none, always with the reason. */
import { because } from './reason.ts'
import type { Evidence } from './evidence.ts'
import { decidingRow, type Role, type Rule } from './rules.ts'
import { symptomsOf } from './symptoms.ts'

export type Verdict = {
  /** The row that decided, or what overruled the table since. */
  readonly rule: Rule | Overruling
  /** What was seen, in one sentence without a stop. */
  readonly because: string
  /** False for what can't last, such as a promotion about to finish. */
  readonly settled: boolean
} & Availability

/** As much of a verdict as an answer depends on. */
export type Availability =
  { readonly kind: 'available'; readonly role: Role } | { readonly kind: 'unavailable' }

export const answers = ['primary', 'standby', 'unavailable'] as const
export type Answer = (typeof answers)[number]

/** A role or none, in a word. */
export const answerOf = (availability: Availability): Answer =>
  availability.kind === 'available' ? availability.role : availability.kind

/** Value of an option that expects a role; `any` for either of the two. */
export type WantedRole = Role | 'any'

export const isWanted = (answer: Answer, wanted: WantedRole): boolean =>
  wanted === 'any' ? answer !== 'unavailable' : answer === wanted

/** What overrules the table: the time since the check (snapshot.ts), or others (standing.ts). */
export type Overruling =
  | 'maintenance'
  | 'not yet checked'
  | 'lease expired'
  | 'server process gone'
  | 'superseded'
  | 'asking peers'

export const decide = (evidence: Evidence): Verdict => {
  const { rule, answer, settled } = decidingRow(symptomsOf(evidence))
  const grounds = { rule, settled, because: because(rule, evidence) }
  return answer === 'unavailable'
    ? { kind: 'unavailable', ...grounds }
    : { kind: 'available', role: answer, ...grounds }
}
