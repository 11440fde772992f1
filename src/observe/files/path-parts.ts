/**
 * The parts of a path, from / on, with their owners: directories, links, and the targets of links.
 * The owner of any of them can make the path lead elsewhere. Nothing is opened.
 */
import type { BigIntStats } from 'node:fs'
import { lstat, readlink, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorCode } from '../system/system-error.ts'

export type PathPart = {
  /** Contains no link. */
  readonly path: string
  readonly user: number
  readonly group: number
  readonly isLink: boolean
  /** Permission bits, set-user-ID, set-group-ID and sticky bit, as in stat(2). */
  readonly mode: number
}

export type PathParts = {
  readonly parts: readonly PathPart[]
  /** Null if the last part is what the path leads to; else the error at which it ended. */
  readonly end: string | null
}

/** As many as the kernel follows: MAXSYMLINKS in include/linux/namei.h. */
const linksMax = 40

/** `path` is absolute. */
export const partsOf = async (path: string): Promise<PathParts> => {
  const parts: PathPart[] = []
  try {
    await walk(path, parts)
    return { parts, end: null }
  } catch (error) {
    return { parts, end: errorCode(error) }
  }
}

const inFull = { bigint: true } as const

const walk = async (path: string, parts: PathPart[]): Promise<void> => {
  let links = 0
  let last = await lstat('/', inFull)
  parts.push(partOf('/', last))
  let at = '/'
  /** Names still to be followed, the next one last. */
  const ahead = namesIn(path).toReversed()
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === '..') {
      // Needs no system call: the path so far contains no link.
      at = dirname(at)
      continue
    }
    const next = join(at, name)
    last = await lstat(next, inFull)
    parts.push(partOf(next, last))
    if (!last.isSymbolicLink()) {
      at = next
      continue
    }
    links += 1
    if (links > linksMax) throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
    const target = await readlink(next)
    if (target.startsWith('/')) at = '/'
    ahead.push(...namesIn(target).toReversed())
  }
  // A link to a directory above ends at a part that is listed already; and links in /proc, such as
  // /proc/PID/root, lead elsewhere than to what readlink() returns.
  const reached = await stat(path, inFull)
  const isLast = reached.dev === last.dev && reached.ino === last.ino
  if (!isLast) parts.push(partOf(path, reached))
}

const namesIn = (path: string): string[] =>
  path.split('/').filter(name => name !== '' && name !== '.')

const partOf = (path: string, status: BigIntStats): PathPart => ({
  path,
  user: Number(status.uid),
  group: Number(status.gid),
  isLink: status.isSymbolicLink(),
  mode: Number(status.mode) & 0o7777,
})
