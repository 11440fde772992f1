/** A watch library that does what a test says. */
import { setImmediate as turn } from 'node:timers/promises'
import type { WatchEvents } from '../../src/observe/watch/chokidar-watch.ts'
import type { WatchLibrary } from '../../src/observe/watch/watch-attempt.ts'
import type { WatchRoot } from '../../src/observe/watch/watch-targets.ts'

export type FakeWatch = WatchEvents & {
  readonly paths: readonly string[]
  readonly isClosed: () => boolean
}

export type FakeWatchLibrary = {
  readonly library: WatchLibrary
  readonly opened: readonly FakeWatch[]
  /** Waits for the survey and gives the watch opened last. */
  readonly last: () => Promise<FakeWatch>
  /** Lets the watch opened last be ready. */
  readonly ready: () => Promise<FakeWatch>
  /** What surveys find from now on; 'nothing ever' for a disk that hangs. */
  readonly survey: (found: readonly WatchRoot[] | Error | 'nothing ever') => void
  readonly surveys: () => number
  /** Ends a survey that hangs. */
  readonly thaw: () => void
}

export const wholeCluster: readonly [data: WatchRoot, controlFile: WatchRoot] = [
  { path: '/srv/data', waitsFor: 'global' },
  { path: '/srv/data/global/pg_control', waitsFor: null },
]

export const createFakeWatchLibrary = (): FakeWatchLibrary => {
  const opened: FakeWatch[] = []
  const hanging = new Set<() => void>()
  let found: readonly WatchRoot[] | Error | 'nothing ever' = wholeCluster
  let surveys = 0

  const survey: WatchLibrary['survey'] = async () => {
    surveys += 1
    if (found === 'nothing ever') {
      await new Promise<void>(resolve => {
        hanging.add(resolve)
      })
    }
    if (found instanceof Error) throw found
    return found === 'nothing ever' ? [] : found
  }
  const open: WatchLibrary['open'] = (paths, events) => {
    let closed = false
    opened.push({ ...events, paths, isClosed: () => closed })
    return {
      close: () => {
        closed = true
      },
    }
  }
  const last = async (): Promise<FakeWatch> => {
    await turn()
    const watch = opened.at(-1)
    if (watch === undefined) throw new Error('no watch was opened')
    return watch
  }
  return {
    library: { survey, open },
    opened,
    last,
    ready: async () => {
      const watch = await last()
      watch.ready()
      return watch
    },
    survey: next => {
      found = next
    },
    surveys: () => surveys,
    thaw: () => {
      for (const resolve of hanging) resolve()
    },
  }
}
