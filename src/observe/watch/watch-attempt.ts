/** One attempt to watch: from determining what to watch until it is closed, or fails. */
import { basename } from 'node:path'
import type { Timer, Timers } from '../../facts/timers.ts'
import { openChokidar, type OpenWatch, type WatchOpener } from './chokidar-watch.ts'
import { errorCode } from '../system/system-error.ts'
import { meaningOf, surveyRoots } from './watch-targets.ts'

/** The outside world, so that tests can hand in another one. */
export type WatchLibrary = {
  readonly survey: typeof surveyRoots
  readonly open: WatchOpener
}

export const systemWatchLibrary: WatchLibrary = { survey: surveyRoots, open: openChokidar }

/** `code` is the system's, or ETIMEDOUT when arming took too long. */
export type WatcherTrouble = { readonly code: string; readonly path: string }

export type AttemptEvents = {
  readonly ready: () => void
  readonly hint: (name: string) => void
  /** A watched path leads elsewhere now; a hint follows. */
  readonly moved: () => void
  /** The attempt is over. */
  readonly failed: (trouble: WatcherTrouble) => void
}

/** 'ready' may never come: if a directory can't be listed (EMFILE, EIO), or the disk hangs. */
const armingMsMax = 1500

export const attemptWatch = (needs: {
  readonly directory: string
  readonly library: WatchLibrary
  readonly timers: Timers
  readonly events: AttemptEvents
}): { readonly close: () => void } => {
  const { directory, library, timers, events } = needs
  let over = false
  let watch: OpenWatch | null = null
  let limit: Timer | null = null

  const close = (): void => {
    over = true
    limit?.cancel()
    watch?.close()
  }
  const fail = (trouble: WatcherTrouble): void => {
    if (over) return
    close()
    events.failed(trouble)
  }

  const arm = async (): Promise<void> => {
    const roots = await library.survey(directory)
    if (over) return
    const byPath = new Map(roots.map(root => [root.path, root]))
    limit = timers.after(armingMsMax, () => {
      fail({ code: 'ETIMEDOUT', path: directory })
    })
    watch = library.open([...byPath.keys()], {
      raw: (path, event) => {
        const root = byPath.get(path)
        if (over || root === undefined) return
        const meaning = meaningOf(root, event)
        if (meaning === 'moved') events.moved()
        if (meaning !== 'nothing') events.hint(event.name ?? basename(path))
      },
      ready: () => {
        if (over) return
        limit?.cancel()
        events.ready()
      },
      error: error => {
        fail(troubleOf(error, directory))
      },
    })
  }

  arm().catch((error: unknown) => {
    fail(troubleOf(error, directory))
  })
  return { close }
}

const troubleOf = (error: unknown, directory: string): WatcherTrouble => {
  const isAboutPath = error instanceof Error && 'path' in error && typeof error.path === 'string'
  return { code: errorCode(error), path: isAboutPath ? String(error.path) : directory }
}
