/**
 * What the kernel really watches for this process, from /proc/self/fdinfo.
 *
 * chokidar says 'ready' also when a path vanished between its stat and its watch and came back
 * after: ENOENT is swallowed, and nothing stands. The kernel knows. procfs is no disk, so reading
 * it at once can't hang.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Inode numbers, without devices: what the kernel prints as `sdev` is not what stat() gives on
 * btrfs and overlayfs. Null where there is no such file, as on macOS or for a hidden /proc.
 */
export const readWatchedInodes = (self = '/proc/self'): ReadonlySet<bigint> | null => {
  try {
    const texts = readdirSync(join(self, 'fd'))
      .filter(fd => isInotify(join(self, 'fd', fd)))
      .map(fd => readFileSync(join(self, 'fdinfo', fd), 'latin1'))
    return new Set(texts.flatMap(inodesIn))
  } catch {
    return null
  }
}

/** One of the descriptors listed was that of the listing, which is closed by now. */
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
