/** How wrong and how late a probe may be: the milliseconds that physics asks for, and no more. */
import { max, type Findings } from './judge.ts'

/** Milliseconds. */
export type Bounds = {
  /** MASTER while the server is in recovery and serves. */
  readonly earlyPrimaryMs: number
  /** MASTER, or STANDBY, after the first refused login or the death of the postmaster. */
  readonly wrongRoleMs: number
  /** Silence while logins are accepted. */
  readonly wrongSilenceMs: number
  /** From the first "not in recovery" of a session to the first connect that is told MASTER. */
  readonly noticePrimaryMsMax: number
  /** The same over all times that a scenario is played, on all versions together. */
  readonly noticePrimaryMsMedian: number
}

/** What holds wherever a scenario names nothing stricter or laxer. */
export const bounds: Bounds = {
  earlyPrimaryMs: 0,
  wrongRoleMs: 5,
  wrongSilenceMs: 50,
  noticePrimaryMsMax: 50,
  noticePrimaryMsMedian: 50,
}

/** A stop is told by the lock file alone: an event, a look, and every processor busy with it. */
export const stopBounds: Partial<Bounds> = { wrongRoleMs: 10 }

/** What breaks the bounds, a line each; none when all is well. */
export const violations = (found: Findings, allowed: Bounds): readonly string[] => {
  const over = (what: string, ms: number, msMax: number): readonly string[] =>
    ms > msMax ? [`${what} for ${ms.toFixed(1)} ms, at most ${msMax} ms allowed`] : []
  const { primary } = found.noticeMs
  return [
    ...over('MASTER while in recovery', found.earlyPrimaryMs, allowed.earlyPrimaryMs),
    ...over('MASTER while no client was served', found.wrongPrimaryMs, allowed.wrongRoleMs),
    ...over('STANDBY while no client was served', found.wrongStandbyMs, allowed.wrongRoleMs),
    ...over('no answer while logins were accepted', found.wrongSilenceMs, allowed.wrongSilenceMs),
    ...over('no MASTER for a new primary', max(primary), allowed.noticePrimaryMsMax),
    ...[...new Set(found.garbage)].map(word => `an invalid answer: ${JSON.stringify(word)}`),
    ...(found.answers === 0 ? ['not a single answer: nothing was tested'] : []),
  ]
}

/**
 * Whether all that breaks the bounds is late by no more than the machine stood still. Nothing
 * excuses a MASTER in recovery, nor an answer that is none.
 */
export const isExcused = (found: Findings, allowed: Bounds, standstillMs: number): boolean => {
  const stretched = {
    ...allowed,
    wrongRoleMs: allowed.wrongRoleMs + standstillMs,
    wrongSilenceMs: allowed.wrongSilenceMs + standstillMs,
    noticePrimaryMsMax: allowed.noticePrimaryMsMax + standstillMs,
  }
  return isBetween(found, allowed, stretched)
}

/**
 * Whether all that breaks the bounds is a server that was answered for late, by less than the
 * bound. With every processor busy that may come once in hundreds; a fault comes again.
 */
export const isOnlyLate = (found: Findings, allowed: Bounds): boolean => {
  const stretched = {
    ...allowed,
    wrongSilenceMs: 2 * allowed.wrongSilenceMs,
    noticePrimaryMsMax: 2 * allowed.noticePrimaryMsMax,
  }
  return isBetween(found, allowed, stretched)
}

/** Whether it breaks the bounds, but not those that are stretched. */
const isBetween = (found: Findings, allowed: Bounds, stretched: Bounds): boolean =>
  violations(found, allowed).length > 0 && violations(found, stretched).length === 0
