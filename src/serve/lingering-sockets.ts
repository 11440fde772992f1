/**
 * Sockets that have had their answer and wait for the client to close.
 *
 * Closing at once would be simpler and wrong: the kernel answers unread bytes with a reset, and a
 * reset may overtake the answer. So our side is shut down, what arrives is read and thrown away,
 * and a client that doesn't close in time is cut off.
 *
 * One timer sweeps them all, from one generation to the next: a socket lives at least `lingerMs`
 * and at most twice that. The timer goes to sleep in the first sweep that finds nobody.
 */
import type { Socket } from 'node:net'
import type { Timer, Timers } from '../facts/timers.ts'

export type LingeringSocketsOptions = { readonly timers: Timers; readonly lingerMs: number }

export type LingeringSocketsCounters = {
  /** Ended by ECONNRESET, EPIPE and the like: daily life, so only counted. */
  readonly reset: number
  /** Cut off, at the deadline or for sending without end. */
  readonly destroyed: number
}

export type LingeringSockets = {
  /** Takes a socket whose writing side has been ended. */
  readonly add: (socket: Socket) => void
  readonly destroyAll: () => void
  readonly counters: () => LingeringSocketsCounters
}

/** No health check sends as much; without a limit a fast sender would keep us busy reading. */
export const discardedBytesMax = 4 * 1024 * 1024

export const createLingeringSockets = ({
  timers,
  lingerMs,
}: LingeringSocketsOptions): LingeringSockets => {
  let young = new Set<Socket>()
  let old = new Set<Socket>()
  let sweepTimer: Timer | null = null
  let reset = 0
  let destroyed = 0

  // Functions with a `this` of their own: one for all sockets instead of a closure for each.
  function discard(this: Socket): void {
    if (this.bytesRead <= discardedBytesMax) return
    destroyed += 1
    this.destroy()
  }
  function countReset(): void {
    reset += 1
  }
  function forget(this: Socket): void {
    young.delete(this)
    old.delete(this)
  }

  const sweep = (): void => {
    const overdue = old
    old = young
    young = new Set()
    destroyed += overdue.size
    for (const socket of overdue) socket.destroy()
    sweepTimer = old.size > 0 ? timers.after(lingerMs, sweep) : null
  }

  return {
    add: socket => {
      socket.on('data', discard)
      socket.on('error', countReset)
      socket.on('close', forget)
      young.add(socket)
      sweepTimer ??= timers.after(lingerMs, sweep)
    },
    destroyAll: () => {
      sweepTimer?.cancel()
      sweepTimer = null
      for (const socket of young) socket.destroy()
      for (const socket of old) socket.destroy()
    },
    counters: () => ({ reset, destroyed }),
  }
}
