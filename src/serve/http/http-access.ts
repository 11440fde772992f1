/**
 * Access to the pages that show more than the role, such as paths and identifiers.
 *
 * The check of the Host header prevents DNS rebinding: a web site lets its own name resolve to the
 * address of this host, so that the browser of an operator requests the pages and the web site can
 * read them. The Host header contains that name. It has a domain of the attacker, unlike addresses
 * and names without a dot.
 */
import { isIP } from 'node:net'

/** The parts of a request that determine access. */
export type Requester = {
  /** The Host header; null without one, as from an HTTP/1.0 client. */
  readonly host: string | null
  /** Why there is no valid client certificate; null if there is one, or none is required. */
  readonly certificateFault: string | null
}

export type Access = {
  /** The port serves health checks only. */
  readonly healthOnly: boolean
  /** In lower case. With a leading dot, every name in that domain. */
  readonly ownNames: readonly string[]
}

export type AccessRefusal = { readonly statusCode: 403 | 421; readonly body: string }

/** Null if access is allowed. The body names the option that changes that. */
export const refuseAccess = (
  { host, certificateFault }: Requester,
  { healthOnly, ownNames }: Access,
): AccessRefusal | null => {
  if (healthOnly)
    return { statusCode: 403, body: 'health checks only on this port (--http-health)\n' }
  if (certificateFault !== null) {
    const body = `client certificate required (--http-client-ca): ${certificateFault}\n`
    return { statusCode: 403, body }
  }
  if (!isOwnHost(host, ownNames)) return unknownHost
  return null
}

/** RFC 9110: the request was directed at a server that cannot answer for that name. */
const unknownHost: AccessRefusal = {
  statusCode: 421,
  body: 'not a name of this host: allow it with --http-host, or use an address\n',
}

const isOwnHost = (host: string | null, ownNames: readonly string[]): boolean => {
  const name = nameOf(host ?? '')
  if (name === null) return false
  if (!name.includes('.') || isIP(name) !== 0) return true
  return ownNames.some(own => (own.startsWith('.') ? name.endsWith(own) : name === own))
}

/** Without the port and a final dot; null if it is not a host. */
const nameOf = (host: string): string | null => {
  const [, v6, name] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? []
  if (v6 !== undefined) return isIP(v6) === 6 ? '' : null
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, '')
}
