/** Changes of the verdict: the last ones as JSON, and one as environment variables. */
import { plainText } from '../visible-text.ts'
import type { Change } from './event.ts'
import { isoTime, type Json } from './snapshot-json.ts'
import { answerOf } from '../decide/verdict.ts'

/** Oldest first. */
export type History = readonly Change[]

export const changesMax = 100

export const withChange = (history: History, change: Change): History => [
  ...history.slice(1 - changesMax),
  change,
]

/** For programs; fields are added, never renamed. fixtures/docs/http.md documents each. */
export const historyJson = (history: History): { readonly [key: string]: Json } => ({
  changes: history.map(({ at, from, to, timeline, postmaster }) => ({
    time: isoTime(at),
    from: from && answerOf(from),
    to: answerOf(to),
    rule: to.rule,
    because: to.because,
    timeline,
    pid: postmaster,
  })),
})

/** For --on-change; fixtures/docs/on-change.md documents each. What is not known is empty. */
export const changeVariables = (
  { at, from, to, timeline, postmaster }: Change,
  pgdata: string,
): Readonly<Record<string, string>> => ({
  PG_REPLSTATUS_ROLE: answerOf(to),
  PG_REPLSTATUS_FROM: from === null || from.rule === 'not yet checked' ? 'unknown' : answerOf(from),
  PG_REPLSTATUS_RULE: to.rule,
  PG_REPLSTATUS_BECAUSE: plainText(to.because),
  PG_REPLSTATUS_TIMELINE: String(timeline ?? ''),
  PG_REPLSTATUS_PGDATA: pgdata,
  PG_REPLSTATUS_PID: String(postmaster ?? ''),
  PG_REPLSTATUS_TIME: new Date(at).toISOString(),
})
