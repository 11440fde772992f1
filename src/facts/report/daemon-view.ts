/**
 * What a running daemon answers for a data directory, read from its `/status`, beside what one
 * check found. Its text comes from another process: reading is total.
 */
import type { Snapshot } from '../decide/snapshot.ts'
import { answerOf, answers, type Answer } from '../decide/verdict.ts'
import { fact, fault, type Outcome } from '../outcome.ts'
import { plainText } from '../visible-text.ts'
import { isObject, parseObject } from './parse-json.ts'
import type { Json } from './snapshot-json.ts'

export type DaemonView = {
  /** The data directory that it watches. */
  readonly directory: string
  readonly answer: Answer
  readonly rule: string
  readonly because: string
}

/** `socket` is the path at which it was asked. */
export type LocalDaemon = DaemonView & { readonly socket: string }

/** The fault names what is not as it must be. */
export const decodeDaemon = (text: string): Outcome<DaemonView, string> => {
  const document = parseObject(text)
  if (document === null) return fault('not a JSON object')
  const { verdict, rule, because, data_directory: place } = document
  const answer = answers.find(known => known === verdict)
  if (answer === undefined) return fault('verdict')
  if (typeof rule !== 'string') return fault('rule')
  if (typeof because !== 'string') return fault('because')
  const directory = isObject(place) ? place['path'] : null
  if (typeof directory !== 'string') return fault('data_directory')
  return fact({ directory, answer, rule: plainText(rule), because: plainText(because) })
}

/** For programs; null if no daemon was found. fixtures/docs/status-json.md documents each field. */
export const daemonJson = (daemon: LocalDaemon | null): Json =>
  daemon === null
    ? null
    : {
        socket: daemon.socket,
        verdict: daemon.answer,
        rule: daemon.rule,
        because: daemon.because,
      }

/** For people: both side by side, unless they are the same. `alone` is that of the check. */
export const compareWithDaemon = (
  { socket, answer, rule, because }: LocalDaemon,
  alone: Snapshot,
): readonly string[] => {
  const found = answerOf(alone.verdict)
  if (found === answer && alone.verdict.rule === rule)
    return [`the daemon answers the same (${socket})`]
  const width = Math.max(found.length, answer.length)
  return [
    `the daemon answers  ${answer.padEnd(width)}  ${rule}: ${because} (${socket})`,
    `this check found    ${found.padEnd(width)}  ${alone.verdict.rule}: ${alone.verdict.because}`,
  ]
}
