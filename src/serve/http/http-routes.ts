/**
 * HTTP health checks: what each path means, and how it is answered.
 *
 * Paths, methods and status codes are those of Patroni's REST API (docs/rest_api.rst), so that a
 * configuration for Patroni works unchanged: 200 for yes, 503 for no. There is no leader lock, so
 * /leader means the same as /primary.
 */
import type { ReplicationState } from '../../facts/decide/streaming.ts'
import { answerOf, type Availability } from '../../facts/decide/verdict.ts'
import { parseSize } from '../../facts/units.ts'
import { refuseAccess, type Access, type Requester } from './http-access.ts'
import { pageHeaders } from './page-headers.ts'
import { prometheusType } from './prometheus-text.ts'
import { wireWords } from '../role/reply.ts'

export type HttpRequest = Requester & {
  readonly method: string
  /** The Accept header; null without one. */
  readonly accept: string | null
  /** As in the request line: a path with or without a query, or a whole URL. */
  readonly target: string
}

/** The content for one answer. A page is made only if it was requested. */
export type HttpContent = {
  readonly availability: Availability
  /** Null for a server that is not a standby. */
  readonly replication: () => ReplicationState | null
  /** In bytes; null for a server that is not a standby, or if it is unknown. */
  readonly lag: () => number | null
  /** Null before the first check. */
  readonly snapshot: () => string | null
  readonly metrics: () => string
  readonly history: () => Uint8Array
  readonly member: () => string
  readonly cluster: () => string
  readonly page: () => string
}

export type HttpAnswer = {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string | Uint8Array
}

export type Route = {
  /**
   * The answer depends on current process titles or the position in the write-ahead log. Frequent
   * health checks do not need them.
   */
  readonly needsAll: boolean
  readonly answer: (content: HttpContent) => HttpAnswer
}

export const routeRequest = (request: HttpRequest, access: Access): Route => {
  const { path, filters } = readTarget(request.target)
  const fixed = (page: Page): Route => {
    const answer = answerWith(request, page)
    return { needsAll: false, answer: () => answer }
  }
  const document = documentAt(path, request, access)
  const makePage = document?.page ?? checks.get(path)
  if (makePage === undefined) return fixed({ statusCode: 404, body: 'no such path\n' })
  if (!methods.includes(request.method)) {
    return fixed({ statusCode: 405, body: `only ${allowed}\n`, headers: { Allow: allowed } })
  }
  const refused = document === undefined ? null : refuseAccess(request, access)
  if (refused !== null) return fixed(refused)
  return {
    needsAll: document?.needsAll ?? [streamingFilter, lagFilter].some(name => filters.has(name)),
    answer: content => answerWith(request, makePage(content, filters)),
  }
}

const methods: readonly string[] = ['GET', 'HEAD', 'OPTIONS']
const allowed = methods.join(', ')

type Page = {
  readonly statusCode: number
  readonly body: HttpAnswer['body']
  readonly type?: string
  readonly headers?: HttpAnswer['headers']
}

const textType = 'text/plain; charset=utf-8'
const jsonType = 'application/json'

/** The answer to HEAD has the length of that to GET, the answer to OPTIONS has length 0. */
const answerWith = (
  { method }: HttpRequest,
  { statusCode, body, type = textType, headers = {} }: Page,
): HttpAnswer => ({
  statusCode,
  headers: {
    'Content-Type': type,
    'Content-Length': method === 'OPTIONS' ? 0 : Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Connection: 'close',
    ...headers,
  },
  body: method === 'HEAD' || method === 'OPTIONS' ? '' : body,
})

/**
 * As in Patroni, several slashes at the beginning count as one, and slashes at the end are ignored:
 * vip-manager appends `/primary` to a URL that by default ends with a slash.
 */
const readTarget = (target: string) => {
  const [path = '', ...query] = target.replace(/^https?:\/\/[^/?]*/i, '').split('?')
  return {
    path: path.replace(/^(?:\/+|$)/, '/').replace(/(?<=[^/])\/+$/, ''),
    filters: new URLSearchParams(query.join('?')),
  }
}

const streamingFilter = 'replication_state'
const lagFilter = 'lag'

type Check = (content: HttpContent, filters: URLSearchParams) => boolean

const isPrimary: Check = ({ availability: a }) => a.kind === 'available' && a.role === 'primary'

const isStandby: Check = ({ availability: a }) => a.kind === 'available' && a.role === 'standby'

/** Filters select standbys. If a filter cannot be evaluated here, no standby matches it. */
const isMatchingStandby: Check = (content, filters) =>
  isStandby(content, filters) &&
  [...filters].every(([name, value]) => {
    if (value === '') return true
    if (name === streamingFilter) return value === 'streaming' && isStreaming(content)
    if (name === lagFilter) return isWithin(content.lag(), parseSize(value))
    return !name.startsWith('tag_')
  })

const isStreaming = ({ replication }: HttpContent): boolean => replication() === 'streaming'

/** Unknown is no. */
const isWithin = (lag: number | null, most: number | null): boolean =>
  lag !== null && most !== null && lag <= most

const isEither: Check = (content, filters) =>
  isPrimary(content, filters) || isStandby(content, filters)

const isReadable: Check = (content, filters) =>
  isPrimary(content, filters) || isMatchingStandby(content, filters)

const isRunning: Check = () => true

const wordOf = (availability: Availability): string => wireWords[answerOf(availability)]

type MakePage = (content: HttpContent, filters: URLSearchParams) => Page

const check =
  (isMet: Check): MakePage =>
  (content, filters) => ({
    statusCode: isMet(content, filters) ? 200 : 503,
    body: `${wordOf(content.availability)}\n`,
  })

const statusPage: MakePage = ({ availability, snapshot }) => {
  const body = snapshot()
  return body === null
    ? { statusCode: 503, body: `${wordOf(availability)}\n` }
    : { statusCode: 200, body, type: jsonType }
}

const metricsPage: MakePage = ({ metrics }) => ({
  statusCode: 200,
  body: metrics(),
  type: prometheusType,
})

const historyPage: MakePage = ({ history }) => ({
  statusCode: 200,
  body: history(),
  type: jsonType,
})

const memberPage: MakePage = ({ member }) => ({
  statusCode: 200,
  body: member(),
  type: jsonType,
})

const clusterPage: MakePage = ({ cluster }) => ({
  statusCode: 200,
  body: cluster(),
  type: jsonType,
})

const uiPage: MakePage = ({ page }) => ({
  statusCode: 200,
  body: page(),
  type: 'text/html; charset=utf-8',
  headers: pageHeaders(),
})

/** The status code is that of the check. */
const rootPage: MakePage = (content, filters) => ({
  ...uiPage(content, filters),
  statusCode: isPrimary(content, filters) ? 200 : 503,
})

/** For every client that can connect. */
const checks: ReadonlyMap<string, MakePage> = new Map([
  ['/', check(isPrimary)],
  ['/primary', check(isPrimary)],
  ['/read-write', check(isPrimary)],
  ['/master', check(isPrimary)],
  ['/leader', check(isPrimary)],
  ['/replica', check(isMatchingStandby)],
  ['/read-only', check(isReadable)],
  ['/health', check(isEither)],
  ['/readiness', check(isReadable)],
  ['/liveness', check(isRunning)],
])

type Document = { readonly page: MakePage } & Pick<Route, 'needsAll'>

/** Pages that show more than the role, and need access: see refuseAccess(). */
const documents: ReadonlyMap<string, Document> = new Map([
  ['/status', { page: statusPage, needsAll: true }],
  ['/metrics', { page: metricsPage, needsAll: true }],
  ['/history', { page: historyPage, needsAll: false }],
  ['/member', { page: memberPage, needsAll: true }],
  ['/cluster', { page: clusterPage, needsAll: true }],
  ['/ui', { page: uiPage, needsAll: true }],
])

/** Undefined if the path is a check, or none of ours. */
const documentAt = (path: string, request: HttpRequest, access: Access): Document | undefined => {
  const isBrowser = path === '/' && acceptsHtml(request)
  // A browser that has no access to pages gets what every other client gets.
  return isBrowser && refuseAccess(request, access) === null
    ? { page: rootPage, needsAll: true }
    : documents.get(path)
}

/** Said by browsers only: load balancers send no such header, and most tools send any type. */
const acceptsHtml = ({ accept }: HttpRequest): boolean =>
  /(?:^|,)\s*text\/html\s*(?:[,;]|$)/i.test(accept ?? '')
