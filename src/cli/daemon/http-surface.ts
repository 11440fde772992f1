/** HTTP, open all the time, whatever the verdict. */
import type { OpenPort, Report } from '../../facts/report/event.ts'
import { historyJson, type History } from '../../facts/report/changes.ts'
import { fact, type Outcome } from '../../facts/outcome.ts'
import { clusterPage } from '../../facts/page/cluster-page.ts'
import { clusterDocument } from '../../facts/report/cluster-json.ts'
import { clusterOf, type Cluster, type PeerSight } from '../../facts/report/cluster-members.ts'
import { phasesOf } from '../../facts/report/phases.ts'
import { memberDocument, memberOf, type Identity } from '../../facts/report/member-json.ts'
import { printJson, snapshotDocument } from '../../facts/report/snapshot-json.ts'
import type { Member } from '../../facts/decide/member.ts'
import type { Snapshot } from '../../facts/decide/snapshot.ts'
import { replicationOf } from '../../facts/decide/streaming.ts'
import type { Availability, Verdict } from '../../facts/decide/verdict.ts'
import type { Clock } from '../../observe/system/clock.ts'
import type { Allowed } from '../../serve/allow-list.ts'
import type { ConnectionCounters } from '../../serve/role/answering.ts'
import type { Credentials } from '../../serve/http/tls-credentials.ts'
import { isSocketPath, type Endpoint, type ListenFault } from '../../serve/endpoint.ts'
import type { Access } from '../../serve/http/http-access.ts'
import { createHttpListener } from '../../serve/http/http-listener.ts'
import { routeRequest, type HttpAnswer, type HttpRequest } from '../../serve/http/http-routes.ts'
import type { Share } from '../../serve/connection-slots.ts'
import { printMetrics } from '../../serve/http/metrics.ts'
import { createCounters } from '../../serve/counters.ts'
import { version } from '../output/version.ts'

export type HttpEndpoint = { readonly on: Endpoint; readonly access: Access }

const local = { credentials: null, allowed: null } as const

/** Simultaneous connections of one listener; a load balancer has a handful. */
const connectionsMax = 512

/** What can be asked when a request arrives. */
export type Knowledge = {
  /** The verdict at this moment. A promise never rejects. */
  readonly verdict: () => Verdict | Promise<Verdict>
  /** The result of the last check; null before the first. */
  readonly lastSnapshot: () => Snapshot | null
  /**
   * The same with current process titles, which show the state of replication, and with the current
   * position in the write-ahead log. Its verdict is that of the check: for the current one, call
   * verdict().
   */
  readonly currentSnapshot: () => Promise<Snapshot | null>
  /** In bytes; null if it is unknown: see lagOf(). */
  readonly lag: (snapshot: Snapshot) => number | null
  /** What is known of the other members. */
  readonly peers: () => readonly PeerSight[]
  /** The last changes of the verdict, oldest first: see historyJson(). */
  readonly history: () => History
}

export type HttpSurface = {
  /** Opens every listener, or returns the fault of the first that cannot be opened. */
  readonly start: () => Promise<Outcome<readonly OpenPort[], ListenFault>>
  /** To be called with each verdict: counts changes and checks. */
  readonly follow: (availability: Availability) => void
  /** Sets the certificate for new connections, if TLS is used. */
  readonly renew: (credentials: Credentials) => void
  readonly destroy: () => void
}

export const createHttpSurface = (
  endpoints: readonly HttpEndpoint[],
  needs: Knowledge & {
    /** Of each listener that reports the role. */
    readonly connections: () => readonly ConnectionCounters[]
    /** Null for plain HTTP. */
    readonly credentials: Credentials | null
    readonly leaseMs: number
    readonly identity: Identity
    readonly clock: Clock
    /** Null if all clients are. */
    readonly allowed: Allowed | null
    readonly share: (wanted: number) => Share
    readonly report: Report
  },
): HttpSurface => {
  const { clock, leaseMs, identity, allowed, share, report, verdict, lastSnapshot } = needs
  const counters = createCounters()
  let { credentials } = needs
  const printHistory = createHistoryPrinter()
  const memberFrom = (current: Verdict, snapshot: Snapshot | null): Member =>
    memberOf(snapshot, { ...identity, verdict: current, now: clock.monotonic() })
  const lagIn = (snapshot: Snapshot | null): number | null => snapshot && needs.lag(snapshot)
  const hostOf = ({ address }: Endpoint): string =>
    address === null || isSocketPath(address) ? identity.name : address
  const clusterFrom = (current: Verdict, snapshot: Snapshot | null, on: Endpoint): Cluster => {
    const address = { secure: credentials !== null, host: hostOf(on), port: on.port }
    const phases = phasesOf(needs.history())
    return clusterOf({ member: memberFrom(current, snapshot), address, phases }, needs.peers())
  }
  const contentOf = (current: Verdict, snapshot: Snapshot | null, on: Endpoint) => ({
    availability: current,
    replication: () => snapshot && (replicationOf(snapshot.evidence)?.state ?? null),
    lag: () => lagIn(snapshot),
    // With the current verdict, since the lease may have expired after the check.
    snapshot: () =>
      snapshot && snapshotDocument({ ...snapshot, verdict: current }, { lag: lagIn(snapshot) }),
    metrics: () =>
      printMetrics({
        version,
        verdict: current,
        snapshot,
        lag: lagIn(snapshot),
        now: clock.monotonic(),
        leaseMs,
        counters: counters.read(),
        connections: needs.connections(),
        certificateExpiresAt: credentials === null ? null : credentials.expiresAt,
        http: listeners.map(listener => listener.counters()),
      }),
    history: () => printHistory(needs.history()),
    member: () => memberDocument(memberFrom(current, snapshot)),
    cluster: () => clusterDocument(clusterFrom(current, snapshot, on)),
    page: () => clusterPage(clusterFrom(current, snapshot, on), clock.unix()),
  })
  const answer = (
    request: HttpRequest,
    { on, access }: HttpEndpoint,
  ): HttpAnswer | Promise<HttpAnswer> => {
    const route = routeRequest(request, access)
    const answerNow = (current: Verdict): HttpAnswer =>
      route.answer(contentOf(current, lastSnapshot(), on))
    const answerWithAll = async (): Promise<HttpAnswer> => {
      const snapshot = await needs.currentSnapshot()
      // The verdict comes last: the rest may take a while.
      return route.answer(contentOf(await verdict(), snapshot, on))
    }
    if (route.needsAll) return answerWithAll()
    const current = verdict()
    return current instanceof Promise ? current.then(answerNow) : answerNow(current)
  }
  const listeners = endpoints.map(endpoint => ({
    purpose: endpoint.access.healthOnly ? ('http-health' as const) : ('http' as const),
    ...createHttpListener({
      on: endpoint.on,
      // The modes of its folder decide which users can connect to a Unix socket.
      ...(isSocketPath(endpoint.on.address) ? local : { credentials, allowed }),
      answer: request => answer(request, endpoint),
      share: share(connectionsMax),
      timers: clock,
      report,
    }),
  }))
  return {
    start: async () => {
      const ports: OpenPort[] = []
      for (const { open, purpose } of listeners) {
        const opened = await open()
        if (!opened.ok) return opened
        ports.push({ ...opened.fact, purpose })
      }
      return fact(ports)
    },
    follow: availability => counters.follow(availability, lastSnapshot()),
    renew: next => {
      credentials = next
      for (const listener of listeners) listener.renew(next)
    },
    destroy: () => {
      for (const listener of listeners) listener.destroy()
    },
  }
}

/**
 * Returns the same bytes until the next change: they may be 200 kB, and as many clients as there
 * are connections may leave them unread.
 */
const createHistoryPrinter = (): ((history: History) => Uint8Array) => {
  let last: { readonly history: History; readonly bytes: Uint8Array } | null = null
  return history => {
    if (last?.history !== history) {
      last = { history, bytes: Buffer.from(printJson(historyJson(history))) }
    }
    return last.bytes
  }
}
