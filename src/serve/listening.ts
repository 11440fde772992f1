/**
 * Making a server listen, with the outcome as a value.
 *
 * The wildcard means `::` for both families. A host that boots with ipv6.disable=1, and many a
 * container, has no such address; there it means 0.0.0.0.
 */
import type { ListenOptions, Server } from 'node:net'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { listenFault, type BoundAddress, type Endpoint, type ListenFault } from './endpoint.ts'

/** The call that may fail in as many ways as there are hosts, so that tests can make it fail. */
export type Listen = (server: Server, options: ListenOptions & { readonly fd?: number }) => void

/** The kernel cuts it down to net.core.somaxconn. A full backlog loses connects silently. */
const backlog = 4096

const saysNoIpv6: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'])

export const systemListen: Listen = (server, options) => {
  server.listen(options)
}

/** As far as one attempt gets. */
type Attempt =
  | { readonly kind: 'listening'; readonly bound: BoundAddress }
  | { readonly kind: 'failed'; readonly code: string }
  /** By close(), called while the address was being looked up. */
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
  if (address === null) return listenAnywhere(server, port, listen)
  // As in PostgreSQL's listen_addresses: `::` written out is IPv6 alone, and 0.0.0.0 may stand
  // beside it.
  return tryOnce(server, { host: address, port, backlog, ipv6Only: true }, listen)
}

const listenAnywhere = async (server: Server, port: number, listen: Listen): Promise<Attempt> => {
  const both = await tryOnce(server, { host: '::', port, backlog, ipv6Only: false }, listen)
  return both.kind === 'failed' && saysNoIpv6.has(both.code)
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
      // Asked at once: a moment later the server may be closed and have no address. A socket that
      // was passed to us may be one with a path.
      const bound = server.address()
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
      // Of a descriptor that is no socket at all.
      onError(error as NodeJS.ErrnoException)
    }
  })

/** As the system calls it when a socket is asked for what its kind does not have. */
const noTcp: Attempt = { kind: 'failed', code: 'EOPNOTSUPP' }
