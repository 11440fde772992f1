/**
 * What is worth watching now, and which events about it count.
 *
 * The data directory at depth 0 and the file global/pg_control; watching global/ as a directory
 * would cost 24 % of a core at 100 rewrites a second, the file alone costs under 7 %. What can't
 * be watched, because it is missing or may not be read, is waited for by the directory above it.
 * A watch stands for an inode, not for a path, so each root is noted with its inode.
 */
import { constants, type BigIntStats } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { errorCode } from './system-error.ts'

export type WatchRoot = {
  readonly path: string
  readonly device: bigint
  readonly inode: bigint
  /** The entry whose coming or going changes what has to be watched. */
  readonly waitsFor: string | null
}

/** `moved`: look again, and what was armed stands for the paths no more. */
export type Meaning = 'nothing' | 'look again' | 'moved'

/**
 * One after the other, so that a disk that hangs holds one thread of libuv's four. Rejects when
 * there is no telling what is there: no descriptor left, a failing disk, no working directory.
 */
export const surveyRoots = async (directory: string): Promise<readonly WatchRoot[]> => {
  const path = resolve(directory)
  const isLink = await isSymlink(path)
  const root = await sightDirectory(path, 'global')
  const inside = root === null ? null : await surveyControlFile(path)
  // A link led elsewhere sends nothing to those who watch what it led to.
  const above = root === null || isLink ? await nearestAbove(path) : null
  return [above, root, inside].filter(found => found !== null)
}

/** The control file, or global/ as long as there is none. */
const surveyControlFile = async (path: string): Promise<WatchRoot | null> => {
  const global = join(path, 'global')
  const controlFile = join(global, 'pg_control')
  const status = await readableStatus(controlFile)
  if (status?.isFile() !== true) return sightDirectory(global, 'pg_control')
  return { path: controlFile, device: status.dev, inode: status.ino, waitsFor: null }
}

/** The nearest directory above that can be watched; it waits for the next step down. */
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
  return { path, device: status.dev, inode: status.ino, waitsFor }
}

const isSymlink = async (path: string): Promise<boolean> => {
  try {
    return (await lstat(path)).isSymbolicLink()
  } catch {
    return false
  }
}

/** Missing, or not ours to read: another directory has to wait for it. */
const outOfReach: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM'])

/** Opened rather than looked at: inotify too demands the right to read. */
const readableStatus = async (path: string): Promise<BigIntStats | null> => {
  try {
    // O_NONBLOCK: a FIFO put in the file's place must not hold us up for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      return await file.stat({ bigint: true })
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
 * The kernel calls what happens to a watched path itself by the path's own base name: `rename`
 * when it was deleted, moved or unmounted, `change` when it was written or its mode changed.
 */
export const meaningOf = (
  root: WatchRoot,
  event: { readonly type: string; readonly name: string | null },
): Meaning => {
  const { type, name } = event
  if (name === null) return 'look again'
  if (name === root.waitsFor) return 'moved'
  if (name === basename(root.path)) return type === 'rename' ? 'moved' : 'look again'
  return names.has(name) ? 'look again' : 'nothing'
}

/** The same paths leading to the same inodes. */
export const sameRoots = (some: readonly WatchRoot[], others: readonly WatchRoot[]): boolean =>
  printRoots(some) === printRoots(others)

export const printRoots = (roots: readonly WatchRoot[]): string =>
  JSON.stringify(roots.map(({ path, device, inode }) => [path, `${device}:${inode}`]))
