/**
 * Makes a server listen, on an address or a path, and returns the result as a value.
 *
 * No address means `::` for both families. A host that was booted with ipv6.disable=1, and many a
 * container, has no such address. There it means 0.0.0.0.
 */
import type { ListenOptions, Server } from 'node:net'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { isSocketPath, listenFault } from './endpoint.ts'
import type { BoundAddress, Endpoint, ListenFault } from './endpoint.ts'
import { removeDeadSocket } from './dead-socket.ts'

/** The call that can fail, so that tests can make it fail. */
export type Listen = (server: Server, options: ListenOptions & { readonly fd?: number }) => void

/**
 * The kernel limits it to net.core.somaxconn. With a full backlog, connections are lost silently.
 */
const backlog = 4096

const codesWithoutIpv6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'])

export const systemListen: Listen = (server, options) => {
  server.listen(options)
}

/** The result of one attempt. */
type Attempt =
  | { readonly kind: 'listening'; readonly bound: BoundAddress }
  | { readonly kind: 'failed'; readonly code: string }
  /** close() was called while the address was being resolved. */
  | { readonly kind: 'closed' }

export const startListening = async (
  server: Server,
  endpoint: Endpoint,
  listen: Listen,
): Promise<Outcome<BoundAddress, ListenFault>> => {
  const attempt = await attemptAt(endpoint, server, listen)
  switch (attempt.kind) {
    case 'listening':
      return fact(attempt.bound)
    case 'failed':
      return fault(listenFault(endpoint, attempt.code))
    case 'closed':
      return fault({ kind: 'closed', ...endpoint })
  }
}

const attemptAt = (
  { address, port, passed }: Endpoint,
  server: Server,
  listen: Listen,
): Promise<Attempt> => {
  if (passed !== undefined) return tryOnce(server, { fd: passed, backlog }, listen)
  if (isSocketPath(address)) return listenOnPath(address, server, listen)
  if (address === null) return listenAnywhere(server, port, listen)
  // As in PostgreSQL's listen_addresses, `::` is IPv6 only, and can be combined with 0.0.0.0.
  return tryOnce(server, { host: address, port, backlog, ipv6Only: true }, listen)
}

/**
 * With the usual umask only root and our own user can connect. After SIGKILL the socket is still
 * there, but no process listens on it: it is replaced.
 */
const listenOnPath = async (path: string, server: Server, listen: Listen): Promise<Attempt> => {
  const attempt = await tryOnce(server, { path, backlog }, listen)
  if (attempt.kind !== 'failed' || attempt.code !== 'EADDRINUSE') return attempt
  const isRemoved = await removeDeadSocket(path)
  return isRemoved ? tryOnce(server, { path, backlog }, listen) : attempt
}

const listenAnywhere = async (server: Server, port: number, listen: Listen): Promise<Attempt> => {
  const both = await tryOnce(server, { host: '::', port, backlog, ipv6Only: false }, listen)
  return both.kind === 'failed' && codesWithoutIpv6.has(both.code)
    ? tryOnce(server, { host: '0.0.0.0', port, backlog }, listen)
    : both
}

const tryOnce = (
  server: Server,
  options: Parameters<Listen>[1],
  listen: Listen,
): Promise<Attempt> =>
  new Promise(resolve => {
    const settle = (attempt: Attempt): void => {
      server.off('listening', onListening)
      server.off('error', onError)
      server.off('close', onClose)
      resolve(attempt)
    }
    const onListening = (): void => {
      // Later the server may be closed and have no address. A passed socket may be one with a path.
      const bound = server.address()
      if (typeof bound === 'string' && options.path !== undefined)
        return settle({ kind: 'listening', bound: { address: bound, port: 0 } })
      if (bound === null || typeof bound === 'string') return settle(noTcp)
      settle({ kind: 'listening', bound: { address: bound.address, port: bound.port } })
    }
    const onError = (error: NodeJS.ErrnoException): void =>
      settle({ kind: 'failed', code: error.code ?? error.message })
    const onClose = (): void => settle({ kind: 'closed' })
    server.on('listening', onListening)
    server.on('error', onError)
    server.on('close', onClose)
    try {
      listen(server, options)
    } catch (error) {
      // For a descriptor that is not a socket.
      onError(error as NodeJS.ErrnoException)
    }
  })

/** The error code of the system for a wrong kind of socket. */
const noTcp: Attempt = { kind: 'failed', code: 'EOPNOTSUPP' }
