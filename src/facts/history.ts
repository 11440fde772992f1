/** The flight recorder: the last changes of the verdict, for whoever comes when all is over. */
import type { Change } from './event.ts'
import { isoTime, type Json } from './snapshot-json.ts'
import { answerOf } from './verdict.ts'

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
