/**
 * chokidar with everything switched off but its ears.
 *
 * Only the `raw` event is listened to: the others come late (unlink by 100 ms with `atomic`) or
 * never (of two writes 1 ms apart, 287 in 1000 lost for good to the throttle of `change`).
 */
import { FSWatcher } from 'chokidar'

export type WatchEvents = {
  /** `path` is the watched one, `name` what the event is about, seen from there. */
  readonly raw: (path: string, event: { type: string; name: string | null }) => void
  readonly ready: () => void
  readonly error: (error: unknown) => void
}

export type OpenWatch = { readonly close: () => void }

/** Watches absolute, normalised paths. */
export type WatchOpener = (paths: readonly string[], events: WatchEvents) => OpenWatch

/**
 * chokidar answers each event by a stat of the file, or by a listing of the whole directory,
 * unless it is throttled; so throttling everything spares that work, and the timers that would
 * keep the process alive. Measured at 100 writes a second each to pg_control and to a log file in
 * the data directory: 10.6 % of a core without, 5.3 % with the listing alone switched off, 1.8 %
 * so. An underscore method: chokidar is pinned exactly, and without this all works the same.
 */
export class QuietWatcher extends FSWatcher {
  override _throttle(): false {
    return false
  }
}

/** `Library` is there for the proof that we do not depend on the quiet. */
export const watchWith =
  (Library: typeof FSWatcher): WatchOpener =>
  (paths, events) => {
    // They would override the options: polling instead of events.
    delete process.env['CHOKIDAR_USEPOLLING']
    delete process.env['CHOKIDAR_INTERVAL']
    const roots = new Set(paths)
    const chokidar = new Library({
      // Also bypasses a table in which a dead watch shadows a new one on the same path.
      persistent: false,
      ignoreInitial: true,
      // True would ignore a data directory whose name ends in `~`.
      atomic: false,
      depth: 0,
      followSymlinks: true,
      usePolling: false,
      ignored: path => !roots.has(path),
    })
    chokidar.on('raw', (type, name: string | null, about) => {
      const path = watchedPathOf(about)
      if (path !== null) events.raw(path, { type, name })
    })
    chokidar.on('ready', events.ready)
    chokidar.on('error', events.error)
    chokidar.add([...roots])
    return {
      close: () => {
        silence(chokidar)
      },
    }
  }

export const openQuietChokidar: WatchOpener = watchWith(QuietWatcher)

const watchedPathOf = (about: unknown): string | null =>
  typeof about === 'object' && about !== null && 'watchedPath' in about
    ? String(about.watchedPath)
    : null

const silence = (chokidar: FSWatcher): void => {
  mute(chokidar)
  // A removal in flight calls add() again, which undoes close(): 30 of 30 came alive again.
  chokidar.add = () => chokidar
  // Between two microtasks chokidar may hold a watch that it has not noted yet: closed right then
  // it leaks that watch for good (tried). Nothing is in between when an immediate runs.
  setImmediate(() => {
    void chokidar.close()
    mute(chokidar)
  })
}

/** An 'error' without a listener would end the process, also after close(). */
const mute = (chokidar: FSWatcher): void => {
  chokidar.removeAllListeners()
  chokidar.on('error', () => {})
}
