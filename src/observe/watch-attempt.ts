/**
 * One arming, from the survey to the last event: it stands for the inodes it found, and ends when
 * it is closed or fails.
 *
 * chokidar stats first and watches after, so what happens in between is lost to it; hence a second
 * survey once it is ready.
 */
import { basename } from 'node:path'
import type { Timer, Timers } from '../facts/timers.ts'
import { readWatchedInodes } from './inotify-watches.ts'
import { openQuietChokidar, type OpenWatch, type WatchOpener } from './quiet-chokidar.ts'
import { errorCode } from './system-error.ts'
import { meaningOf, printRoots, sameRoots, surveyRoots, type WatchRoot } from './watch-roots.ts'

/** The outside world, so that tests can hand in another one. */
export type WatchLibrary = {
  readonly survey: typeof surveyRoots
  readonly open: WatchOpener
  /** The inodes the kernel watches, null when it can't be told. */
  readonly watchedInodes: () => ReadonlySet<bigint> | null
}

export const systemWatchLibrary: WatchLibrary = {
  survey: surveyRoots,
  open: openQuietChokidar,
  watchedInodes: readWatchedInodes,
}

/** `code` is the system's, or ETIMEDOUT when arming took too long. */
export type WatcherTrouble = { readonly code: string; readonly path: string }

export type AttemptEvents = {
  readonly ready: () => void
  readonly hint: (name: string) => void
  /** The paths lead elsewhere: watches have to be armed again. */
  readonly moved: () => void
  /** The kernel seems to watch something else than these roots; null when it watches them. */
  readonly doubt: (roots: string | null) => void
  /** The attempt is over; null: because the paths lead elsewhere by now. */
  readonly failed: (trouble: WatcherTrouble | null) => void
}

/** 'ready' may never fire: readdir failing with EMFILE, EIO, ESTALE, or a disk that hangs. */
const armingMsMax = 1500

export const attemptWatch = (needs: {
  readonly directory: string
  readonly library: WatchLibrary
  readonly timers: Timers
  readonly events: AttemptEvents
}): { readonly close: () => void } => {
  const { directory, library, timers, events } = needs
  let over = false
  let erred = false
  let watch: OpenWatch | null = null
  let limit: Timer

  const end = (): void => {
    over = true
    limit.cancel()
    watch?.close()
  }
  const fail = (trouble: WatcherTrouble | null): void => {
    if (over) return
    end()
    events.failed(trouble)
  }
  const startLimit = (): Timer =>
    timers.after(armingMsMax, () => {
      fail({ code: 'ETIMEDOUT', path: directory })
    })
  const survey = async (): Promise<readonly WatchRoot[] | null> => {
    try {
      return await library.survey(directory)
    } catch (error) {
      fail(troubleOf(error, directory))
      return null
    }
  }

  const arm = async (): Promise<void> => {
    const roots = await survey()
    if (over || roots === null) return
    const byPath = new Map(roots.map(root => [root.path, root]))
    // Nothing to watch, not even `/`: 'ready' would never come.
    if (byPath.size === 0) return fail({ code: 'ENOENT', path: directory })
    watch = library.open([...byPath.keys()], {
      raw: (path, event) => {
        const root = byPath.get(path)
        if (over || root === undefined) return
        const meaning = meaningOf(root, event)
        if (meaning === 'moved') events.moved()
        if (meaning !== 'nothing') events.hint(event.name ?? basename(path))
      },
      ready: () => {
        if (over || erred) return
        limit.cancel()
        events.ready()
        void confirm(roots)
      },
      error: error => {
        if (over || erred) return
        erred = true
        void weigh(roots, troubleOf(error, directory))
      },
    })
  }

  /**
   * Things may have moved while we armed. If the paths still lead to the inodes they led to before
   * and the kernel watches those, then no change can have gone by unseen.
   */
  const confirm = async (armed: readonly WatchRoot[]): Promise<void> => {
    const roots = await survey()
    if (over || roots === null) return
    if (!sameRoots(armed, roots)) return events.moved()
    const inodes = library.watchedInodes()
    const confirmed = inodes === null || roots.every(({ inode }) => inodes.has(inode))
    events.doubt(confirmed ? null : printRoots(roots))
  }

  /** EACCES for a file whose mode was changed under our hands is no trouble: just arm again. */
  const weigh = async (armed: readonly WatchRoot[], trouble: WatcherTrouble): Promise<void> => {
    limit.cancel()
    limit = startLimit()
    const roots = await survey()
    if (roots !== null) fail(sameRoots(armed, roots) ? trouble : null)
  }

  limit = startLimit()
  void arm()
  return { close: end }
}

const troubleOf = (error: unknown, directory: string): WatcherTrouble => {
  const isAboutPath = error instanceof Error && 'path' in error && typeof error.path === 'string'
  return { code: errorCode(error), path: isAboutPath ? String(error.path) : directory }
}
