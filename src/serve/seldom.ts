/** The same news once a minute at most, so that a flood of it doesn't flood the log. */
import type { Timer, Timers } from '../facts/timers.ts'

export const quietMs = 60_000

export type Seldom<Event> = {
  /** Reports it, or drops it when its kind has been reported a short while ago. */
  readonly report: (event: Event) => void
  /** Forgets what was reported, and holds no timer any more. */
  readonly forget: () => void
}

export const createSeldom = <Event extends { readonly kind: string }>(
  timers: Timers,
  report: (event: Event) => void,
): Seldom<Event> => {
  const quiet = new Map<string, Timer>()
  return {
    report: event => {
      const { kind } = event
      if (quiet.has(kind)) return
      const speakAgain = (): void => {
        quiet.delete(kind)
      }
      quiet.set(kind, timers.after(quietMs, speakAgain))
      report(event)
    },
    forget: () => {
      for (const timer of quiet.values()) timer.cancel()
      quiet.clear()
    },
  }
}
