/**
 * Whether file events can be relied on, judged by what they miss.
 *
 * Network and overlay file systems take a watch without a word and never send anything. So when a
 * look of ours finds a change and no event about it comes near, that counts as missed; missed
 * twice running, events do not work here, until one does.
 */
import type { Timer, Timers } from '../facts/timers.ts'

export type WatchHealth = {
  readonly hinted: () => void
  /** A look found files changed, `hinted` or not. */
  readonly foundChange: () => void
  /** The watcher could not arm, or works again. */
  readonly trouble: (because: string) => void
  readonly armed: () => void
  readonly polling: () => boolean
  readonly close: () => void
}

/** An event about a change comes within this, before or after the look that finds it. */
const hintWithinMs = 100
const missesMax = 2

export const createWatchHealth = (needs: {
  readonly timers: Timers
  readonly monotonic: () => number
  readonly degraded: (because: string) => void
  readonly restored: () => void
}): WatchHealth => {
  const { timers, monotonic, degraded, restored } = needs
  let isArmed = false
  let polling = false
  let misses = 0
  let hintedAt = -Infinity
  let waiting: Timer | null = null

  const degrade = (because: string): void => {
    if (polling) return
    polling = true
    degraded(because)
  }
  const restore = (): void => {
    if (!polling) return
    polling = false
    restored()
  }
  const stopWaiting = (): void => {
    waiting?.cancel()
    waiting = null
  }
  const miss = (): void => {
    waiting = null
    misses += 1
    if (misses >= missesMax) degrade('files change without events on this file system')
  }
  return {
    hinted: () => {
      hintedAt = monotonic()
      misses = 0
      stopWaiting()
      if (isArmed) restore()
    },
    foundChange: () => {
      if (!isArmed || waiting !== null || monotonic() - hintedAt <= hintWithinMs) return
      waiting = timers.after(hintWithinMs, miss)
    },
    trouble: because => {
      isArmed = false
      stopWaiting()
      degrade(because)
    },
    armed: () => {
      isArmed = true
      // Silent file systems arm as well: what was missed before must be made good by an event.
      if (misses < missesMax) restore()
    },
    polling: () => polling,
    close: stopWaiting,
  }
}
