/** Where to listen, and why that could not be done. */

export type Endpoint = {
  /** null for every address of the host, of both families. */
  readonly address: string | null
  /** 0 lets the system pick a free one. */
  readonly port: number
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

export type ListenFaultText = { readonly message: string; readonly hint: string | null }

/** `code` is what the system calls it, EADDRINUSE and the like. */
export const listenFault = ({ address, port }: Endpoint, code: string): ListenFault => {
  switch (code) {
    case 'EADDRINUSE':
      return { kind: 'port in use', address, port }
    case 'EACCES':
    case 'EPERM':
      return { kind: 'not permitted', address, port }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return { kind: 'no such address', address, port }
    default:
      return { kind: 'other', address, port, code }
  }
}

/** The options that say where a surface listens, for the hint. */
export type EndpointOptions = { readonly port: string; readonly address: string }

export const rolePortOptions: EndpointOptions = { port: '--port', address: '--bind' }

export const describeListenFault = (
  fault: ListenFault,
  options: EndpointOptions = rolePortOptions,
): ListenFaultText => {
  const { address, port } = fault
  const place = address === null ? `port ${port}` : `port ${port} on ${address}`
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
    case 'other':
      return { message: `${place} gave ${fault.code}, wanted to listen there`, hint: null }
  }
}
