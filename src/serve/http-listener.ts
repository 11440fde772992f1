/**
 * The listener that answers HTTP on one address, for as long as the program runs.
 *
 * A connection is good for one request: the answer ends it, whatever else has come. Bodies are not
 * read. What is no HTTP, too long or too slow gets the answer that Node has for it (400, 431 or
 * 408) and is closed as well; nobody waits for clients who don't read or don't close.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Outcome } from '../facts/outcome.ts'
import type { BoundAddress, Endpoint, ListenFault } from './endpoint.ts'
import type { HttpAnswer, HttpRequest } from './http-routes.ts'
import { startListening, systemListen, type Listen } from './listening.ts'
import { createLosses, type LossCounters, type LossesOptions } from './losses.ts'

export type HttpLimits = {
  /** Of request line and header together. */
  readonly headerBytesMax: number
  /** From the connect until the header is complete. */
  readonly headersTimeoutMs: number
  /** How much longer it may take until who is too slow is found. */
  readonly checkEveryMs: number
}

/** A health check sends 100 bytes at once, a browser a kilobyte. */
export const httpLimits: HttpLimits = {
  headerBytesMax: 8192,
  headersTimeoutMs: 3000,
  checkEveryMs: 500,
}

export type HttpListenerOptions = LossesOptions & {
  readonly on: Endpoint
  /** Asked once for each request, at that moment. One to wait for never rejects. */
  readonly answer: (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>
  readonly limits?: HttpLimits
  readonly listen?: Listen
}

export type HttpListener = {
  /** To be called once. */
  readonly open: () => Promise<Outcome<BoundAddress, ListenFault>>
  /** Accepts nobody from now on, and cuts off whoever is there. */
  readonly destroy: () => void
  readonly counters: () => LossCounters
}

export const createHttpListener = (options: HttpListenerOptions): HttpListener => {
  const { on, answer, limits = httpLimits, listen = systemListen } = options
  const losses = createLosses(options)
  /** Connections that have had their one request. */
  const asked = new WeakSet<Socket>()

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket, method, url } = request
    if (asked.has(socket)) return
    asked.add(socket)
    // Of a request, both are there.
    const answered = answer({ method: String(method), target: String(url) })
    if (answered instanceof Promise) void sendLater(response, answered)
    else send(response, answered)
  }

  const { headerBytesMax, headersTimeoutMs, checkEveryMs } = limits
  const server = createServer({
    maxHeaderSize: headerBytesMax,
    headersTimeout: headersTimeoutMs,
    requestTimeout: headersTimeoutMs,
    connectionsCheckingInterval: checkEveryMs,
    // haproxy sends none unless it is told to.
    requireHostHeader: false,
  })
  // No limit of lines besides: beyond it Node 20 ignores them, and from 22 on it answers 431.
  server.maxHeadersCount = 0
  server.on('request', onRequest)
  // Nobody is told to go on with a body.
  server.on('checkContinue', onRequest)
  server.on('checkExpectation', onRequest)
  losses.watch(server, () => on)

  return {
    open: () => startListening(server, on, listen),
    destroy: () => {
      server.close()
      server.closeAllConnections()
      losses.forgetNews()
    },
    counters: losses.counters,
  }
}

const send = (response: ServerResponse, { status, headers, body }: HttpAnswer): void => {
  response.writeHead(status, headers)
  response.end(body)
}

/** Who has gone meanwhile has had no answer. */
const sendLater = async (response: ServerResponse, later: Promise<HttpAnswer>): Promise<void> => {
  const settled = await later
  if (!response.destroyed) send(response, settled)
}
