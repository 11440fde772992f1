/** HTTP beside the port that tells the role: open all the time, whatever there is to tell. */
import { historyJson, type History } from '../facts/history.ts'
import { fact, type Outcome } from '../facts/outcome.ts'
import { printJson, snapshotDocument } from '../facts/snapshot-json.ts'
import type { Snapshot } from '../facts/snapshot.ts'
import { replicationOf } from '../facts/streaming.ts'
import type { Availability, Verdict } from '../facts/verdict.ts'
import type { Clock } from '../observe/clock.ts'
import type { Allowed } from '../serve/allow-list.ts'
import type { ConnectCounters } from '../serve/answering.ts'
import type { BoundAddress, Endpoint, EndpointOptions, ListenFault } from '../serve/endpoint.ts'
import { createHttpListener } from '../serve/http-listener.ts'
import {
  answerHttp,
  asksForTitles,
  type HttpAnswer,
  type HttpRequest,
} from '../serve/http-routes.ts'
import type { ConnectEvent } from '../serve/losses.ts'
import { printMetrics } from '../serve/metrics.ts'
import { createTally } from '../serve/tally.ts'
import type { OptionName } from './option-table.ts'
import { version } from './version.ts'

/** Of one address; a load balancer has a handful. */
const connectionsMax = 512

export type HttpSurface = {
  /** Opens every listener; the fault of the first that can't be had. */
  readonly start: () => Promise<Outcome<readonly BoundAddress[], ListenFault>>
  /** Told of each verdict, so that changes and looks are counted. */
  readonly follow: (availability: Availability) => void
  readonly destroy: () => void
  readonly givenBy: EndpointOptions<OptionName>
}

export const createHttpSurface = (
  endpoints: readonly Endpoint[],
  needs: {
    /** The verdict that may be told now. One to wait for never rejects. */
    readonly verdict: () => Verdict | Promise<Verdict>
    /** What the last look saw; null before the first. */
    readonly looked: () => Snapshot | null
    /** The same with the titles of now; never rejects. */
    readonly snapshot: () => Promise<Snapshot | null>
    readonly history: () => History
    /** Of each listener that tells the role. */
    readonly connects: () => readonly ConnectCounters[]
    readonly leaseMs: number
    readonly clock: Clock
    /** Null for everybody. */
    readonly allowed: Allowed | null
    readonly report: (event: ConnectEvent) => void
  },
): HttpSurface => {
  const { clock, leaseMs, allowed, report } = needs
  const tally = createTally()
  const tell = (request: HttpRequest, verdict: Verdict, snapshot: Snapshot | null): HttpAnswer => {
    return answerHttp(request, {
      availability: verdict,
      replication: () => snapshot && (replicationOf(snapshot.evidence)?.state ?? null),
      // An expired lease or a lost pulse holds for those who read JSON as well.
      status: () => (snapshot === null ? null : snapshotDocument({ ...snapshot, verdict })),
      metrics: () =>
        printMetrics({
          version,
          verdict,
          snapshot,
          now: clock.monotonic(),
          leaseMs,
          tally: tally.read(),
          connects: needs.connects(),
          http: listeners.map(listener => listener.counters()),
        }),
      history: () => printJson(historyJson(needs.history())),
    })
  }
  const answer = (request: HttpRequest): HttpAnswer | Promise<HttpAnswer> => {
    if (asksForTitles(request)) return tellWithTitles(request)
    const now = needs.verdict()
    return now instanceof Promise
      ? now.then(settled => tell(request, settled, needs.looked()))
      : tell(request, now, needs.looked())
  }
  /** The verdict comes last: titles may keep one waiting. */
  const tellWithTitles = async (request: HttpRequest): Promise<HttpAnswer> => {
    const snapshot = await needs.snapshot()
    return tell(request, await needs.verdict(), snapshot)
  }
  const listeners = endpoints.map(on =>
    createHttpListener({ on, answer, allowed, connectionsMax, timers: clock, report }),
  )
  return {
    start: async () => {
      const bounds: BoundAddress[] = []
      for (const listener of listeners) {
        const opened = await listener.open()
        if (!opened.ok) return opened
        bounds.push(opened.fact)
      }
      return fact(bounds)
    },
    follow: availability => tally.follow(availability, needs.looked()),
    destroy: () => {
      for (const listener of listeners) listener.destroy()
    },
    givenBy: { port: 'http', address: 'http' },
  }
}
