/**
 * File events, as chokidar reports them.
 *
 * Only its `raw` event is used. The others come late (`unlink` by 100 ms with `atomic`) or never
 * (of two writes 1 ms apart, 287 in 1000 were lost to the throttle of `change`).
 *
 * In chokidar, the environment variables CHOKIDAR_USEPOLLING and CHOKIDAR_INTERVAL take precedence
 * over the options. If one of them turns polling on, no usable event comes. Checks at intervals
 * then find changes without events, and watch-health.ts reports that.
 */
import { watch, type FSWatcher } from 'chokidar'

export type WatchEvents = {
  /** `path` is the watched one, `name` what the event is about, seen from there. */
  readonly raw: (path: string, event: { type: string; name: string | null }) => void
  readonly ready: () => void
  readonly error: (error: unknown) => void
}

export type OpenWatch = { readonly close: () => void }

/** Watches absolute, normalised paths. */
export type WatchOpener = (paths: readonly string[], events: WatchEvents) => OpenWatch

/** `open` is chokidar's own, or one by which a test gets hold of the instance. */
export const openChokidar = (
  paths: readonly string[],
  events: WatchEvents,
  open: typeof watch = watch,
): OpenWatch => {
  const roots = new Set(paths)
  let isClosed = false
  const chokidar = open([...roots], {
    // Also bypasses a table in which a dead watch hides a new one on the same path.
    persistent: false,
    ignoreInitial: true,
    // True would ignore a data directory whose name ends in `~`.
    atomic: false,
    depth: 0,
    followSymlinks: true,
    usePolling: false,
    // A removal under way calls add() again, which undoes close(): then nothing may be watched.
    ignored: path => isClosed || !roots.has(path),
  })
  chokidar.on('raw', (type, name: string | null, about) => {
    const path = watchedPathOf(about)
    if (path !== null) events.raw(path, { type, name })
  })
  chokidar.on('ready', events.ready)
  chokidar.on('error', events.error)
  return {
    close: () => {
      isClosed = true
      removeListeners(chokidar)
      // Between two microtasks chokidar may have opened a watch that it has not noted yet: close()
      // would leave it open for good. An immediate runs after all microtasks.
      setImmediate(() => {
        void chokidar.close()
        removeListeners(chokidar)
      })
    },
  }
}

const watchedPathOf = (about: unknown): string | null =>
  typeof about === 'object' && about !== null && 'watchedPath' in about
    ? String(about.watchedPath)
    : null

/** An 'error' without a listener would end the process, also after close(). */
const removeListeners = (chokidar: FSWatcher): void => {
  chokidar.removeAllListeners()
  chokidar.on('error', () => {})
}
