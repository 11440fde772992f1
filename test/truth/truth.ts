/**
 * From what the server itself says to what is true of it, and when.
 *
 * Only what is proved is claimed: a span begins when its first witness had heard the answer and
 * ends when its last one asked. What lies between two spans is nobody's to judge.
 */
import type { Heard, SessionWord, Testimony } from './testimony.ts'

/** Milliseconds on the clock of all testimony. */
export type Span = { readonly from: number; readonly to: number }

/** `nobody`: new logins are refused, or the postmaster has been killed or stopped by our hand. */
export type Role = 'primary' | 'standby' | 'nobody'

export type RoleSpan = Span & { readonly role: Role }

/** What is known because the referee did it. */
export type Deeds = {
  /** From the moment a signal was sent: nobody can be served, though no login was refused yet. */
  readonly nobody: readonly Span[]
  /** The probe's evidence was taken away, or the probe itself: silence is no fault then. */
  readonly blinded: readonly Span[]
}

export type Truth = {
  /** In order of time, without overlap. */
  readonly roles: readonly RoleSpan[]
  /** New logins were accepted, one after another. */
  readonly serving: readonly Span[]
  /** A change that falls into one of these can't be noticed before its end. */
  readonly blinded: readonly Span[]
}

/**
 * Two logins further apart than this prove nothing about the time between them: a witness that was
 * kept from running may have missed that the server was up for a moment, or down.
 */
const gapMs = 50

export const truthOf = ({ session, logins }: Testimony, deeds: Deeds): Truth => {
  const answered = logins.filter(({ said }) => said !== 'hung')
  const refusals = [...unbroken(answered, 'refused'), ...unbroken(session, 'refused')]
  const nobody = merged([...refusals, ...deeds.nobody])
  const served = runs(session, (one, next) => one.said === next.said).flatMap(run => {
    const role = servedRoles[run[0]?.said ?? 'lost']
    return role === null ? [] : without([spanOf(run)], nobody).map(withRole(role))
  })
  const accepted = unbroken(logins, 'accepted')
  return {
    roles: [...nobody.map(withRole('nobody')), ...served].toSorted(
      (one, other) => one.from - other.from,
    ),
    serving: without(accepted, [...deeds.nobody, ...deeds.blinded]),
    blinded: deeds.blinded,
  }
}

const servedRoles: Readonly<Record<SessionWord, Role | null>> = {
  'in recovery': 'standby',
  'not in recovery': 'primary',
  lost: null,
  refused: null,
}

/** From one such answer to the last one that followed upon it without another or a gap. */
const unbroken = <Said>(heard: readonly Heard<Said>[], said: Said): readonly Span[] =>
  runs(heard, (one, next) => one.said === next.said && next.heardAt - one.heardAt <= gapMs)
    .filter(run => run[0]?.said === said)
    .map(spanOf)
    .filter(isSpan)

const withRole =
  (role: Role) =>
  ({ from, to }: Span): RoleSpan => ({ from, to, role })

/** Neighbours that belong together. */
const runs = <Said>(
  heard: readonly Heard<Said>[],
  together: (one: Heard<Said>, next: Heard<Said>) => boolean,
): readonly (readonly Heard<Said>[])[] => {
  const found: Heard<Said>[][] = []
  for (const one of heard) {
    const run = found.at(-1)
    const last = run?.at(-1)
    if (run !== undefined && last !== undefined && together(last, one)) run.push(one)
    else found.push([one])
  }
  return found
}

/** Empty or worse for a single answer: that proves nothing about any length of time. */
const spanOf = (run: readonly Heard<unknown>[]): Span => ({
  from: run[0]?.heardAt ?? 0,
  to: run.at(-1)?.askedAt ?? 0,
})

const isSpan = ({ from, to }: Span): boolean => to > from

const merged = (spans: readonly Span[]): readonly Span[] => {
  const found: Span[] = []
  for (const span of spans.toSorted((one, other) => one.from - other.from)) {
    const last = found.at(-1)
    if (last === undefined || span.from > last.to) found.push(span)
    else found[found.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
  }
  return found
}

/** The spans less what the others cover. */
const without = (spans: readonly Span[], others: readonly Span[]): readonly Span[] => {
  let left = spans
  for (const other of others) {
    left = left.flatMap(({ from, to }) => [
      { from, to: Math.min(to, other.from) },
      { from: Math.max(from, other.to), to },
    ])
  }
  return left.filter(isSpan)
}
