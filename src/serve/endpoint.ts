/** Where to listen, and why that failed. */

export type Endpoint = {
  /**
   * Null for every address of the host, of both families. As for PostgreSQL's clients, what begins
   * with a slash is the path of a Unix socket.
   */
  readonly address: string | null
  /** 0 for any free port, and for a Unix socket. */
  readonly port: number
  /** The descriptor of a socket that listens already, on whatever address. */
  readonly passed?: number
}

export const isSocketPath = (address: string | null): address is string =>
  address?.startsWith('/') === true

/** The address that an endpoint was bound to. */
export type BoundAddress = { readonly address: string; readonly port: number }

export type ListenFault = Endpoint &
  (
    | { readonly kind: 'port in use' }
    | { readonly kind: 'not permitted' }
    | { readonly kind: 'no such address' }
    /** Not an error: it was closed again before it was open. */
    | { readonly kind: 'closed' }
    | { readonly kind: 'other'; readonly code: string }
  )

/**
 * Whether only one of the two can be open. As in listening.ts, no address means both families, and
 * `::` means IPv6 only.
 */
export const exclude = (one: Endpoint, other: Endpoint): boolean => {
  if (isSocketPath(one.address)) return one.address === other.address
  return (
    one.port === other.port &&
    one.port !== 0 &&
    (covers(one.address, other.address) || covers(other.address, one.address))
  )
}

const covers = (address: string | null, other: string | null): boolean => {
  if (address === null || address === other) return true
  if (address === '::') return other?.includes(':') === true
  return address === '0.0.0.0' && other?.includes(':') === false
}

/** The options that set an endpoint. */
export type EndpointOptions<Name = string> = { readonly port: Name; readonly address: Name }

const roleOptions: EndpointOptions = { port: '--port', address: '--bind' }

export type ListenFaultText = { readonly message: string; readonly hint: string | null }

/** `code` is the error code of the system, such as EADDRINUSE. */
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
  const { port } = fault
  if (isSocketPath(fault.address)) return describeSocketFault(fault, fault.address)
  const failure = (reason: string): string => `could not listen on ${placeOf(fault)}: ${reason}`
  switch (fault.kind) {
    case 'port in use':
      return {
        message: failure('address already in use'),
        hint: `another program listens on port ${port}; choose another port with ${options.port}`,
      }
    case 'not permitted':
      return {
        message: failure('permission denied'),
        hint:
          port < 1024
            ? `ports below 1024 are reserved for root; choose another port with ${options.port}`
            : `a security policy, such as SELinux, may not allow port ${port} for this program`,
      }
    case 'no such address':
      return {
        message: failure('no such address on this host'),
        hint: `${options.address} must be an address of this host, as shown by "ip address"`,
      }
    case 'closed':
      return { message: failure('closed'), hint: null }
    case 'other': {
      const hint = fault.passed === undefined ? null : 'see ListenStream= in systemd.socket(5)'
      return { message: failure(fault.code), hint }
    }
  }
}

const describeSocketFault = (fault: ListenFault, path: string): ListenFaultText => {
  const failure = (reason: string): string => `could not listen on ${path}: ${reason}`
  switch (fault.kind) {
    case 'port in use':
      return {
        message: failure('address already in use'),
        hint: 'another program listens there, or the file at that path is not a socket',
      }
    case 'not permitted':
      return {
        message: failure('permission denied'),
        hint: 'the folder must belong to the user that pg-replstatus runs as',
      }
    case 'no such address':
    case 'closed':
      return { message: failure(fault.kind), hint: null }
    case 'other':
      return {
        message: failure(fault.code),
        hint: 'the folder must exist, and the path must not be longer than 107 bytes',
      }
  }
}

/** For messages: what cannot be used twice. */
export const portOrPath = ({ address, port }: Endpoint): string =>
  isSocketPath(address) ? address : `port ${port}`

const placeOf = ({ address, port, passed }: Endpoint): string => {
  if (passed !== undefined) return `passed socket ${passed}`
  return address === null ? `port ${port}` : `port ${port} of ${address}`
}
