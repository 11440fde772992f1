/** The ways to ask for the role: its port, HTTP, and HAProxy's agent-check. */
import type { OpenPort, PortPurpose, Report } from '../../facts/report/event.ts'
import type { Identity } from '../../facts/report/member-json.ts'
import type { Outcome } from '../../facts/outcome.ts'
import type { Timers } from '../../facts/timers.ts'
import type { Verdict } from '../../facts/decide/verdict.ts'
import type { Clock } from '../../observe/system/clock.ts'
import { makeAgentReplies, type ReplyToAgent } from '../../serve/role/agent-reply.ts'
import { createAllowList, type Allowed } from '../../serve/allow-list.ts'
import type { ConnectionCounters } from '../../serve/role/answering.ts'
import type { Credentials } from '../../serve/http/tls-credentials.ts'
import type { Endpoint, ListenFault } from '../../serve/endpoint.ts'
import type { Listen } from '../../serve/listening.ts'
import type { Share } from '../../serve/connection-slots.ts'
import { makeReplies, type Reply, type WhenUnavailable } from '../../serve/role/reply.ts'
import { createRoleListener } from '../../serve/role/role-listener.ts'
import { createRolePort } from '../../serve/role/role-port.ts'
import { createHttpSurface, type HttpEndpoint, type Knowledge } from './http-surface.ts'
import type { ServeOptions } from '../options/option-values.ts'

/** Simultaneous connections of one listener; a load balancer has a handful. */
const connectionsMax = 4096
/** How long an answered client may take to close the connection. */
const lingerMs = 1000

/** Started once, called with each verdict, destroyed at the end. */
export type Surface = {
  readonly start: (verdict: Verdict) => Promise<Outcome<readonly OpenPort[], ListenFault>>
  readonly follow: (verdict: Verdict) => void
  readonly destroy: () => void
}

export type SurfaceNeeds = {
  readonly clock: Clock
  readonly report: Report
  readonly listen: Listen
  /** Null for plain HTTP. */
  readonly credentials: Credentials | null
  /** Names of this host, for HTTP. */
  readonly ownNames: readonly string[]
  readonly identity: Identity
  /** The connection limit of a listener that would have `wanted`. */
  readonly share: (wanted: number) => Share
}

/** `sockets`: descriptors of listening sockets, to be used instead of port and addresses. */
export type SurfaceOptions = ServeOptions & { readonly sockets: readonly number[] }

export type Surfaces = {
  /** In the order in which they are to be started. */
  readonly all: readonly Surface[]
  /** Sets the certificate for new connections, if TLS is used. */
  readonly renew: (credentials: Credentials) => void
}

export const openSurfaces = (
  options: SurfaceOptions,
  needs: SurfaceNeeds,
  knowledge: Knowledge,
): Surfaces => {
  const allowed = createAllowList(options.allow)
  const { ownNames, clock, credentials, share, report } = needs
  const role = createRoleSurface(options, { ...needs, timers: clock, allowed }, knowledge)
  const http = createHttpSurface(httpEndpointsOf(options, ownNames), {
    ...knowledge,
    connections: role.counters,
    leaseMs: options.leaseMs,
    identity: needs.identity,
    clock,
    allowed,
    credentials,
    share,
    report,
  })
  const agent = createAgentSurface(options, { ...needs, timers: clock, allowed }, knowledge)
  return { all: [role, http, agent], renew: http.renew }
}

const httpEndpointsOf = (
  { http, httpHealth, httpHosts }: ServeOptions,
  namesOfHost: readonly string[],
): readonly HttpEndpoint[] => {
  const ownNames = [...namesOfHost, ...httpHosts]
  return [
    ...http.map(on => ({ on, access: { healthOnly: false, ownNames } })),
    ...httpHealth.map(on => ({ on, access: { healthOnly: true, ownNames } })),
  ]
}

/** For a port that answers with a word. */
type WordNeeds = Pick<SurfaceNeeds, 'listen' | 'share' | 'report'> & {
  readonly timers: Timers
  /** Null if all clients are. */
  readonly allowed: Allowed | null
}

type WordSurface = Surface & { readonly counters: () => readonly ConnectionCounters[] }

const createRoleSurface = (
  options: SurfaceOptions,
  needs: WordNeeds,
  knowledge: Knowledge,
): WordSurface => {
  const { sockets } = options
  const closesInstead = sockets.length > 0 && options.whenUnavailable === 'refuse'
  const whenUnavailable = closesInstead ? 'close' : options.whenUnavailable
  if (sockets.length > 0) {
    needs.report({ kind: 'sockets passed', count: sockets.length, closesInstead })
  }
  const answer = answerWith(makeReplies({ ...options, whenUnavailable }), knowledge)
  const endpoints = endpointsOf(options)
  return createWordSurface({ purpose: 'role', endpoints, whenUnavailable, answer }, needs)
}

const endpointsOf = ({ sockets, bind, port }: SurfaceOptions): readonly Endpoint[] => {
  if (sockets.length > 0) return sockets.map(passed => ({ address: null, port, passed }))
  return bind.length === 0 ? [{ address: null, port }] : bind.map(address => ({ address, port }))
}

/** Open whatever the verdict: HAProxy ignores an agent that it cannot reach. */
const createAgentSurface = (
  { agent, agentUpFor, agentLag }: ServeOptions,
  needs: WordNeeds,
  knowledge: Knowledge,
): Surface => {
  const replyTo = makeAgentReplies(agentUpFor)
  const answer =
    agentLag === null ? answerWith(replyTo, knowledge) : answerWithLag(replyTo, agentLag, knowledge)
  const whenUnavailable = 'reply'
  return createWordSurface({ purpose: 'agent', endpoints: agent, whenUnavailable, answer }, needs)
}

const answerWithLag =
  (replyTo: ReplyToAgent, max: number, { verdict, currentSnapshot, lag }: Knowledge): Answer =>
  async () => {
    const before = await verdict()
    // Reading the position in the log is for standbys only.
    if (before.kind === 'unavailable' || before.role === 'primary') return replyTo(before)
    const snapshot = await currentSnapshot()
    const now = snapshot && lag(snapshot)
    // The verdict comes last: the rest may take a while.
    return replyTo(await verdict(), { now, max })
  }

type Answer = () => Reply | Promise<Reply>

const answerWith =
  (replyTo: (verdict: Verdict) => Reply, { verdict }: Knowledge): Answer =>
  () => {
    const current = verdict()
    return current instanceof Promise ? current.then(replyTo) : replyTo(current)
  }

const createWordSurface = (
  {
    purpose,
    endpoints,
    whenUnavailable,
    answer,
  }: {
    readonly purpose: PortPurpose
    readonly endpoints: readonly Endpoint[]
    readonly whenUnavailable: WhenUnavailable
    readonly answer: Answer
  },
  { timers, allowed, listen, share, report }: WordNeeds,
): WordSurface => {
  const options = { answer, allowed, listen, lingerMs, timers, report }
  const listeners = endpoints.map(endpoint =>
    createRoleListener({ ...endpoint, ...options, share: share(connectionsMax) }),
  )
  return {
    ...createRolePort({ listeners, purpose, whenUnavailable, timers, report }),
    counters: () => listeners.map(listener => listener.counters()),
  }
}
