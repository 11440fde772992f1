/**
 * Determines whether file events are reliable here.
 *
 * Network and overlay file systems accept a watch and may never send an event. If a look finds a
 * change, and there is no event within 100 ms, the event counts as missed. After two in a row
 * events are considered unreliable, until the next one comes.
 */
import type { Evidence } from '../../facts/decide/evidence.ts'
import type { Timer, Timers } from '../../facts/timers.ts'

export type WatchHealth = {
  readonly hinted: () => void
  /** To be called with what two looks in a row found. */
  readonly looked: (before: Evidence, now: Evidence) => void
  /** The watcher could not arm. */
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
    looked: (before, now) => {
      if (!isArmed || waiting !== null || monotonic() - hintedAt <= hintWithinMs) return
      if (!filesChanged(before, now)) return
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

/** Changes for which an event is due: those of files in a directory that is still the same one. */
const filesChanged = (before: Evidence, now: Evidence): boolean =>
  before.directory.kind === 'present' &&
  now.directory.kind === 'present' &&
  before.directory.inode === now.directory.inode &&
  fingerprint(before) !== fingerprint(now)

const fingerprint = ({ lockFile, controlFile, signalFiles }: Evidence): string =>
  JSON.stringify([written(lockFile), written(controlFile), signalFiles])

const written = (sighting: Evidence['lockFile'] | Evidence['controlFile']): number | string =>
  'modified' in sighting ? sighting.modified : sighting.kind
