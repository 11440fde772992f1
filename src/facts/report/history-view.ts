/**
 * The last changes of a daemon, read from its `/history`, for people. They come from another
 * process, and perhaps from another host: reading is total.
 */
import { answers, type Answer } from '../decide/verdict.ts'
import { fact, fault, type Outcome } from '../outcome.ts'
import { printDuration, type UnixMs } from '../units.ts'
import { plainText, visibleText } from '../visible-text.ts'
import { isList, isObject, parseObject } from './parse-json.ts'
import { printJson, timeText, type Json } from './snapshot-json.ts'

/** Texts are printable and limited in length. */
export type HistoryView = {
  /** Oldest first. */
  readonly changes: readonly ChangeView[]
  /** All of it, as JSON. */
  readonly document: string
}

type ChangeView = {
  readonly at: UnixMs
  readonly to: Answer
  readonly rule: string
  readonly because: string
}

/** The fault names what is not as it must be. */
export const decodeHistory = (text: string): Outcome<HistoryView, string> => {
  const document = parseObject(text)
  if (document === null) return fault('not a JSON object')
  const { changes: list } = document
  if (!isList(list)) return fault('changes')
  const changes = list.flatMap(one => readChange(one) ?? [])
  if (changes.length < list.length) return fault('changes')
  return fact({ changes, document: printJson(document) })
}

const readChange = (value: Json): ChangeView | null => {
  if (!isObject(value)) return null
  const { time, rule, because } = value
  const to = answers.find(known => known === value['to'])
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN
  if (to === undefined || Number.isNaN(at)) return null
  if (typeof rule !== 'string' || typeof because !== 'string') return null
  return { at: at as UnixMs, to, rule: plainText(rule), because: plainText(because) }
}

/** Lines without line ends. `asked` is the daemon that answered. */
export const historyLines = (
  { changes }: HistoryView,
  { asked, now }: { readonly asked: string; readonly now: UnixMs },
): readonly string[] => {
  const last = changes.at(-1)
  const state =
    last === undefined
      ? 'no change so far'
      : `${last.to} for ${printDuration(now - last.at)}: ${last.because}`
  const width = Math.max(...changes.map(({ to }) => to.length))
  return [
    `${asked}: ${state}`,
    '',
    ...changes.map(
      ({ at, to, rule, because }) => `${timeText(at)}  ${to.padEnd(width)}  ${rule}: ${because}`,
    ),
  ].map(visibleText)
}
