/**
 * The listener for HTTP on one address.
 *
 * A connection is for one request: the answer ends it, whatever else was sent. Bodies are not read.
 * Invalid, too long or too slow requests get the answer of Node.js (400, 431 or 408), and their
 * connection is closed, too. Node.js limits the time to send a request, but not the time to read
 * the answer: this module disconnects clients that do not read it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Outcome } from '../../facts/outcome.ts'
import type { Credentials } from './tls-credentials.ts'
import type { BoundAddress, Endpoint, ListenFault } from '../endpoint.ts'
import type { HttpAnswer, HttpRequest } from './http-routes.ts'
import { createHttpServer } from './http-server.ts'
import { startListening, systemListen, type Listen } from '../listening.ts'
import {
  createLostConnections,
  type ConnectionOptions,
  type LossCounters,
} from '../lost-connections.ts'
import { readOneRequest } from './one-request.ts'
import { createDeadlines } from '../connection-deadlines.ts'

export type HttpLimits = {
  /** Of request line and header together. */
  readonly headerBytesMax: number
  /** From the connection until the header is complete; with TLS also for the handshake alone. */
  readonly headersTimeoutMs: number
  /** How often Node.js checks for slow clients. */
  readonly checkEveryMs: number
  /** From the request until the answer has been read; at most twice as long. */
  readonly answerMs: number
}

/** A health check sends 100 bytes at once, a browser a kilobyte. */
export const httpLimits: HttpLimits = {
  headerBytesMax: 8192,
  headersTimeoutMs: 3000,
  checkEveryMs: 500,
  answerMs: 3000,
}

export type HttpListenerOptions = ConnectionOptions & {
  readonly on: Endpoint
  /** Null for plain HTTP. */
  readonly credentials: Credentials | null
  /** Called once for each request. A promise never rejects. */
  readonly answer: (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>
  readonly limits?: HttpLimits
  readonly listen?: Listen
}

export type HttpListener = {
  /** To be called once. */
  readonly open: () => Promise<Outcome<BoundAddress, ListenFault>>
  /** Sets the certificate for new connections, if TLS is used. */
  readonly renew: (credentials: Credentials) => void
  /** Accepts no new connections, and closes the existing ones. */
  readonly destroy: () => void
  readonly counters: () => LossCounters
}

export const createHttpListener = (options: HttpListenerOptions): HttpListener => {
  const { on, answer, credentials, limits = httpLimits, listen = systemListen } = options
  const lost = createLostConnections(options)
  const { headerBytesMax, headersTimeoutMs, checkEveryMs, answerMs } = limits
  const deadlines = createDeadlines<Socket>({
    timers: options.timers,
    stayMs: answerMs,
    expired: socket => {
      socket.destroy()
    },
  })
  function forget(this: Socket): void {
    deadlines.delete(this)
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket, method, url, headers } = request
    deadlines.add(socket)
    socket.on('close', forget)
    // A request always has both.
    const { host = null, accept = null } = headers
    const certificateFault = http.certificateFault(socket)
    const told = { method: String(method), target: String(url), host, accept, certificateFault }
    const answered = answer(told)
    if (answered instanceof Promise) void sendLater(answered, { socket, response })
    else send(answered, { socket, response })
  }

  const send = ({ statusCode, headers, body }: HttpAnswer, { socket, response }: Asked): void => {
    response.writeHead(statusCode, headers)
    response.end(body)
    lost.answered(http.connectionOf(socket))
  }

  /** If the client has disconnected, there is no answer. */
  const sendLater = async (later: Promise<HttpAnswer>, to: Asked): Promise<void> => {
    const settled = await later
    if (!to.response.destroyed) send(settled, to)
  }

  const http = createHttpServer(
    {
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersTimeoutMs,
      requestTimeout: headersTimeoutMs,
      connectionsCheckingInterval: checkEveryMs,
      // By default HAProxy sends none.
      requireHostHeader: false,
    },
    credentials,
  )
  const { server } = http
  // No limit of lines: Node.js 20 ignores lines above it, and from 22 on the answer is 431.
  server.maxHeadersCount = 0
  server.on('request', onRequest)
  // No request to continue with a body.
  server.on('checkContinue', onRequest)
  server.on('checkExpectation', onRequest)
  http.onStream(readOneRequest)
  lost.watch(server, () => on.port)

  return {
    open: () => startListening(server, on, listen),
    renew: http.renew,
    destroy: () => {
      server.close()
      http.destroyAll()
      deadlines.clear()
      lost.resetReports()
    },
    counters: lost.counters,
  }
}

type Asked = { readonly socket: Socket; readonly response: ServerResponse }
