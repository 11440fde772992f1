/**
 * Which paths have to be watched, and which events about them matter.
 *
 * The data directory at depth 0 and the file global/pg_control; watching global/ as a directory
 * would cost 24 % of a core at 100 rewrites a second, the file alone costs under 7 %. If something
 * cannot be watched, because it is missing or not readable, the directory above it is watched.
 */
import { constants, type Stats } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { errorCode, throwShortage } from '../system/system-error.ts'

export type WatchRoot = {
  readonly path: string
  /** The entry that changes, when created or removed, what has to be watched. */
  readonly waitsFor: string | null
}

/** `moved`: look again, and what is watched is no longer what the paths lead to. */
export type Meaning = 'nothing' | 'check again' | 'moved'

/**
 * One call after the other, so that a disk that hangs blocks one of libuv's four threads. Rejects
 * if it cannot be determined: no descriptor left, an I/O error, no working directory.
 */
export const surveyRoots = async (directory: string): Promise<readonly WatchRoot[]> => {
  const path = resolve(directory)
  const isLink = await isSymlink(path)
  const root = await sightDirectory(path, 'global')
  const inside = root === null ? null : await surveyControlFile(path)
  // A watch on the target of a link sends no event when the link is changed.
  const above = root === null || isLink ? await nearestAbove(path) : null
  return [above, root, inside].filter(found => found !== null)
}

/** The control file, or global/ while there is none. */
const surveyControlFile = async (path: string): Promise<WatchRoot | null> => {
  const global = join(path, 'global')
  const controlFile = join(global, 'pg_control')
  const status = await readableStatus(controlFile)
  if (status?.isFile() !== true) return sightDirectory(global, 'pg_control')
  return { path: controlFile, waitsFor: null }
}

/** The nearest directory above that can be watched, with the next step down. */
const nearestAbove = async (path: string): Promise<WatchRoot | null> => {
  let nearest: WatchRoot | null = null
  for (const { above, step } of waysDown(path)) nearest ??= await sightDirectory(above, step)
  return nearest
}

/** Of `/srv/data`: `data` from /srv, then `srv` from /. */
const waysDown = (path: string) =>
  path
    .split('/')
    .slice(1)
    .map((step, depth, steps) => ({ above: `/${steps.slice(0, depth).join('/')}`, step }))
    .toReversed()

const sightDirectory = async (path: string, waitsFor: string): Promise<WatchRoot | null> => {
  const status = await readableStatus(path)
  if (status?.isDirectory() !== true) return null
  return { path, waitsFor }
}

const isSymlink = async (path: string): Promise<boolean> => {
  try {
    return (await lstat(path)).isSymbolicLink()
  } catch (error) {
    throwShortage(error)
    return false
  }
}

/** Missing, or not readable: then the directory above it is watched. */
const outOfReach: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM'])

/** Opened, because inotify requires permission to read as well. */
const readableStatus = async (path: string): Promise<Stats | null> => {
  try {
    // O_NONBLOCK: opening a FIFO in the place of the file must not block.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      return await file.stat()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (outOfReach.has(errorCode(error))) return null
    throw error
  }
}

const names: ReadonlySet<string> = new Set([
  'standby.signal',
  'recovery.signal',
  'recovery.conf',
  'postmaster.pid',
  'pg_control',
  'backup_label',
  'PG_VERSION',
  'global',
])

/**
 * Events about a watched path itself have its own base name: `rename` when it was deleted, moved or
 * unmounted, `change` when it was written or its mode was changed.
 */
export const meaningOf = (
  root: WatchRoot,
  event: { readonly type: string; readonly name: string | null },
): Meaning => {
  const { type, name } = event
  if (name === null) return 'check again'
  if (name === root.waitsFor) return 'moved'
  if (name === basename(root.path)) return type === 'rename' ? 'moved' : 'check again'
  return names.has(name) ? 'check again' : 'nothing'
}
