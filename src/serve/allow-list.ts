/**
 * The clients that are allowed, by their address.
 *
 * A listener for both families sees IPv4 clients under IPv4-mapped addresses such as
 * ::ffff:192.0.2.1, and a network may be written in that form, too. Both mean the IPv4 address.
 * Therefore ::/0 includes all of IPv4.
 */
import { BlockList, isIPv4, SocketAddress } from 'node:net'

export type Network = {
  /** IPv4 or IPv6; bits beyond the prefix are ignored. */
  readonly address: string
  /** At most 32 or 128. */
  readonly prefix: number
}

/** The address is undefined if the client has already disconnected. */
export type Allowed = (remoteAddress: string | undefined) => boolean

/** Null if all clients are allowed. */
export const createAllowList = (networks: readonly Network[]): Allowed | null => {
  if (networks.length === 0) return null
  const list = new BlockList()
  for (const { address, prefix } of networks) {
    const family = familyOf(address)
    const written = new SocketAddress({ address, family }).address
    const within = plainAddress(written)
    const isMapped = within !== written && prefix >= mappedBits
    if (isMapped) list.addSubnet(within, prefix - mappedBits, 'ipv4')
    else list.addSubnet(address, prefix, family)
  }
  return remoteAddress => {
    if (remoteAddress === undefined) return false
    const plain = plainAddress(remoteAddress)
    return list.check(plain, familyOf(plain))
  }
}

/** The prefix of all IPv4 addresses in IPv6, ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
const mappedBits = 96

const plainAddress = (address: string): string => {
  const within = /^::ffff:(.*)$/i.exec(address)?.[1] ?? ''
  return isIPv4(within) ? within : address
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6')
