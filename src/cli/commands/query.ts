/**
 * Queries running daemons over TCP: what a load balancer would receive.
 *
 * Only an exact word, followed by the end of the connection, is a role. Any other answer is shown
 * as it was received.
 */
import { lookup as systemLookup } from 'node:dns'
import { connect, type LookupFunction } from 'node:net'
import { systemClock, type Clock } from '../../observe/system/clock.ts'
import { errorCode } from '../../observe/system/system-error.ts'
import { wireWords } from '../../serve/role/reply.ts'
import { printTarget, type Target } from '../options/query-target.ts'
import { exitAsExpected, exitCodes, exitOtherwise } from '../output/exit-codes.ts'

/** Why there is no role. `found` is printable and limited in length. */
export type Unavailability =
  | { readonly kind: 'refused' }
  | { readonly kind: 'cannot resolve' }
  | { readonly kind: 'cannot connect'; readonly code: string }
  | { readonly kind: 'closed without an answer' }
  | { readonly kind: 'replied unavailable' }
  | { readonly kind: 'unexpected answer'; readonly found: string }
  /** `found` was received before the time limit; may be empty. */
  | { readonly kind: 'timed out'; readonly afterMs: number; readonly found: string }

type Reply =
  | { readonly kind: 'primary' | 'standby' }
  | { readonly kind: 'unavailable'; readonly because: Unavailability }

export type ProbeAnswer = { readonly target: Target } & Reply

export type AskOptions = {
  readonly timeoutMs: number
  readonly clock?: Pick<Clock, 'after'>
  readonly lookup?: LookupFunction
}

/** More than any valid answer, and enough to recognize another program. */
const answerBytesMax = 256

/** Never rejects: a failure is a kind of answer. */
export const ask = (
  target: Target,
  { timeoutMs, clock = systemClock, lookup = systemLookup }: AskOptions,
): Promise<ProbeAnswer> =>
  new Promise(resolve => {
    const socket = connect({ ...target, lookup })
    let text = ''
    const settle = (reply: Reply): void => {
      limit.cancel()
      socket.destroy()
      resolve({ target, ...reply })
    }
    const limit = clock.after(timeoutMs, () => {
      settle(noRole({ kind: 'timed out', afterMs: timeoutMs, found: printable(text) }))
    })
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > answerBytesMax) settle(replyFrom(text))
    })
    socket.on('end', () => settle(replyFrom(text)))
    socket.on('error', (error: Error) => settle(replyAfterError(error, text)))
  })

const noRole = (because: Unavailability): Reply => ({ kind: 'unavailable', because })

const replyFrom = (text: string): Reply => {
  const word = text.endsWith('\n') ? text.slice(0, -1) : text
  switch (word) {
    case wireWords.primary:
      return { kind: 'primary' }
    case wireWords.standby:
      return { kind: 'standby' }
    case wireWords.unavailable:
      return noRole({ kind: 'replied unavailable' })
    default:
      return text === ''
        ? noRole({ kind: 'closed without an answer' })
        : noRole({ kind: 'unexpected answer', found: printable(text) })
  }
}

/** If a name has several addresses, the error has an error for each. */
const replyAfterError = (error: Error, text: string): Reply => {
  const causes: readonly unknown[] = error instanceof AggregateError ? error.errors : [error]
  const codes = causes.map(errorCode)
  if (codes.includes('ECONNREFUSED')) return noRole({ kind: 'refused' })
  // The connection was established, and a reset ended it.
  if (codes.includes('ECONNRESET')) return replyFrom(text)
  if (codes.includes('ENOTFOUND') || codes.includes('EAI_AGAIN')) {
    return noRole({ kind: 'cannot resolve' })
  }
  return noRole({ kind: 'cannot connect', code: codes.join(', ') })
}

const printable = (text: string): string => {
  const plain = text.replaceAll(/[^ -~]/g, '.')
  return plain.length > 40 ? `${plain.slice(0, 40)}...` : plain
}

/**
 * One line. With several targets, `targetWidth` aligns them. No duration is shown: a process that
 * has just started takes several milliseconds, of which the daemon takes less than one.
 */
export const queryLine = (answer: ProbeAnswer, targetWidth = 0): string => {
  const line = `${printTarget(answer.target).padEnd(targetWidth)}   ${answer.kind}`
  return answer.kind === 'unavailable'
    ? `${line}   ${describeUnavailability(answer.because, answer.target)}`
    : line
}

const describeUnavailability = (because: Unavailability, { host }: Target): string => {
  switch (because.kind) {
    case 'refused':
      return 'connection refused'
    case 'cannot resolve':
      return `could not resolve ${host}`
    case 'cannot connect':
      return `could not connect (${because.code})`
    case 'closed without an answer':
      return because.kind
    case 'replied unavailable':
      return `answered ${wireWords.unavailable}`
    case 'unexpected answer':
      return `unexpected answer "${because.found}"`
    case 'timed out':
      return because.found === ''
        ? `no answer within ${because.afterMs} ms`
        : `incomplete answer after ${because.afterMs} ms: "${because.found}"`
  }
}

/** The output: a line for each target, and a summary. */
export const queryLines = (answers: readonly ProbeAnswer[]): readonly string[] => {
  const width = Math.max(0, ...answers.map(({ target }) => printTarget(target).length))
  const summary = querySummary(answers)
  const lines = answers.map(answer => queryLine(answer, width))
  return summary === null ? lines : [...lines, summary]
}

/** Null for one target, and for exactly one primary among several. */
export const querySummary = (answers: readonly ProbeAnswer[]): string | null => {
  if (answers.length === 1) return null
  const names = primariesOf(answers).map(({ target }) => printTarget(target))
  if (names.length === 0) return `no primary among ${answers.length}`
  if (names.length === 1) return null
  return `${names.length} primaries: ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

export const queryExitCode = (answers: readonly ProbeAnswer[]): number => {
  const [first] = answers
  if (first !== undefined && answers.length === 1) return exitCodes[first.kind]
  return primariesOf(answers).length === 1 ? exitAsExpected : exitOtherwise
}

const primariesOf = (answers: readonly ProbeAnswer[]): readonly ProbeAnswer[] =>
  answers.filter(({ kind }) => kind === 'primary')
