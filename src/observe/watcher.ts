/**
 * Events of the file system, boiled down to "look again". They carry no data: what is true is
 * always read afresh from disk.
 *
 * Told after every look what is there now, the watcher arms again whenever that, or an event about
 * a watched path itself, says that its watches stand for inodes that the paths lead to no more.
 * What happens before and while it arms is covered by the look that has to follow `armed`.
 */
import type { Timer, Timers } from '../facts/timers.ts'
import { createBackOff } from './back-off.ts'
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
  /** Told after every look: arms, or arms again what no longer stands for these inodes. */
  readonly aim: (targets: WatchTargets) => void
  /** Whether events can be relied on right now. */
  readonly state: () => 'arming' | 'armed' | 'blind'
  readonly close: () => void
}

export type WatcherNeeds = {
  /** Look again; `name` is what the event was about. */
  readonly hint: (name: string) => void
  /** A look must follow: what changed while arming sent no event. */
  readonly armed: () => void
  /** Could not arm, or stopped working, until the next `armed`. Told once for each cause. */
  readonly trouble: (trouble: WatcherTrouble) => void
  readonly timers: Timers
  readonly library: WatchLibrary
}

/** Never armed twice within this. */
const restMs = 10
const retryMsMin = 1000
const retryMsMax = 60_000

export const createWatcher = (needs: WatcherNeeds): Watcher => {
  const { hint, armed, trouble, timers } = needs
  const library = { ...needs.library, survey: shared(needs.library.survey) }
  let phase: 'idle' | 'arming' | 'armed' | 'blind' | 'retrying' | 'closed' = 'idle'
  let wanted: WatchTargets | null = null
  let armedFor: WatchTargets | null = null
  /** Whether the watches stand for what the paths lead to, going by events and a second survey. */
  let standing: 'unsure' | 'sure' | 'moved' = 'unsure'
  /** Roots the kernel did not confirm; the same twice mean that it numbers inodes its own way. */
  let doubted: string | null = null
  let told: string | null = null
  let attempt: { readonly close: () => void } | null = null
  let rest: Timer | null = null

  /** Arms when there is need to, unless it just did or is about to. */
  const consider = (): void => {
    if (wanted === null || rest !== null || (phase !== 'idle' && phase !== 'armed')) return
    if (standing === 'moved' || !isArmedFor(wanted)) arm(wanted, 'arming')
  }
  const isArmedFor = (targets: WatchTargets): boolean =>
    armedFor !== null && sameTargets(armedFor, targets)

  const arm = (targets: WatchTargets, as: 'arming' | 'retrying'): void => {
    attempt?.close()
    phase = as
    standing = 'unsure'
    rest = timers.after(restMs, () => {
      rest = null
      consider()
    })
    const events = { ready, hint, moved: rootMoved, doubt, failed }
    attempt = attemptWatch({ directory: targets.directory, library, timers, events })
  }
  const backOff = createBackOff({
    timers,
    msMin: retryMsMin,
    msMax: retryMsMax,
    action: () => {
      if (wanted !== null) arm(wanted, 'retrying')
    },
  })

  const ready = (): void => {
    phase = 'armed'
    told = null
    backOff.reset()
    // The latest look rather than the one armed for: if things moved, the second survey tells.
    armedFor = wanted
    consider()
    armed()
  }
  const rootMoved = (): void => {
    standing = 'moved'
    consider()
  }
  const doubt = (roots: string | null): void => {
    const isNews = roots !== doubted
    doubted = roots
    if (roots !== null && isNews) rootMoved()
    else if (standing === 'unsure') standing = 'sure'
  }
  const failed = (found: WatcherTrouble | null): void => {
    if (found === null) {
      phase = 'idle'
      return rootMoved()
    }
    phase = 'blind'
    backOff.tryLater()
    const cause = `${found.code} ${found.path}`
    if (cause === told) return
    told = cause
    trouble(found)
  }

  return {
    aim: targets => {
      wanted = targets
      consider()
    },
    state: () => {
      if (phase === 'blind' || phase === 'retrying' || phase === 'closed') return 'blind'
      return standing === 'sure' && wanted !== null && isArmedFor(wanted) ? 'armed' : 'arming'
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

/** One survey at a time: on a disk that hangs each would keep a thread of libuv's four. */
const shared = (survey: WatchLibrary['survey']): WatchLibrary['survey'] => {
  let running: ReturnType<WatchLibrary['survey']> | null = null
  return async directory => {
    const mine = (running ??= survey(directory))
    try {
      return await mine
    } finally {
      if (running === mine) running = null
    }
  }
}
