/** A change of the verdict for a command of the operator's, as variables of its environment. */
import { plainText } from './foreign-text.ts'
import type { Change } from './event.ts'
import { answerOf } from './verdict.ts'

/** fixtures/docs/on-change.md documents each. What is not known is empty. */
export const changeVariables = (
  { at, from, to, timeline, postmaster }: Change,
  pgdata: string,
): Readonly<Record<string, string>> => ({
  PG_REPLSTATUS_ROLE: answerOf(to),
  PG_REPLSTATUS_FROM: from === null || from.rule === 'not looked yet' ? 'unknown' : answerOf(from),
  PG_REPLSTATUS_RULE: to.rule,
  PG_REPLSTATUS_BECAUSE: plainText(to.because),
  PG_REPLSTATUS_TIMELINE: String(timeline ?? ''),
  PG_REPLSTATUS_PGDATA: pgdata,
  PG_REPLSTATUS_PID: String(postmaster ?? ''),
  PG_REPLSTATUS_TIME: new Date(at).toISOString(),
})
