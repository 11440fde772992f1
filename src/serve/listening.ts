/**
 * Making a server listen, with the outcome as a value.
 *
 * The wildcard means `::` for both families. A host that boots with ipv6.disable=1, and many a
 * container, has no such address; there it means 0.0.0.0.
 */
import type { AddressInfo, ListenOptions, Server } from 'node:net'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { listenFault, type BoundAddress, type Endpoint, type ListenFault } from './endpoint.ts'

/** The call that may fail in as many ways as there are hosts, so that tests can make it fail. */
export type Listen = (server: Server, options: ListenOptions) => void

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
  const { address, port } = endpoint
  const attempt =
    address === null
      ? await listenAnywhere(server, port, listen)
      : // As in PostgreSQL's listen_addresses: `::` written out is IPv6 alone, and 0.0.0.0 may
        // stand beside it.
        await tryOnce(server, { host: address, port, backlog, ipv6Only: true }, listen)
  switch (attempt.kind) {
    case 'listening':
      return fact(attempt.bound)
    case 'failed':
      return fault(listenFault(endpoint, attempt.code))
    case 'closed':
      return fault({ kind: 'closed', address, port })
  }
}

const listenAnywhere = async (server: Server, port: number, listen: Listen): Promise<Attempt> => {
  const both = await tryOnce(server, { host: '::', port, backlog, ipv6Only: false }, listen)
  return both.kind === 'failed' && saysNoIpv6.has(both.code)
    ? tryOnce(server, { host: '0.0.0.0', port, backlog }, listen)
    : both
}

const tryOnce = (server: Server, options: ListenOptions, listen: Listen): Promise<Attempt> =>
  new Promise(resolve => {
    const settle = (attempt: Attempt): void => {
      server.off('listening', onListening)
      server.off('error', onError)
      server.off('close', onClose)
      resolve(attempt)
    }
    const onListening = (): void => {
      // Asked at once: a moment later the server may be closed and have no address. It is no
      // path, as we listen on TCP only.
      const { address, port } = server.address() as AddressInfo
      settle({ kind: 'listening', bound: { address, port } })
    }
    const onError = (error: NodeJS.ErrnoException): void =>
      settle({ kind: 'failed', code: error.code ?? error.message })
    const onClose = (): void => settle({ kind: 'closed' })
    server.on('listening', onListening)
    server.on('error', onError)
    server.on('close', onClose)
    listen(server, options)
  })
