/** Time that passes only when a test says so. */
import type { Timers } from '../../src/facts/timers.ts'

export type ManualTimers = {
  readonly timers: Timers
  /** Runs what falls due on the way, in order of time and then of asking. */
  readonly advance: (ms: number) => void
  /** As for a process that is stopped: what falls due meanwhile runs with the next advance(). */
  readonly oversleep: (ms: number) => void
  readonly now: () => number
  /** How many timers are waiting. */
  readonly pending: () => number
}

export const createManualTimers = (): ManualTimers => {
  type Waiting = { readonly due: number; readonly action: () => void }
  const waiting = new Set<Waiting>()
  let now = 0

  const nextDue = (until: number): Waiting | null => {
    let next: Waiting | null = null
    for (const one of waiting) {
      if (one.due <= until && (next === null || one.due < next.due)) next = one
    }
    return next
  }

  return {
    timers: {
      after: (ms, action) => {
        const one: Waiting = { due: now + Math.max(0, ms), action }
        waiting.add(one)
        return {
          cancel: () => {
            waiting.delete(one)
          },
        }
      },
    },
    advance: ms => {
      const until = now + ms
      for (let next = nextDue(until); next !== null; next = nextDue(until)) {
        waiting.delete(next)
        now = Math.max(now, next.due)
        next.action()
      }
      now = until
    },
    oversleep: ms => {
      now += ms
    },
    now: () => now,
    pending: () => waiting.size,
  }
}
