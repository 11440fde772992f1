/**
 * Asking running probes over TCP: what a load balancer would hear.
 *
 * In the order of use: a target from the command line, the question, the lines for people and the
 * exit code. Only an exact word at the end of the connection counts as a role; whatever else
 * answers on that port is named as it was found.
 */
import { lookup as systemLookup } from 'node:dns'
import { connect, isIPv6, type LookupFunction } from 'node:net'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { systemClock, type Clock } from '../observe/clock.ts'
import { errorCode } from '../observe/system-error.ts'
import { wireWords } from '../serve/reply.ts'
import { exitAsExpected, exitCodes, exitOtherwise } from './exit-codes.ts'

export const defaultPort = 5400

export type Target = { readonly host: string; readonly port: number }
export const defaultTarget: Target = { host: 'localhost', port: defaultPort }

export type TargetFault = {
  readonly kind: 'bad host' | 'bad port'
  readonly text: string
  readonly found: string
}

/** `HOST`, `HOST:PORT`, `[IPV6]`, `[IPV6]:PORT`, or an IPv6 address as it is. */
export const parseTarget = (text: string): Outcome<Target, TargetFault> => {
  if (isIPv6(text)) return fact({ host: text, port: defaultPort })
  const colon = text.indexOf(':', text.startsWith('[') ? text.indexOf(']') : 0)
  const hostText = colon < 0 ? text : text.slice(0, colon)
  const bracketed = /^\[.*\]$/.test(hostText)
  const host = bracketed ? hostText.slice(1, -1) : hostText
  if (!(bracketed ? isIPv6(host) : /^[\w.-]+$/.test(host))) {
    return fault({ kind: 'bad host', text, found: host })
  }
  if (colon < 0) return fact({ host, port: defaultPort })
  const portText = text.slice(colon + 1)
  const port = Number(portText)
  if (!/^\d{1,5}$/.test(portText) || port < 1 || port > 65_535) {
    return fault({ kind: 'bad port', text, found: portText })
  }
  return fact({ host, port })
}

export const describeTargetFault = ({ kind, text, found }: TargetFault): string =>
  kind === 'bad host'
    ? `"${printable(text)}" has host "${printable(found)}", wanted a name or an address`
    : `"${printable(text)}" has port "${printable(found)}", wanted 1 to 65535`

export const printTarget = ({ host, port }: Target): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`

/** Why there is no role. `found` is printable and cut. */
export type NoRole =
  | { readonly kind: 'refused' }
  | { readonly kind: 'cannot resolve' }
  | { readonly kind: 'cannot connect'; readonly code: string }
  | { readonly kind: 'closed without an answer' }
  | { readonly kind: 'said unavailable' }
  | { readonly kind: 'unexpected answer'; readonly found: string }
  /** `found` came before the time was over, but not the end of it; may be empty. */
  | { readonly kind: 'timed out'; readonly afterMs: number; readonly found: string }

type Heard =
  | { readonly kind: 'primary' | 'standby' }
  | { readonly kind: 'unavailable'; readonly because: NoRole }

export type ProbeAnswer = { readonly target: Target } & Heard

export type AskOptions = {
  readonly timeoutMs: number
  readonly clock?: Pick<Clock, 'after'>
  readonly lookup?: LookupFunction
}

/** More than any word of ours, enough to recognize a stranger by. */
const answerBytesMax = 256

/** Never rejects: whatever happens is an answer of a kind. */
export const ask = (
  target: Target,
  { timeoutMs, clock = systemClock, lookup = systemLookup }: AskOptions,
): Promise<ProbeAnswer> =>
  new Promise(resolve => {
    const socket = connect({ ...target, lookup })
    let text = ''
    const settle = (heard: Heard): void => {
      limit.cancel()
      socket.destroy()
      resolve({ target, ...heard })
    }
    const limit = clock.after(timeoutMs, () => {
      settle(noRole({ kind: 'timed out', afterMs: timeoutMs, found: printable(text) }))
    })
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > answerBytesMax) settle(heardFrom(text))
    })
    socket.on('end', () => settle(heardFrom(text)))
    socket.on('error', (error: Error) => settle(heardInstead(error, text)))
  })

const noRole = (because: NoRole): Heard => ({ kind: 'unavailable', because })

const heardFrom = (text: string): Heard => {
  const word = text.endsWith('\n') ? text.slice(0, -1) : text
  switch (word) {
    case wireWords.primary:
      return { kind: 'primary' }
    case wireWords.standby:
      return { kind: 'standby' }
    case wireWords.unavailable:
      return noRole({ kind: 'said unavailable' })
    default:
      return text === ''
        ? noRole({ kind: 'closed without an answer' })
        : noRole({ kind: 'unexpected answer', found: printable(text) })
  }
}

/** A name with several addresses fails with an error for each. */
const heardInstead = (error: Error, text: string): Heard => {
  const causes: readonly unknown[] = error instanceof AggregateError ? error.errors : [error]
  const codes = causes.map(errorCode)
  if (codes.includes('ECONNREFUSED')) return noRole({ kind: 'refused' })
  // The connection was there, and a reset ends it as well as anything else.
  if (codes.includes('ECONNRESET')) return heardFrom(text)
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
 * One line; pad the targets of several to the same width. It does not say how long it took: a
 * process that has just started takes several ms for what the daemon answers within one.
 */
export const queryLine = (answer: ProbeAnswer, targetWidth = 0): string => {
  const line = `${printTarget(answer.target).padEnd(targetWidth)}   ${answer.kind}`
  return answer.kind === 'unavailable'
    ? `${line}   ${describeNoRole(answer.because, answer.target)}`
    : line
}

const describeNoRole = (because: NoRole, { host }: Target): string => {
  switch (because.kind) {
    case 'refused':
      return 'connection refused'
    case 'cannot resolve':
      return `cannot resolve ${host}`
    case 'cannot connect':
      return `cannot connect (${because.code})`
    case 'closed without an answer':
      return because.kind
    case 'said unavailable':
      return `said ${wireWords.unavailable}`
    case 'unexpected answer':
      return `unexpected answer "${because.found}"`
    case 'timed out':
      return because.found === ''
        ? `no answer within ${because.afterMs} ms`
        : `no end of the answer within ${because.afterMs} ms, so far "${because.found}"`
  }
}

/** All that is to be printed: a line for each, and one for what they make together. */
export const queryLines = (answers: readonly ProbeAnswer[]): readonly string[] => {
  const width = Math.max(0, ...answers.map(({ target }) => printTarget(target).length))
  const summary = querySummary(answers)
  const lines = answers.map(answer => queryLine(answer, width))
  return summary === null ? lines : [...lines, summary]
}

/** Null where there is nothing to say: one target, or one primary among several. */
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
