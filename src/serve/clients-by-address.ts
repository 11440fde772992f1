/**
 * Connections by the address of the client, and the address with the most connections.
 *
 * Each call takes the same time, however many addresses there are: a flood may come from thousands.
 */
import assert from 'node:assert'
import type { Socket } from 'node:net'

/** The connections of one address, oldest first. */
export type Client = { readonly address: string; readonly sockets: ReadonlySet<Socket> }

export type ClientsByAddress = {
  readonly add: (socket: Socket) => void
  readonly delete: (socket: Socket) => void
  /**
   * The client with the most connections. There must be a client. Of several with the same number,
   * the one that has had it for the longest time.
   */
  readonly largest: () => Client
}

type Counted = { readonly address: string; readonly sockets: Set<Socket> }

export const createClientsByAddress = (): ClientsByAddress => {
  const byAddress = new Map<string, Counted>()
  /** A destroyed socket no longer has an address. */
  const clientOf = new Map<Socket, Counted>()
  /** Clients with one connection, with two, and so on. */
  const bySize = new Map<number, Set<Counted>>()
  let most = 0

  const leaveSize = (client: Counted): void => {
    bySize.get(client.sockets.size)?.delete(client)
  }
  const enterSize = (client: Counted): void => {
    const { size } = client.sockets
    const others = bySize.get(size)
    if (others === undefined) bySize.set(size, new Set([client]))
    else others.add(client)
    most = Math.max(most, size)
  }

  return {
    add: socket => {
      const address = clientAddress(socket.remoteAddress)
      const client = byAddress.get(address) ?? { address, sockets: new Set() }
      byAddress.set(address, client)
      clientOf.set(socket, client)
      leaveSize(client)
      client.sockets.add(socket)
      enterSize(client)
    },
    delete: socket => {
      const client = clientOf.get(socket)
      if (client === undefined) return
      clientOf.delete(socket)
      leaveSize(client)
      client.sockets.delete(socket)
      if (client.sockets.size === 0) byAddress.delete(client.address)
      else enterSize(client)
      while (most > 0 && bySize.get(most)?.size === 0) most -= 1
    },
    largest: () => {
      const [client] = bySize.get(most) ?? []
      assert(client !== undefined)
      return client
    },
  }
}

const groupsOfIpv6 = 8
const groupsOfNetwork = 4

/**
 * For IPv6 the network of 64 bits, in which a host can use any number of addresses. Empty if the
 * client has already disconnected.
 */
export const clientAddress = (address: string | undefined): string => {
  // `::ffff:192.0.2.1` is IPv4 on a socket for both families.
  if (address === undefined || address.includes('.')) return address ?? ''
  const [head = [], tail = []] = address
    .split('::')
    .map(part => part.split(':').filter(group => group !== ''))
  const left = Math.max(0, groupsOfIpv6 - head.length - tail.length)
  const groups = [...head, ...Array<string>(left).fill('0'), ...tail]
  return `${groups.slice(0, groupsOfNetwork).join(':')}::/64`
}
