/**
 * Connects that a server loses to its limits, ours and the system's, and those of strangers:
 * counted, and now and then worth a line.
 */
import type { Server, Socket } from 'node:net'
import type { Timers } from '../facts/timers.ts'
import type { Allowed } from './allow-list.ts'
import type { Endpoint } from './endpoint.ts'
import { createSeldom } from './seldom.ts'

export type LossesOptions = {
  /** Of one server; whoever comes on top of that is dropped without an answer. */
  readonly connectionsMax: number
  /** Null for everybody. Whoever is not is closed without a byte. */
  readonly allowed: Allowed | null
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

export type LossCounters = {
  readonly dropped: number
  readonly acceptFailed: number
  /** Because they are not allowed to ask. */
  readonly refused: number
}

export type Losses = {
  /**
   * Sets the limits for a server that does not listen yet. Sockets of those who may not ask are
   * destroyed by the time that others hear of the connection. `on` is for the reports.
   */
  readonly watch: (server: Server, on: () => Endpoint) => void
  /** Lets every kind of news be told again. */
  readonly forgetNews: () => void
  readonly counters: () => LossCounters
}

export const createLosses = ({
  connectionsMax,
  allowed,
  report,
  timers,
}: LossesOptions): Losses => {
  const seldom = createSeldom(timers, report)
  let dropped = 0
  let acceptFailed = 0
  let refused = 0
  const refuse = (socket: Socket, on: Endpoint): void => {
    refused += 1
    const from = socket.remoteAddress ?? null
    socket.destroy()
    seldom.report({ kind: 'connects refused', on, from, refused })
  }
  return {
    watch: (server, on) => {
      server.maxConnections = connectionsMax
      if (allowed !== null) {
        server.prependListener('connection', socket => {
          if (!allowed(socket.remoteAddress)) refuse(socket, on())
        })
      }
      server.on('drop', () => {
        dropped += 1
        seldom.report({ kind: 'connects dropped', on: on(), connectionsMax })
      })
      server.on('error', (error: NodeJS.ErrnoException) => {
        // Before it listens, this is the outcome of opening; see listening.ts.
        if (!server.listening) return
        acceptFailed += 1
        seldom.report({ kind: 'accept failed', on: on(), code: error.code ?? error.message })
      })
    },
    forgetNews: seldom.forget,
    counters: () => ({ dropped, acceptFailed, refused }),
  }
}
