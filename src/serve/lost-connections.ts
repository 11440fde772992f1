/**
 * Connections that a server loses: to its connection limit, to limits of the system, and because
 * the client is not allowed. They are counted, and each kind is reported once a minute at most.
 */
import type { Server, Socket } from 'node:net'
import type { Event, Report } from '../facts/report/event.ts'
import type { Timer, Timers } from '../facts/timers.ts'
import type { Allowed } from './allow-list.ts'
import { createConnectionSlots, type Share } from './connection-slots.ts'

export type ConnectionOptions = {
  /** The limit of simultaneous connections. */
  readonly share: Share
  /** Null if all clients are. Connections of others are closed without sending data. */
  readonly allowed: Allowed | null
  readonly report: Report
  readonly timers: Timers
}

export type LossCounters = {
  /** Closed for a new one, at the connection limit. */
  readonly dropped: number
  readonly acceptFailed: number
  /** Of clients that are not allowed. */
  readonly refused: number
}

export type LostConnections = {
  /**
   * Sets the limits for a server that does not listen yet. When later listeners receive the
   * connection, sockets that were refused or displaced are destroyed. `port` is for the reports.
   */
  readonly watch: (server: Server, port: () => number) => void
  /** To be called for a connection that was not answered immediately. */
  readonly answered: (socket: Socket) => void
  /** Lets each kind be reported again, and cancels the timers. */
  readonly resetReports: () => void
  readonly counters: () => LossCounters
}

/** `reason` is the message of OpenSSL. */
type TlsError = NodeJS.ErrnoException & { readonly reason?: string }

export const createLostConnections = ({
  share,
  allowed,
  report,
  timers,
}: ConnectionOptions): LostConnections => {
  const limited = createRateLimitedReport(timers, report)
  const slots = createConnectionSlots(share)
  let acceptFailed = 0
  let refused = 0
  const admit = (socket: Socket, port: number): void => {
    const displaced = slots.take(socket)
    if (displaced === null) return
    const kind = 'connection limit reached'
    limited.report({ kind, port, connectionsMax: share.max(), ...displaced })
  }
  const refuse = (socket: Socket, port: number): void => {
    refused += 1
    const from = socket.remoteAddress ?? null
    socket.destroy()
    limited.report({ kind: 'connections refused', port, from, refused })
  }
  const reportHandshake = (error: TlsError, socket: Socket, port: number): void => {
    const { code = '', reason, message } = error
    // Other codes mean that the client closed the connection.
    if (!code.startsWith('ERR_')) return
    const from = socket.remoteAddress ?? null
    limited.report({ kind: 'handshake failed', port, from, because: reason ?? message })
  }
  return {
    watch: (server, port) => {
      server.prependListener('connection', socket => {
        if (allowed === null || allowed(socket.remoteAddress)) admit(socket, port())
        else refuse(socket, port())
      })
      server.on('tlsClientError', (error: TlsError, socket: Socket) => {
        reportHandshake(error, socket, port())
      })
      server.on('error', (error: NodeJS.ErrnoException) => {
        // Before it listens, this is the result of the attempt: see listening.ts.
        if (!server.listening) return
        acceptFailed += 1
        const because = `accept failed (${error.code ?? error.message})`
        limited.report({ kind: 'connections lost', port: port(), because })
      })
    },
    answered: slots.answered,
    resetReports: limited.reset,
    counters: () => ({ dropped: slots.displaced(), acceptFailed, refused }),
  }
}

export const reportPauseMs = 60_000

/** Reports an event unless one of its kind was reported within the last minute. */
const createRateLimitedReport = (timers: Timers, report: Report) => {
  const pauses = new Map<string, Timer>()
  return {
    report: (event: Event): void => {
      const { kind } = event
      if (pauses.has(kind)) return
      const endPause = (): void => {
        pauses.delete(kind)
      }
      pauses.set(kind, timers.after(reportPauseMs, endPause))
      report(event)
    },
    reset: (): void => {
      for (const pause of pauses.values()) pause.cancel()
      pauses.clear()
    },
  }
}
