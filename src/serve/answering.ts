/**
 * What becomes of each connect: the answer goes out, then the connection ends.
 *
 * Nothing that a client does is worth more than a count here.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Endpoint } from './endpoint.ts'
import { createLingeringSockets } from './lingering-sockets.ts'
import { createLosses, type LossCounters, type LossesOptions } from './losses.ts'
import type { Reply } from './reply.ts'

export type AnsweringOptions = LossesOptions & {
  /** Asked once for each connect, at the moment of the connect. One to wait for never rejects. */
  readonly answer: () => Reply | Promise<Reply>
  /** How long an answered client may take to close; at most twice as long. */
  readonly lingerMs: number
}

export type ConnectCounters = LossCounters & {
  readonly primary: number
  readonly standby: number
  readonly unavailable: number
  readonly silence: number
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
  const { answer } = options
  const lingering = createLingeringSockets(options)
  const losses = createLosses(options)
  const counts = { primary: 0, standby: 0, unavailable: 0, silence: 0 }

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
    // Of somebody who may not ask.
    if (socket.destroyed) return
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

  return {
    createServer: on => {
      // allowHalfOpen: our side is ended before theirs can be, so there is nothing to allow.
      // noDelay: a single small write is never held back; it would be one more system call.
      // pauseOnConnect: reading starts at once, and nobody reads before the answer is out.
      const server = createServer({ allowHalfOpen: false, noDelay: false, pauseOnConnect: false })
      server.on('connection', onConnection)
      losses.watch(server, on)
      return server
    },
    forgetNews: losses.forgetNews,
    destroyAll: lingering.destroyAll,
    counters: () => {
      const { reset, destroyed } = lingering.counters()
      return { ...counts, ...losses.counters(), reset, lingeringDestroyed: destroyed }
    },
  }
}
