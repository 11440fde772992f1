/**
 * Connects that a server loses to its limits, ours and the system's: counted, and now and then
 * worth a line.
 */
import type { Server } from 'node:net'
import type { Timers } from '../facts/timers.ts'
import type { Endpoint } from './endpoint.ts'
import { createSeldom } from './seldom.ts'

export type LossesOptions = {
  /** Of one server; whoever comes on top of that is dropped without an answer. */
  readonly connectionsMax: number
  readonly report: (event: ConnectEvent) => void
  readonly timers: Timers
}

export type ConnectEvent =
  /** A connect was lost to the system's limits, such as EMFILE; the listener goes on. */
  | { readonly kind: 'accept failed'; readonly on: Endpoint; readonly code: string }
  | { readonly kind: 'connects dropped'; readonly on: Endpoint; readonly connectionsMax: number }

export type LossCounters = { readonly dropped: number; readonly acceptFailed: number }

export type Losses = {
  /** Sets the limit for a server that does not listen yet. `on` is for the reports. */
  readonly watch: (server: Server, on: () => Endpoint) => void
  /** Lets every kind of news be told again. */
  readonly forgetNews: () => void
  readonly counters: () => LossCounters
}

export const createLosses = ({ connectionsMax, report, timers }: LossesOptions): Losses => {
  const seldom = createSeldom(timers, report)
  let dropped = 0
  let acceptFailed = 0
  return {
    watch: (server, on) => {
      server.maxConnections = connectionsMax
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
    counters: () => ({ dropped, acceptFailed }),
  }
}
