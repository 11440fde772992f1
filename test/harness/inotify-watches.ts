/** What the kernel watches for a process, from /proc/PID/fdinfo. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Inode numbers, without devices: what the kernel prints as `sdev` is not what stat() gives on
 * btrfs and overlayfs.
 */
export const readWatchedInodes = (process = '/proc/self'): ReadonlySet<bigint> => {
  const texts = readdirSync(join(process, 'fd'))
    .filter(fd => isInotify(join(process, 'fd', fd)))
    .map(fd => readFileSync(join(process, 'fdinfo', fd), 'latin1'))
  return new Set(texts.flatMap(inodesIn))
}

export const isWatched = (path: string, process?: string): boolean => {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false })
  return status !== undefined && readWatchedInodes(process).has(status.ino)
}

/** The descriptor of the listing itself is closed by now. */
const isInotify = (link: string): boolean => {
  try {
    return readlinkSync(link) === 'anon_inode:inotify'
  } catch {
    return false
  }
}

/** Lines are `inotify wd:1 ino:3a0e sdev:800013 mask:fce ...`, numbers in hexadecimal. */
const inodesIn = (text: string): readonly bigint[] =>
  Array.from(text.matchAll(/^inotify .*?\bino:([0-9a-f]+)/gm), ([, inode]) => BigInt(`0x${inode}`))
