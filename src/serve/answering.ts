/**
 * What becomes of each connect: the answer goes out, then the connection ends.
 *
 * Nothing that a client does, or that the system runs out of, is worth more than a count here,
 * and now and then a line for the connects that were lost.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Timers } from '../facts/timers.ts'
import type { Allowed } from './allow-list.ts'
import type { Endpoint } from './endpoint.ts'
import { createLingeringSockets } from './lingering-sockets.ts'
import type { Reply } from './reply.ts'
import { createSeldom } from './seldom.ts'

export type AnsweringOptions = {
  /** Asked once for each connect, at the moment of the connect. One to wait for never rejects. */
  readonly answer: () => Reply | Promise<Reply>
  /** Whoever is not is closed without a byte, and is no reason to ask for the answer. */
  readonly allowed: Allowed | null
  /** Of one server; whoever comes on top of that is dropped without an answer. */
  readonly connectionsMax: number
  /** How long an answered client may take to close; at most twice as long. */
  readonly lingerMs: number
  readonly report: (event: ConnectEvent) => void
  readonly timers: Timers
}

export type ConnectEvent =
  /** A connect was lost to the system's limits, such as EMFILE; the listener goes on. */
  | { readonly kind: 'accept failed'; readonly on: Endpoint; readonly code: string }
  | { readonly kind: 'connects dropped'; readonly on: Endpoint; readonly connectionsMax: number }
  /** `from` is null for somebody who has already gone, `refused` the number of all so far. */
  | {
      readonly kind: 'connects refused'
      readonly on: Endpoint
      readonly from: string | null
      readonly refused: number
    }

export type ConnectCounters = {
  readonly primary: number
  readonly standby: number
  readonly unavailable: number
  readonly silence: number
  /** Because they are not allowed to ask. */
  readonly refused: number
  readonly dropped: number
  readonly acceptFailed: number
  readonly reset: number
  readonly lingeringDestroyed: number
}

export type Answering = {
  /** A server that answers, but does not listen yet. `on` is for the reports. */
  readonly createServer: (on: () => Endpoint) => Server
  /** Lets every kind of news be told again. */
  readonly forgetNews: () => void
  /** Cuts off all who have been answered and are still there. */
  readonly destroyAll: () => void
  readonly counters: () => ConnectCounters
}

export const createAnswering = (options: AnsweringOptions): Answering => {
  const { answer, allowed, connectionsMax, timers, report } = options
  const lingering = createLingeringSockets(options)
  const seldom = createSeldom(timers, report)
  const counts = {
    primary: 0,
    standby: 0,
    unavailable: 0,
    silence: 0,
    refused: 0,
    dropped: 0,
    acceptFailed: 0,
  }

  const respond = (socket: Socket, reply: Reply): void => {
    if (reply.kind === 'silence') {
      counts.silence += 1
      socket.destroy()
      return
    }
    socket.end(reply.bytes)
    counts[reply.means] += 1
  }

  const onConnection = (socket: Socket): void => {
    const reply = answer()
    const waits = reply instanceof Promise
    if (!waits) respond(socket, reply)
    if (!socket.destroyed) lingering.add(socket)
    if (waits) void respondLater(socket, reply)
  }

  /** Who has gone meanwhile has had no answer, and is not counted. */
  const respondLater = async (socket: Socket, reply: Promise<Reply>): Promise<void> => {
    const settled = await reply
    if (!socket.destroyed) respond(socket, settled)
  }

  const onStranger = (socket: Socket, on: Endpoint): void => {
    counts.refused += 1
    const from = socket.remoteAddress ?? null
    socket.destroy()
    seldom.report({ kind: 'connects refused', on, from, refused: counts.refused })
  }

  return {
    createServer: on => {
      // allowHalfOpen: our side is ended before theirs can be, so there is nothing to allow.
      // noDelay: a single small write is never held back; it would be one more system call.
      // pauseOnConnect: reading starts at once, and nobody reads before the answer is out.
      const server = createServer({ allowHalfOpen: false, noDelay: false, pauseOnConnect: false })
      server.maxConnections = connectionsMax
      server.on(
        'connection',
        allowed === null
          ? onConnection
          : (socket: Socket) => {
              if (allowed(socket.remoteAddress)) onConnection(socket)
              else onStranger(socket, on())
            },
      )
      server.on('drop', () => {
        counts.dropped += 1
        seldom.report({ kind: 'connects dropped', on: on(), connectionsMax })
      })
      server.on('error', (error: NodeJS.ErrnoException) => {
        // Before it listens, this is the outcome of opening; see listening.ts.
        if (!server.listening) return
        counts.acceptFailed += 1
        seldom.report({ kind: 'accept failed', on: on(), code: error.code ?? error.message })
      })
      return server
    },
    forgetNews: seldom.forget,
    destroyAll: lingering.destroyAll,
    counters: () => {
      const { reset, destroyed } = lingering.counters()
      return { ...counts, reset, lingeringDestroyed: destroyed }
    },
  }
}
