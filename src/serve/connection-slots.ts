/**
 * The open connections of a port, whose number is limited.
 *
 * A new connection is always accepted, since a load balancer opens one for each check. Above the
 * limit another connection is closed: one that has been answered, or if there is none, one that has
 * not. Of these it is the oldest of the address that has most of them.
 *
 * - Answered: as a rule the kernel has the answer, so that a client that reads loses nothing.
 * - The oldest: a health check takes milliseconds. It is safe even if it comes from the address of
 *   a flood (NAT, a proxy), since it is closed only after all other connections have been replaced.
 * - The address with most of them: a flood closes only its own connections as long as it comes from
 *   fewer addresses than there are connections.
 *
 * Reading an address is a system call. Therefore addresses are counted only from the moment when
 * the limit is reached until half of the connections are closed.
 */
import assert from 'node:assert'
import type { Socket } from 'node:net'
import { createClientsByAddress, type ClientsByAddress } from './clients-by-address.ts'

/** A connection limit. It changes when a reload adds or removes clusters. */
export type Share = {
  /** At least 1. */
  readonly max: () => number
  /** `listener` is called after the limit was lowered. */
  readonly onLowered: (listener: () => void) => void
}

/** The address whose oldest connection was closed, and how many it had. */
export type Displaced = { readonly from: string; readonly held: number }

export type ConnectionSlots = {
  /** Returns the connection that was closed for the new one; null for none. */
  readonly take: (socket: Socket) => Displaced | null
  /**
   * To be called after an answer. Not needed if each connection is answered when it is accepted:
   * the oldest is then the one that was answered first.
   */
  readonly answered: (socket: Socket) => void
  /** The number of connections closed for new ones. */
  readonly displaced: () => number
}

export const createConnectionSlots = (share: Share): ConnectionSlots => {
  const waiting = createQueue()
  const answered = createQueue()
  let displaced = 0

  const taken = (): number => waiting.size() + answered.size()

  function forget(this: Socket): void {
    if (!waiting.delete(this)) answered.delete(this)
    if (taken() > share.max() / 2) return
    waiting.forgetAddresses()
    answered.forgetAddresses()
  }

  const makeRoom = (): Displaced | null => {
    let last: Displaced | null = null
    while (taken() > share.max()) {
      const { oldest, ...from } = (answered.size() > 0 ? answered : waiting).first()
      last = from
      displaced += 1
      // This closes the descriptor immediately. The event follows later.
      oldest.destroy()
      forget.call(oldest)
    }
    return last
  }

  share.onLowered(makeRoom)
  return {
    take: socket => {
      waiting.add(socket)
      socket.on('close', forget)
      return makeRoom()
    },
    answered: socket => {
      if (waiting.delete(socket)) answered.add(socket)
    },
    displaced: () => displaced,
  }
}

type Queue = {
  readonly size: () => number
  readonly add: (socket: Socket) => void
  /** Returns whether the queue had it. */
  readonly delete: (socket: Socket) => boolean
  /** The connection to be closed first. There must be one. */
  readonly first: () => { readonly oldest: Socket } & Displaced
  readonly forgetAddresses: () => void
}

const createQueue = (): Queue => {
  /** Oldest first. */
  const all = new Set<Socket>()
  let clients: ClientsByAddress | null = null

  const countAddresses = (): ClientsByAddress => {
    const counted = createClientsByAddress()
    for (const socket of all) counted.add(socket)
    return counted
  }

  return {
    size: () => all.size,
    add: socket => {
      all.add(socket)
      clients?.add(socket)
    },
    delete: socket => {
      clients?.delete(socket)
      return all.delete(socket)
    },
    first: () => {
      clients ??= countAddresses()
      const { address, sockets } = clients.largest()
      const [oldest] = sockets
      assert(oldest !== undefined)
      return { oldest, from: address, held: sockets.size }
    },
    forgetAddresses: () => {
      clients = null
    },
  }
}
