/** Answers each connection and then closes it. What clients do is only counted. */
import { createServer, type Server, type Socket } from 'node:net'
import { createLingeringSockets } from './lingering-sockets.ts'
import {
  createLostConnections,
  type ConnectionOptions,
  type LossCounters,
} from '../lost-connections.ts'
import type { Reply } from './reply.ts'

export type AnsweringOptions = ConnectionOptions & {
  /** Called once for each connection, when it is accepted. A promise never rejects. */
  readonly answer: () => Reply | Promise<Reply>
  /** How long an answered client may take to close the connection; at most twice as long. */
  readonly lingerMs: number
}

export type ConnectionCounters = LossCounters & {
  readonly primary: number
  readonly standby: number
  readonly unavailable: number
  /** Closed without an answer. */
  readonly none: number
  readonly reset: number
  readonly lingeringDestroyed: number
}

export type Answering = {
  /** A server that answers, but does not listen yet. `port` is for the reports. */
  readonly createServer: (port: () => number) => Server
  /** See LostConnections. */
  readonly resetReports: () => void
  /** Closes all connections that have been answered. */
  readonly destroyAll: () => void
  readonly counters: () => ConnectionCounters
}

export const createAnswering = (options: AnsweringOptions): Answering => {
  const { answer } = options
  const lingering = createLingeringSockets(options)
  const lost = createLostConnections(options)
  const counts = { primary: 0, standby: 0, unavailable: 0, none: 0 }

  const respond = (socket: Socket, reply: Reply): void => {
    if (reply.kind === 'silence') {
      counts.none += 1
      socket.destroy()
      return
    }
    socket.end(reply.bytes)
    counts[reply.means] += 1
  }

  const onConnection = (socket: Socket): void => {
    // The client is not allowed.
    if (socket.destroyed) return
    const reply = answer()
    const waits = reply instanceof Promise
    if (!waits) respond(socket, reply)
    if (!socket.destroyed) lingering.add(socket)
    if (waits) void respondLater(socket, reply)
  }

  /** If the client has disconnected, there is no answer, and nothing is counted. */
  const respondLater = async (socket: Socket, reply: Promise<Reply>): Promise<void> => {
    const settled = await reply
    if (!socket.destroyed) respond(socket, settled)
  }

  return {
    createServer: port => {
      // allowHalfOpen: the server ends its side first, so it is not needed.
      // noDelay: a single small write is never delayed; it would be one more system call.
      // pauseOnConnect: the answer is sent before anything is read.
      const server = createServer({ allowHalfOpen: false, noDelay: false, pauseOnConnect: false })
      server.on('connection', onConnection)
      lost.watch(server, port)
      return server
    },
    resetReports: lost.resetReports,
    destroyAll: lingering.destroyAll,
    counters: () => {
      const { reset, destroyed } = lingering.counters()
      return { ...counts, ...lost.counters(), reset, lingeringDestroyed: destroyed }
    },
  }
}
