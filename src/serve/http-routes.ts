/**
 * HTTP health checks: which path asks for what, and how it is answered.
 *
 * Paths, methods and status codes are those of Patroni's REST API (docs/rest_api.rst), so that what
 * was set up for that asks here without a change: 200 for yes, 503 for no. There is no lock of a
 * cluster to hold, so that /leader and /primary ask the same.
 */
import type { ReplicationState } from '../facts/streaming.ts'
import { answerOf, type Availability } from '../facts/verdict.ts'
import { prometheusType } from './prometheus-text.ts'
import { wireWords } from './reply.ts'

export type HttpRequest = {
  readonly method: string
  /** As it stands in the request line: a path with or without a query, or a whole URL. */
  readonly target: string
}

/** What is known at the moment of a request. */
export type HttpKnowledge = {
  readonly availability: Availability
  /** Null for a server that is no standby. */
  readonly replication: () => ReplicationState | null
  /** Made for those who ask for it; null when nothing has been seen yet. */
  readonly status: () => string | null
  readonly metrics: () => string
  readonly history: () => string
}

export type HttpAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string
}

/** Whether it takes the titles of now to answer; what is asked every second does not. */
export const asksForTitles = ({ target }: HttpRequest): boolean => {
  const { path, filters } = readTarget(target)
  return path === '/status' || path === '/metrics' || filters.has(streamingFilter)
}

export const answerHttp = (request: HttpRequest, knowledge: HttpKnowledge): HttpAnswer => {
  const { path, filters } = readTarget(request.target)
  const find = pages.get(path)
  if (find === undefined) return made(request, { status: 404, body: 'no such path\n' })
  if (!methods.includes(request.method)) {
    const answer = made(request, { status: 405, body: `only ${allowed}\n` })
    return { ...answer, headers: { ...answer.headers, Allow: allowed } }
  }
  return made(request, find(knowledge, filters))
}

const methods: readonly string[] = ['GET', 'HEAD', 'OPTIONS']
const allowed = methods.join(', ')

type Page = { readonly status: number; readonly body: string; readonly type?: string }

const textType = 'text/plain; charset=utf-8'
const jsonType = 'application/json'

/** HEAD tells how long the answer to a GET would be, OPTIONS has an answer of no length. */
const made = ({ method }: HttpRequest, { status, body, type = textType }: Page): HttpAnswer => ({
  status,
  headers: {
    'Content-Type': type,
    'Content-Length': method === 'OPTIONS' ? 0 : Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Connection: 'close',
  },
  body: method === 'HEAD' || method === 'OPTIONS' ? '' : body,
})

/**
 * Slashes at the beginning count as one, and those at the end as none, as in Patroni: vip-manager
 * puts its `/primary` behind an address that by default ends with one, and asks for `//primary`.
 */
const readTarget = (target: string) => {
  const [path = '', ...query] = target.replace(/^https?:\/\/[^/?]*/i, '').split('?')
  return {
    path: path.replace(/^(?:\/+|$)/, '/').replace(/(?<=[^/])\/+$/, ''),
    filters: new URLSearchParams(query.join('?')),
  }
}

const streamingFilter = 'replication_state'

type Check = (knowledge: HttpKnowledge, filters: URLSearchParams) => boolean

const isPrimary: Check = ({ availability: a }) => a.kind === 'available' && a.role === 'primary'

const isStandby: Check = ({ availability: a }) => a.kind === 'available' && a.role === 'standby'

/** Filters choose among standbys. One that can't be judged here is met by none. */
const isWantedStandby: Check = (knowledge, filters) =>
  isStandby(knowledge, filters) &&
  [...filters].every(([name, value]) => {
    if (value === '') return true
    if (name === streamingFilter) return value === 'streaming' && isStreaming(knowledge)
    return name !== 'lag' && !name.startsWith('tag_')
  })

const isStreaming = ({ replication }: HttpKnowledge): boolean => replication() === 'streaming'

const isEither: Check = (knowledge, filters) =>
  isPrimary(knowledge, filters) || isStandby(knowledge, filters)

const isReadable: Check = (knowledge, filters) =>
  isPrimary(knowledge, filters) || isWantedStandby(knowledge, filters)

const isThere: Check = () => true

const wordOf = (availability: Availability): string => wireWords[answerOf(availability)]

type Find = (knowledge: HttpKnowledge, filters: URLSearchParams) => Page

const check =
  (holds: Check): Find =>
  (knowledge, filters) => ({
    status: holds(knowledge, filters) ? 200 : 503,
    body: `${wordOf(knowledge.availability)}\n`,
  })

const findStatus: Find = ({ availability, status }) => {
  const body = status()
  return body === null
    ? { status: 503, body: `${wordOf(availability)}\n` }
    : { status: 200, body, type: jsonType }
}

const findMetrics: Find = ({ metrics }) => ({
  status: 200,
  body: metrics(),
  type: prometheusType,
})

const findHistory: Find = ({ history }) => ({ status: 200, body: history(), type: jsonType })

const pages: ReadonlyMap<string, Find> = new Map([
  ['/', check(isPrimary)],
  ['/primary', check(isPrimary)],
  ['/read-write', check(isPrimary)],
  ['/master', check(isPrimary)],
  ['/leader', check(isPrimary)],
  ['/replica', check(isWantedStandby)],
  ['/read-only', check(isReadable)],
  ['/health', check(isEither)],
  ['/readiness', check(isReadable)],
  ['/liveness', check(isThere)],
  ['/status', findStatus],
  ['/metrics', findMetrics],
  ['/history', findHistory],
])
