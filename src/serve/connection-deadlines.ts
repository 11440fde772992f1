/**
 * Connections that may stay open for a limited time.
 *
 * One timer serves all of them. It moves them from one generation to the next, so that each stays
 * for at least `stayMs` and at most twice that. There is no timer while there is no connection.
 */
import type { Timer, Timers } from '../facts/timers.ts'

export type Deadlines<Connection> = {
  readonly add: (connection: Connection) => void
  readonly delete: (connection: Connection) => void
  /** Removes all connections, and returns those that were left. */
  readonly clear: () => readonly Connection[]
}

export const createDeadlines = <Connection>({
  timers,
  stayMs,
  expired,
}: {
  readonly timers: Timers
  readonly stayMs: number
  readonly expired: (connection: Connection) => void
}): Deadlines<Connection> => {
  let young = new Set<Connection>()
  let old = new Set<Connection>()
  let timer: Timer | null = null

  const advance = (): void => {
    const overdue = old
    old = young
    young = new Set()
    for (const connection of overdue) expired(connection)
    timer = old.size > 0 ? timers.after(stayMs, advance) : null
  }

  return {
    add: connection => {
      young.add(connection)
      timer ??= timers.after(stayMs, advance)
    },
    delete: connection => {
      young.delete(connection)
      old.delete(connection)
    },
    clear: () => {
      timer?.cancel()
      timer = null
      const left = [...old, ...young]
      old = new Set()
      young = new Set()
      return left
    },
  }
}
