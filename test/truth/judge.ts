/** What a probe said, held against what was true: how long it was wrong, how soon it was right. */
import type { Heard, ProbeWord } from './testimony.ts'
import type { Role, RoleSpan, Span, Truth } from './truth.ts'

/**
 * Milliseconds. `wrong...`: the longest time during which connects were answered wrongly, counted
 * from when the truth was reported by have changed to the last connect that was told otherwise;
 * 0 when there was none.
 */
export type Findings = {
  /** Called a primary while in recovery. */
  readonly earlyPrimaryMs: number
  /** Called a primary while it served nobody. */
  readonly wrongPrimaryMs: number
  /** Called a standby while it served nobody. */
  readonly wrongStandbyMs: number
  /** Told nothing while logins were accepted. */
  readonly wrongSilenceMs: number
  /**
   * For each change to a role: from when it was reported by the first connect that was told so. How
   * long an answer takes is another matter, and on a busy machine the witness's own.
   */
  readonly noticeMs: Readonly<Record<Role, readonly number[]>>
  /** Answers that are none: other bytes, or none within a second. */
  readonly garbage: readonly ProbeWord[]
  readonly answers: number
}

type Answer = Heard<ProbeWord> & { readonly role: Role }

const roleWords: Readonly<Record<ProbeWord, Role>> = {
  MASTER: 'primary',
  STANDBY: 'standby',
  UNAVAILABLE: 'nobody',
  refused: 'nobody',
  reset: 'nobody',
  hung: 'nobody',
  '': 'nobody',
}

export const judge = (said: readonly Heard<ProbeWord>[], truth: Truth): Findings => {
  const answers = said.flatMap((heard): Answer[] => {
    const role = roleWords[heard.said]
    return role === undefined ? [] : [{ ...heard, role }]
  })
  const wrong = (spans: readonly Span[], role: Role): number =>
    Math.max(0, ...spans.map(span => longestWrong(answers, span, role)))
  const spans = (role: Role) => truth.roles.filter(span => span.role === role)
  return {
    earlyPrimaryMs: wrong(spans('standby'), 'primary'),
    wrongPrimaryMs: wrong(spans('nobody'), 'primary'),
    wrongStandbyMs: wrong(spans('nobody'), 'standby'),
    wrongSilenceMs: wrong(truth.serving, 'nobody'),
    noticeMs: {
      primary: notices(answers, truth, 'primary'),
      standby: notices(answers, truth, 'standby'),
      nobody: notices(answers, truth, 'nobody'),
    },
    garbage: said.map(heard => heard.said).filter(word => roleWords[word] === undefined),
    answers: said.length,
  }
}

/**
 * The longest run of wrong answers to connects that were made and answered within the span. A run
 * that begins later than the span is counted from the connect before it, which was still right.
 */
const longestWrong = (answers: readonly Answer[], span: Span, wrongRole: Role): number => {
  let longest = 0
  let beganAt = span.from
  for (const { askedAt, heardAt, role } of answers) {
    if (askedAt <= span.from || heardAt >= span.to) continue
    if (role === wrongRole) longest = Math.max(longest, askedAt - beganAt)
    else beganAt = askedAt
  }
  return longest
}

/** A span whose role is that of the one before it is no change. */
const notices = (
  answers: readonly Answer[],
  { roles, blinded }: Truth,
  role: Role,
): readonly number[] =>
  roles.flatMap((span, index): number[] => {
    if (span.role !== role || roles[index - 1] === undefined) return []
    if (roles[index - 1]?.role === role) return []
    const sighted = blinded.find(({ from, to }) => from <= span.from && span.from < to)?.to
    return notice(answers, { ...span, from: sighted ?? span.from })
  })

/** Nothing for a span that is over before it could be noticed. */
const notice = (answers: readonly Answer[], span: RoleSpan): number[] => {
  const first = answers.find(({ askedAt, heardAt, role }) => {
    const after = heardAt > span.from && heardAt < span.to
    return after && role === span.role && askedAt < span.to
  })
  if (first !== undefined) return [Math.max(0, first.askedAt - span.from)]
  const asked = answers.some(({ askedAt, heardAt }) => askedAt > span.from && heardAt < span.to)
  return asked ? [span.to - span.from] : []
}

/** What was found on several occasions, taken together. */
export const together = (all: readonly Findings[]): Findings => {
  const worst = (what: (found: Findings) => number): number => Math.max(0, ...all.map(what))
  const each = (role: Role): readonly number[] => all.flatMap(({ noticeMs }) => noticeMs[role])
  return {
    earlyPrimaryMs: worst(found => found.earlyPrimaryMs),
    wrongPrimaryMs: worst(found => found.wrongPrimaryMs),
    wrongStandbyMs: worst(found => found.wrongStandbyMs),
    wrongSilenceMs: worst(found => found.wrongSilenceMs),
    noticeMs: { primary: each('primary'), standby: each('standby'), nobody: each('nobody') },
    garbage: all.flatMap(({ garbage }) => garbage),
    answers: all.reduce((sum, { answers }) => sum + answers, 0),
  }
}

/** 0 for none. */
export const max = (values: readonly number[]): number => Math.max(0, ...values)

/** 0 for none. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}
