/**
 * Sockets that have been answered, until the client closes the connection.
 *
 * To close at once would be wrong: if there are unread bytes, the kernel sends a reset, which may
 * overtake the answer. Therefore only the sending side is shut down, and what arrives is read and
 * discarded. A client that does not close in time is disconnected.
 */
import type { Socket } from 'node:net'
import type { Timers } from '../../facts/timers.ts'
import { createDeadlines } from '../connection-deadlines.ts'

export type LingeringSocketsOptions = { readonly timers: Timers; readonly lingerMs: number }

export type LingeringSocketsCounters = {
  /** Ended by ECONNRESET, EPIPE and the like. */
  readonly reset: number
  /** Disconnected, at the deadline or for sending too much. */
  readonly destroyed: number
}

export type LingeringSockets = {
  /** Adds a socket whose sending side has been ended. */
  readonly add: (socket: Socket) => void
  readonly destroyAll: () => void
  readonly counters: () => LingeringSocketsCounters
}

/** No health check sends as much. Without a limit a fast sender would keep the daemon busy. */
export const discardedBytesMax = 4 * 1024 * 1024

export const createLingeringSockets = ({
  timers,
  lingerMs,
}: LingeringSocketsOptions): LingeringSockets => {
  let reset = 0
  let destroyed = 0
  const cutOff = (socket: Socket): void => {
    destroyed += 1
    socket.destroy()
  }
  const deadlines = createDeadlines({ timers, stayMs: lingerMs, expired: cutOff })

  // With `this`, one function serves all sockets, instead of a closure for each.
  function discard(this: Socket): void {
    if (this.bytesRead > discardedBytesMax) cutOff(this)
  }
  function countReset(): void {
    reset += 1
  }
  function forget(this: Socket): void {
    deadlines.delete(this)
  }

  return {
    add: socket => {
      socket.on('data', discard)
      socket.on('error', countReset)
      socket.on('close', forget)
      deadlines.add(socket)
    },
    destroyAll: () => {
      for (const socket of deadlines.clear()) socket.destroy()
    },
    counters: () => ({ reset, destroyed }),
  }
}
