/** Where to listen, and why that could not be done. */

export type Endpoint = {
  /** null for every address of the host, of both families. */
  readonly address: string | null
  /** 0 lets the system pick a free one. */
  readonly port: number
  /** A descriptor of a socket that listens already, wherever that may be. */
  readonly passed?: number
}

/** What the system made of an endpoint. */
export type BoundAddress = { readonly address: string; readonly port: number }

export type ListenFault = Endpoint &
  (
    | { readonly kind: 'port in use' }
    | { readonly kind: 'not permitted' }
    | { readonly kind: 'no such address' }
    /** Nothing is wrong: whoever opened it has closed it again before it was open. */
    | { readonly kind: 'closed' }
    | { readonly kind: 'other'; readonly code: string }
  )

/**
 * Whether only one of them can be listened on at a time. What addresses stand for is decided in
 * listening.ts: none for both families, `::` for IPv6 alone.
 */
export const exclude = (one: Endpoint, other: Endpoint): boolean =>
  one.port === other.port &&
  one.port !== 0 &&
  (covers(one.address, other.address) || covers(other.address, one.address))

const covers = (address: string | null, other: string | null): boolean => {
  if (address === null || address === other) return true
  if (address === '::') return other?.includes(':') === true
  return address === '0.0.0.0' && other?.includes(':') === false
}

/** What the operator names an endpoint with. */
export type EndpointOptions<Name = string> = { readonly port: Name; readonly address: Name }

const roleOptions: EndpointOptions = { port: '--port', address: '--bind' }

export type ListenFaultText = { readonly message: string; readonly hint: string | null }

/** `code` is what the system calls it, EADDRINUSE and the like. */
export const listenFault = (endpoint: Endpoint, code: string): ListenFault => {
  switch (code) {
    case 'EADDRINUSE':
      return { kind: 'port in use', ...endpoint }
    case 'EACCES':
    case 'EPERM':
      return { kind: 'not permitted', ...endpoint }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return { kind: 'no such address', ...endpoint }
    default:
      return { kind: 'other', ...endpoint, code }
  }
}

export const describeListenFault = (
  fault: ListenFault,
  options: EndpointOptions = roleOptions,
): ListenFaultText => {
  const { address, port } = fault
  const place = placeOf(fault)
  switch (fault.kind) {
    case 'port in use':
      return {
        message: `${place} is in use, wanted to listen there`,
        hint: `another program listens on port ${port}; choose another with ${options.port}`,
      }
    case 'not permitted':
      return {
        message: `${place} is not permitted to this user, wanted to listen there`,
        hint:
          port < 1024
            ? `ports below 1024 are kept for root; choose another with ${options.port}`
            : `a security policy (SELinux?) keeps port ${port} from this program`,
      }
    case 'no such address':
      return {
        message: `this host has no address ${address ?? 'at all'}, wanted to listen on port ${port}`,
        hint: `${options.address} takes an address of this host, as shown by "ip address"`,
      }
    case 'closed':
      return { message: `${place} was closed before it was open`, hint: null }
    case 'other': {
      const hint = fault.passed === undefined ? null : 'see ListenStream= in systemd.socket(5)'
      return { message: `${place} gave ${fault.code}, wanted to listen there`, hint }
    }
  }
}

const placeOf = ({ address, port, passed }: Endpoint): string => {
  if (passed !== undefined) return `socket ${passed}, which was passed to us,`
  return address === null ? `port ${port}` : `port ${port} on ${address}`
}
