/** The ways of asking for the role, each a way from what is known to bytes. */
import type { Report } from '../facts/event.ts'
import type { History } from '../facts/history.ts'
import type { Outcome } from '../facts/outcome.ts'
import type { Snapshot } from '../facts/snapshot.ts'
import type { Verdict } from '../facts/verdict.ts'
import { makeAgentReplies } from '../serve/agent-reply.ts'
import { createAllowList, type Allowed } from '../serve/allow-list.ts'
import type { ConnectCounters } from '../serve/answering.ts'
import type { BoundAddress, Endpoint, EndpointOptions, ListenFault } from '../serve/endpoint.ts'
import type { Listen } from '../serve/listening.ts'
import { makeReplies, type Reply, type WhenUnavailable } from '../serve/reply.ts'
import { createRoleListener } from '../serve/role-listener.ts'
import { createRolePort } from '../serve/role-port.ts'
import { createHttpSurface } from './http-surface.ts'
import { createListenerReport } from './listener-events.ts'
import type { OptionName } from './option-table.ts'
import type { ServeOptions } from './option-values.ts'
import type { Outside } from './outside.ts'

/** Simultaneous connections of one address; a load balancer has a handful. */
const connectionsMax = 4096
/** How long an answered client may take to hang up. */
const lingerMs = 1000

/** Opened at the start, told of each verdict, closed at the end. */
export type Surface = {
  readonly start: (verdict: Verdict) => Promise<Outcome<readonly BoundAddress[], ListenFault>>
  readonly follow: (verdict: Verdict) => void
  readonly destroy: () => void
  /** The options that say where. */
  readonly givenBy: EndpointOptions<OptionName>
}

/** What a surface asks at the moment somebody asks it. */
export type Knowledge = {
  /** The verdict that may be told now. One to wait for never rejects. */
  readonly verdict: () => Verdict | Promise<Verdict>
  /** What the last look saw; null before the first. */
  readonly looked: () => Snapshot | null
  /**
   * The same with the titles of now, which tell of replication. Its verdict is that of the look:
   * what may be told now is told by verdict().
   */
  readonly snapshot: () => Promise<Snapshot | null>
  /** The last changes of the verdict, oldest first: see historyJson(). */
  readonly history: () => History
}

export type SurfaceNeeds = {
  readonly outside: Pick<Outside, 'clock'>
  readonly report: Report
  readonly listen: Listen
}

/** `sockets`: descriptors that listen already, and take the place of port and addresses. */
export type SurfaceOptions = ServeOptions & { readonly sockets: readonly number[] }

/** In the order in which they are to be opened. */
export const openSurfaces = (
  options: SurfaceOptions,
  needs: SurfaceNeeds,
  knowledge: Knowledge,
): readonly Surface[] => {
  const { clock } = needs.outside
  const tcp = { ...needs, allowed: createAllowList(options.allow) }
  const role = createRoleSurface(options, tcp, knowledge)
  const http = createHttpSurface(options.http, {
    ...knowledge,
    connects: role.counters,
    leaseMs: options.leaseMs,
    clock,
    allowed: tcp.allowed,
    report: createListenerReport(needs.report),
  })
  return [role, http, createAgentSurface(options, tcp, knowledge)]
}

const roleOptions = { port: 'port', address: 'bind' } as const
const agentOptions = { port: 'agent', address: 'agent' } as const

/** What every surface needs that tells the role in a word. */
type WordNeeds = SurfaceNeeds & {
  /** Null for everybody. */
  readonly allowed: Allowed | null
}

type WordSurface = Surface & { readonly counters: () => readonly ConnectCounters[] }

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
  return createWordSurface({ endpoints, whenUnavailable, answer, givenBy: roleOptions }, needs)
}

const endpointsOf = ({ sockets, bind, port }: SurfaceOptions): readonly Endpoint[] => {
  if (sockets.length > 0) return sockets.map(passed => ({ address: null, port, passed }))
  return bind.length === 0 ? [{ address: null, port }] : bind.map(address => ({ address, port }))
}

/** Open whatever the verdict: HAProxy takes no notice of an agent that it can't reach. */
const createAgentSurface = (
  { agent, agentUpFor }: ServeOptions,
  needs: WordNeeds,
  knowledge: Knowledge,
): Surface => {
  const answer = answerWith(makeAgentReplies(agentUpFor), knowledge)
  const whenUnavailable = 'reply'
  return createWordSurface(
    { endpoints: agent, whenUnavailable, answer, givenBy: agentOptions },
    needs,
  )
}

type Answer = () => Reply | Promise<Reply>

const answerWith =
  (replyTo: (verdict: Verdict) => Reply, { verdict }: Knowledge): Answer =>
  () => {
    const now = verdict()
    return now instanceof Promise ? now.then(replyTo) : replyTo(now)
  }

const createWordSurface = (
  surface: {
    readonly endpoints: readonly Endpoint[]
    readonly whenUnavailable: WhenUnavailable
    readonly answer: Answer
    readonly givenBy: EndpointOptions<OptionName>
  },
  needs: WordNeeds,
): WordSurface => {
  const { endpoints, whenUnavailable, answer, givenBy } = surface
  const { allowed, listen } = needs
  const timers = needs.outside.clock
  const report = createListenerReport(needs.report)
  const options = { answer, allowed, listen, connectionsMax, lingerMs, timers, report }
  const listeners = endpoints.map(endpoint => createRoleListener({ ...endpoint, ...options }))
  return {
    ...createRolePort({ listeners, whenUnavailable, timers, report }),
    givenBy,
    counters: () => listeners.map(listener => listener.counters()),
  }
}
