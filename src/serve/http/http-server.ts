/**
 * The server of an HTTP listener, plain or with TLS.
 *
 * With TLS a connection has two sockets: the accepted one, to which the limits and the allow list
 * apply before a byte is read, and the TLS socket above it, from which requests are read.
 */
import { createServer, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { secureContextOptions, type Credentials } from './tls-credentials.ts'

export type HttpServer = {
  readonly server: Server
  /** Called with the stream that requests are read from, before the first byte is read. */
  readonly onStream: (listener: (socket: Socket) => void) => void
  /** The accepted socket of a request; the socket itself if that is already closed. */
  readonly connectionOf: (socket: Socket) => Socket
  /** Why a client has no valid certificate; null if it has one, or none is required. */
  readonly certificateFault: (socket: Socket) => string | null
  /** Sets the certificate for new connections. */
  readonly renew: (credentials: Credentials) => void
  /** Closes all connections. */
  readonly destroyAll: () => void
}

export const createHttpServer = (
  options: ServerOptions & { readonly headersTimeout: number },
  credentials: Credentials | null,
): HttpServer => {
  if (credentials !== null) return createHttpsServer(options, credentials)
  const server = createServer(options)
  return {
    server,
    onStream: listener => {
      server.on('connection', listener)
    },
    connectionOf: socket => socket,
    certificateFault: () => null,
    renew: () => {},
    destroyAll: () => {
      server.closeAllConnections()
    },
  }
}

const createHttpsServer = (
  options: ServerOptions & { readonly headersTimeout: number },
  credentials: Credentials,
): HttpServer => {
  const server = createTlsServer({
    ...options,
    ...secureContextOptions(credentials),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: options.headersTimeout,
    requestCert: credentials.ca !== null,
    // Health checks need none.
    rejectUnauthorized: false,
  })
  /** By the remote end, which both sockets have: a TLS socket does not show the one below it. */
  const accepted = new Map<string, Socket>()
  server.on('connection', (socket: Socket) => {
    if (socket.destroyed) return
    const key = remoteEnd(socket)
    accepted.set(key, socket)
    socket.on('close', () => {
      // The kernel may have given the same port to another connection by now.
      if (accepted.get(key) === socket) accepted.delete(key)
    })
  })
  return {
    server,
    onStream: listener => {
      server.on('secureConnection', listener)
    },
    connectionOf: socket => accepted.get(remoteEnd(socket)) ?? socket,
    // The socket of a request to a TLS server is a TLS socket.
    certificateFault: socket => (credentials.ca === null ? null : faultOf(socket as TLSSocket)),
    renew: next => {
      server.setSecureContext(secureContextOptions(next))
    },
    destroyAll: () => {
      for (const socket of accepted.values()) socket.destroy()
    },
  }
}

const remoteEnd = ({ remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress} ${remotePort}`

const faultOf = (socket: TLSSocket): string | null => {
  // See secureContextOptions(): for a resumed session it cannot be trusted.
  if (socket.authorized && !socket.isSessionReused()) return null
  const isNone = Object.keys(socket.getPeerCertificate()).length === 0
  return isNone ? 'none was sent' : String(socket.authorizationError)
}
