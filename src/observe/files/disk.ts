/**
 * The file system as a data directory is read from it. Nothing is ever written.
 *
 * Functions are asynchronous: if the disk hangs, the caller waits, and the listeners go on. They
 * use the callbacks of node:fs, which cost half of what its promises do. Those named `...AtOnce`
 * are synchronous and block the event loop: data-directory.ts says when that is safe.
 *
 * Errors are returned as values, except a shortage, such as of descriptors. It tells nothing about
 * the disk, so it is thrown and ends the look.
 */
import {
  close,
  constants,
  fstat,
  lstat,
  lstatSync,
  open,
  read,
  readdir,
  stat,
  statfs,
} from 'node:fs'
import type { BigIntStats, StatsFs } from 'node:fs'
import type { UnixMs } from '../../facts/units.ts'
import { errorCode, meansAbsent, nullIfRefused, throwShortage } from '../system/system-error.ts'

/** `code` is the system's error code, or what the path is instead. */
export type Missing =
  { readonly kind: 'absent' } | { readonly kind: 'unreadable'; readonly code: string }

/** `inode` is `device:inode`. */
export type RawFile =
  | Missing
  | {
      readonly kind: 'present'
      readonly bytes: Uint8Array
      readonly inode: string
      readonly modified: UnixMs
    }

/** A path's status; times in nanoseconds. */
export type Status = BigIntStats

export const inNanoseconds = { bigint: true } as const
/** An exception costs ten times what the call does. */
const withoutThrowing = { ...inNanoseconds, throwIfNoEntry: false } as const

export const isMissing = (found: Status | Missing): found is Missing => 'kind' in found

/** Follows a symbolic link. */
export const statusOf = async (path: string): Promise<Status | Missing> => {
  try {
    return await called<Status>(done => stat(path, inNanoseconds, done))
  } catch (error) {
    return missing(error)
  }
}

/** Of a symbolic link itself. */
export const linkStatusOf = async (path: string): Promise<Status | Missing> => {
  try {
    return await called<Status>(done => lstat(path, inNanoseconds, done))
  } catch (error) {
    return missing(error)
  }
}

export const linkStatusAtOnce = (path: string): Status | Missing => {
  try {
    return lstatSync(path, withoutThrowing) ?? absent
  } catch (error) {
    return missing(error)
  }
}

export type Reading = { readonly raw: RawFile; readonly status: Status | null }

/**
 * Reads at most `bytesMax` bytes in one go. The status is taken before the bytes: if the file is
 * written in between, the next reading shows a newer time. The path is opened afresh each time,
 * because pg_basebackup, pgBackRest and users replace files.
 */
export const readBytes = async (
  path: string,
  bytesMax: number,
  links: 'followed' | 'refused' = 'followed',
): Promise<Reading> => {
  try {
    // O_NONBLOCK: opening a FIFO in the place of the file must not block.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK
    const more = links === 'refused' ? constants.O_NOFOLLOW : 0
    const file = await called<number>(done => open(path, flags | more, done))
    try {
      const status = await called<Status>(done => fstat(file, inNanoseconds, done))
      if (!status.isFile()) return without(notRegular)
      const buffer = new Uint8Array(bytesMax)
      const length = await called<number>(done => read(file, buffer, 0, bytesMax, 0, done))
      return { raw: seen(status, buffer.subarray(0, length)), status }
    } finally {
      // There is no need to wait for it.
      close(file, ignore)
    }
  } catch (error) {
    return without(missing(error))
  }
}

/** open(2); Node does not name it. */
const O_PATH = 0o10_000_000

/**
 * The same for a path that other users may control. Merely opening some devices has an effect, so
 * the type is checked first, through O_PATH; then that very file is read.
 */
export const readRegularFile = async (path: string, bytesMax: number): Promise<RawFile> => {
  try {
    const found = await called<number>(done => open(path, O_PATH, done))
    try {
      const status = await called<Status>(done => fstat(found, inNanoseconds, done))
      if (!status.isFile()) return notRegular
      const { raw } = await readBytes(`/proc/self/fd/${found}`, bytesMax)
      return raw
    } finally {
      close(found, ignore)
    }
  } catch (error) {
    return missing(error)
  }
}

/** A string, because inodes above 2^53 exist (GlusterFS, EFS, overlayfs with xino). */
export const inodeOf = ({ dev, ino }: Pick<Status, 'dev' | 'ino'>): string => `${dev}:${ino}`

/** Type of the file system that the path is on, as in statfs(2); null if it cannot be read. */
export const fileSystemOf = async (path: string): Promise<number | null> => {
  const found = await nullIfRefused(() => called<StatsFs>(done => statfs(path, done)))
  return found && found.type
}

/** Nothing was written between two readings of a file. */
export const sameFile = (one: RawFile, other: RawFile): boolean => {
  if (one.kind !== 'present' || other.kind !== 'present') return one.kind === other.kind
  return (
    one.inode === other.inode &&
    one.modified === other.modified &&
    Buffer.compare(one.bytes, other.bytes) === 0
  )
}

/** Names of a directory's entries; null if it cannot be read. */
export const namesIn = (path: string): Promise<readonly string[] | null> =>
  nullIfRefused(() => called<string[]>(done => readdir(path, done)))

type Callback<Value> = (error: Error | null, value: Value) => void

/** Makes a promise of a call with a callback. */
export const called = <Value>(call: (done: Callback<Value>) => void): Promise<Value> =>
  new Promise((resolve, reject) => {
    call((error, value) => {
      if (error === null) resolve(value)
      else reject(error)
    })
  })

export const missing = (error: unknown): Missing => {
  throwShortage(error)
  const code = errorCode(error)
  return meansAbsent(code) ? absent : { kind: 'unreadable', code }
}

const absent: Missing = { kind: 'absent' }

export const notRegular: Missing = { kind: 'unreadable', code: 'not a regular file' }

export const without = (raw: Missing): Reading => ({ raw, status: null })

export const seen = (status: Status, bytes: Uint8Array): RawFile => ({
  kind: 'present',
  bytes,
  inode: inodeOf(status),
  modified: millisecondsOf(status.mtimeNs),
})

/** In two parts: the nanoseconds since 1970 exceed the precision of a number. */
export const millisecondsOf = (nanoseconds: bigint): UnixMs =>
  (Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1e6) as UnixMs

const ignore = (): void => {}
