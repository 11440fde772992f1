/**
 * The disk of a data directory, one system call after the other: the only door to it.
 *
 * Everything is asynchronous, so that a disk that hangs holds up the look and not the listener,
 * and one of libuv's four threads. The callbacks of node:fs cost half of what its promises do.
 * Only where the kernel has in memory what is asked for, as it told of a change or of the same a
 * moment ago, may it be asked at once: each wait for a thread costs as much as the look.
 * What goes wrong is a value. Nothing is ever written.
 */
import { close, closeSync, constants, fstat, fstatSync, lstat, lstatSync, open } from 'node:fs'
import { openSync, read, readdir, readSync, stat, statSync, statfs } from 'node:fs'
import type { BigIntStats, StatsFs } from 'node:fs'
import type { UnixMs } from '../facts/units.ts'
import { errorCode, meansAbsent } from './system-error.ts'

/** `code` is the system's error code, or what the path is instead. */
export type Missing =
  { readonly kind: 'absent' } | { readonly kind: 'unreadable'; readonly code: string }

/** `inode` is `device:inode`. */
export type RawFile =
  | Missing
  | {
      readonly kind: 'seen'
      readonly bytes: Uint8Array
      readonly inode: string
      readonly modified: UnixMs
    }

/** A path's status; times in nanoseconds. */
export type Status = BigIntStats

const inNanoseconds = { bigint: true } as const
/** An exception costs ten times what the call does. */
const withoutThrowing = { ...inNanoseconds, throwIfNoEntry: false } as const

export const isMissing = (found: Status | Missing): found is Missing => 'kind' in found

/** `at once`: the event loop stands still meanwhile. */
export type Pace = 'waiting' | 'at once'

type Soon<Value> = Value | Promise<Value>

/** Follows a symbolic link. */
export const statusOf = (path: string, pace: Pace = 'waiting'): Soon<Status | Missing> => {
  if (pace === 'at once') return foundAtOnce(() => statSync(path, withoutThrowing))
  return new Promise(resolve => {
    stat(path, inNanoseconds, (error, status) => {
      resolve(error === null ? status : missing(error))
    })
  })
}

/** Of a symbolic link itself. */
export const linkStatusOf = (path: string, pace: Pace = 'waiting'): Soon<Status | Missing> => {
  if (pace === 'at once') return foundAtOnce(() => lstatSync(path, withoutThrowing))
  return new Promise(resolve => {
    lstat(path, inNanoseconds, (error, status) => {
      resolve(error === null ? status : missing(error))
    })
  })
}

export type Reading = { readonly raw: RawFile; readonly status: Status | null }

/**
 * Reads at most `bytesMax` bytes in one go. The status is taken before the bytes: if the file is
 * written in between, the next reading shows a newer time. The path is opened afresh each time,
 * because pg_basebackup, pgBackRest and operators replace files under us.
 */
export const readBytes = async (path: string, bytesMax: number): Promise<Reading> => {
  try {
    // O_NONBLOCK: a FIFO put in the file's place must not hold us up for ever.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK
    const file = await called<number>(done => open(path, flags, done))
    try {
      const status = await called<Status>(done => fstat(file, inNanoseconds, done))
      if (!status.isFile()) return without({ kind: 'unreadable', code: 'not a regular file' })
      const buffer = new Uint8Array(bytesMax)
      const length = await called<number>(done => read(file, buffer, 0, bytesMax, 0, done))
      return { raw: seen(status, buffer.subarray(0, length)), status }
    } finally {
      // Nobody has to wait for it.
      close(file, ignore)
    }
  } catch (error) {
    return without(missing(error))
  }
}

/**
 * The same at once. Without O_NOATIME reading could mean to write the time of it down, and to wait
 * for a disk that hangs; only the owner of a file may ask for that. Null where it can't be done.
 */
export const readBytesAtOnce = (path: string, bytesMax: number): Reading | null => {
  try {
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOATIME
    const file = openSync(path, flags)
    try {
      const status = fstatSync(file, inNanoseconds)
      if (!status.isFile()) return null
      const buffer = new Uint8Array(bytesMax)
      const length = readSync(file, buffer, 0, bytesMax, 0)
      return { raw: seen(status, buffer.subarray(0, length)), status }
    } finally {
      closeSync(file)
    }
  } catch {
    return null
  }
}

/** Inodes above 2^53 exist (GlusterFS, EFS, overlayfs with xino), so no number will do. */
export const inodeOf = ({ dev, ino }: Pick<Status, 'dev' | 'ino'>): string => `${dev}:${ino}`

/** Type of the file system that the path lies on, as in statfs(2); null when it can't be had. */
export const fileSystemOf = async (path: string): Promise<number | null> => {
  try {
    const { type } = await called<StatsFs>(done => statfs(path, done))
    return type
  } catch {
    return null
  }
}

/** Names of a directory's entries; null when it can't be read. */
export const namesIn = async (path: string): Promise<readonly string[] | null> => {
  try {
    return await called<string[]>(done => readdir(path, done))
  } catch {
    return null
  }
}

type Callback<Value> = (error: Error | null, value: Value) => void

/** What a call with a callback comes to. */
export const called = <Value>(call: (done: Callback<Value>) => void): Promise<Value> =>
  new Promise((resolve, reject) => {
    call((error, value) => {
      if (error === null) resolve(value)
      else reject(error)
    })
  })

const foundAtOnce = (call: () => Status | undefined): Status | Missing => {
  try {
    return call() ?? absent
  } catch (error) {
    return missing(error)
  }
}

const missing = (error: unknown): Missing => {
  const code = errorCode(error)
  return meansAbsent(code) ? absent : { kind: 'unreadable', code }
}

/** Always the same, so that nothing new can be told from something new. */
const absent: Missing = { kind: 'absent' }

const without = (raw: Missing): Reading => ({ raw, status: null })

const seen = (status: Status, bytes: Uint8Array): RawFile => ({
  kind: 'seen',
  bytes,
  inode: inodeOf(status),
  modified: millisecondsOf(status.mtimeNs),
})

/** In two parts: all nanoseconds since 1970 are more than a number can hold. */
const millisecondsOf = (nanoseconds: bigint): UnixMs =>
  (Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1e6) as UnixMs

const ignore = (): void => {}
