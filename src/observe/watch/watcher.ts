/**
 * Events of the file system, reduced to "look again". They carry no data: what is true is always
 * read from disk, and looks at intervals find what no event reports.
 *
 * A watch belongs to an inode, not to a path. So the watcher arms for the inodes that a look saw,
 * and after it has armed there is another look: if that one sees the same inodes, the watches are
 * on these; if not, or if an event says that a watched path leads elsewhere, it arms again.
 */
import type { Timer, Timers } from '../../facts/timers.ts'
import { createBackOff } from './backoff.ts'
import { attemptWatch, type WatchLibrary, type WatcherTrouble } from './watch-attempt.ts'

/** What a look saw. Inodes are `device:inode`, null when missing. */
export type WatchTargets = {
  readonly directory: string
  readonly directoryInode: string | null
  readonly controlFileInode: string | null
  /** What a link leads to may stay the same while the link comes or goes. */
  readonly isSymlink: boolean
}

export type Watcher = {
  /** To be called after every look: arms, if it is not armed for these inodes. */
  readonly aim: (targets: WatchTargets) => void
  readonly close: () => void
}

export type WatcherNeeds = {
  /** Look again; `name` is what the event was about. */
  readonly hint: (name: string) => void
  /** A look must follow: what changed while arming sent no event. */
  readonly armed: () => void
  /** Could not arm, or stopped working, until the next `armed`. Reported once for each cause. */
  readonly trouble: (trouble: WatcherTrouble) => void
  readonly timers: Timers
  readonly library: WatchLibrary
}

/** It does not arm twice within this time. */
const restMs = 10
const retryMsMin = 1000
const retryMsMax = 60_000

export const createWatcher = (needs: WatcherNeeds): Watcher => {
  const { hint, armed, trouble, timers, library } = needs
  let phase: 'idle' | 'arming' | 'armed' | 'retrying later' | 'closed' = 'idle'
  let wanted: WatchTargets | null = null
  /** Null if a watched path leads elsewhere now, as an event or a look says. */
  let armedFor: WatchTargets | null = null
  /** Whether the last attempt failed. */
  let failing = false
  let reported: string | null = null
  let attempt: { readonly close: () => void } | null = null
  let rest: Timer | null = null

  const consider = (): void => {
    if (wanted === null || rest !== null || (phase !== 'idle' && phase !== 'armed')) return
    if (armedFor === null) arm(wanted)
  }
  const arm = (targets: WatchTargets): void => {
    attempt?.close()
    phase = 'arming'
    armedFor = targets
    rest = timers.after(restMs, () => {
      rest = null
      consider()
    })
    const events = { ready, hint, moved, failed }
    attempt = attemptWatch({ directory: targets.directory, library, timers, events })
  }
  const backOff = createBackOff({
    timers,
    msMin: retryMsMin,
    msMax: retryMsMax,
    action: () => {
      phase = 'idle'
      consider()
    },
  })

  const ready = (): void => {
    phase = 'armed'
    failing = false
    reported = null
    backOff.reset()
    armed()
  }
  /** The look that the hint asks for tells what to arm for. */
  const moved = (): void => {
    armedFor = null
  }
  /**
   * One failure is no trouble: a file that was replaced or closed to us meanwhile gives an error,
   * and the next attempt finds something else to watch.
   */
  const failed = (found: WatcherTrouble): void => {
    armedFor = null
    phase = 'idle'
    if (!failing) {
      failing = true
      return consider()
    }
    phase = 'retrying later'
    backOff.tryLater()
    const cause = `${found.code} ${found.path}`
    if (cause !== reported) trouble(found)
    reported = cause
  }

  return {
    aim: targets => {
      wanted = targets
      // Also while it arms. What was removed and made again may have the same inode number.
      if (armedFor !== null && !sameTargets(armedFor, targets)) armedFor = null
      consider()
    },
    close: () => {
      phase = 'closed'
      attempt?.close()
      rest?.cancel()
      backOff.cancel()
    },
  }
}

const sameTargets = (one: WatchTargets, other: WatchTargets): boolean =>
  one.directory === other.directory &&
  one.directoryInode === other.directoryInode &&
  one.controlFileInode === other.controlFileInode &&
  one.isSymlink === other.isSymlink
