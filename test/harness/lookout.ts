/**
 * A caller of the watcher: looks whenever told to, and never without being told, so that a change
 * whose hint is lost stays unseen for ever. One look at a time, at most one more asked for.
 */
import { existsSync } from 'node:fs'
import { lstat, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Timers } from '../../src/facts/timers.ts'
import { systemWatchLibrary } from '../../src/observe/watch/watch-attempt.ts'
import { createWatcher, type Watcher } from '../../src/observe/watch/watcher.ts'
import { isWatched } from './inotify-watches.ts'
import { until, within } from './until.ts'

/** Contents; null where there is nothing, or nothing that may be read. */
export type Sight = {
  readonly directory: string | null
  readonly controlFile: string | null
  readonly standbySignal: string | null
  readonly lockFile: string | null
}

export type Lookout = {
  readonly watcher: Watcher
  /** What the hints were about, in order; arming counts as one about ''. */
  readonly hints: readonly string[]
  readonly troubles: readonly string[]
  /** Resolves with the look that first shows it. */
  readonly sees: (what: string, expected: (sight: Sight) => boolean) => Promise<Sight>
  /** Resolves once it has armed, the kernel watches what is there now, and no look is under way. */
  readonly settled: () => Promise<void>
  readonly close: () => void
}

/** Far above the few milliseconds it takes: only a lost hint takes longer. */
const limitMs = 5000

export const realTimers: Timers = {
  after: (ms, action) => {
    const timer = setTimeout(action, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}

export const startLookout = (directory: string): Lookout => {
  const hints: string[] = []
  const troubles: string[] = []
  const waiting = new Set<() => boolean>()
  let last: Sight | null = null
  let looking = false
  let askedAgain = false

  const lookAgain = (): void => {
    askedAgain = true
    if (!looking) void look()
  }
  const look = async (): Promise<void> => {
    looking = true
    while (askedAgain) {
      askedAgain = false
      const { sight, targets } = await lookAt(directory)
      last = sight
      watcher.aim(targets)
      answer()
    }
    looking = false
    answer()
  }
  const wait = <Found>(what: string, find: () => Found | null): Promise<Found> => {
    const found = new Promise<Found>(resolve => {
      const isAnswered = (): boolean => {
        const now = find()
        if (now !== null) resolve(now)
        return now !== null
      }
      if (!isAnswered()) waiting.add(isAnswered)
    })
    return within(found, { what: `${what} in ${basename(directory)}`, limitMs })
  }
  const answer = (): void => {
    for (const isAnswered of waiting) if (isAnswered()) waiting.delete(isAnswered)
  }

  const watcher = createWatcher({
    hint: name => {
      hints.push(name)
      lookAgain()
    },
    armed: () => {
      hints.push('')
      lookAgain()
    },
    trouble: ({ code }) => {
      troubles.push(code)
    },
    timers: realTimers,
    library: systemWatchLibrary,
  })
  lookAgain()

  return {
    watcher,
    hints,
    troubles,
    sees: (what, expected) => wait(what, () => (last !== null && expected(last) ? last : null)),
    settled: () => {
      const paths = [directory, join(directory, 'global', 'pg_control')]
      const isSettled = (): boolean =>
        !looking && hints.includes('') && paths.every(path => !existsSync(path) || isWatched(path))
      return until(isSettled, { what: 'rest', limitMs, everyMs: 1 })
    },
    close: () => {
      watcher.close()
    },
  }
}

const lookAt = async (directory: string) => {
  const [link, target, controlFile] = await Promise.all([
    lstat(directory).catch(() => null),
    inode(directory),
    inode(join(directory, 'global', 'pg_control')),
  ])
  const targets = {
    directory,
    directoryInode: target,
    controlFileInode: controlFile,
    isSymlink: link?.isSymbolicLink() === true,
  }
  const sight: Sight = {
    directory: target,
    controlFile: await text(join(directory, 'global', 'pg_control')),
    standbySignal: await text(join(directory, 'standby.signal')),
    lockFile: await text(join(directory, 'postmaster.pid')),
  }
  return { sight, targets }
}

const inode = async (path: string): Promise<string | null> => {
  try {
    const { dev, ino } = await stat(path)
    return `${dev}:${ino}`
  } catch {
    return null
  }
}

const text = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null)
