/**
 * Whether a process is frozen, from cgroupfs.
 *
 * /proc does not show it: under v2 the state letter of a frozen process is S, under v1 it is D, and
 * `wchan` names whatever function the compiler has left.
 *
 * The files are held open and read again at offset 0. That takes 1 to 2 us each, where
 * /proc/PID/stat takes 3.4 us, and waits for nothing: cgroup.events and cgroup.freeze take no lock
 * that is shared, freezer.state one that is held for microseconds. /proc/PID/cgroup takes as
 * little time, but before Linux 6.8 it waits for cgroup_mutex, which is held for milliseconds when
 * processes are moved. Hence it is read by another thread, and not before each answer: if a
 * process is moved and then frozen, this is noticed at the next look. When looks follow upon each
 * other, as in a promotion, few of them wait for that thread: when each of them did, a new primary
 * was noticed up to 7 ms later.
 */
import { closeSync, openSync, read, readFile, readSync, watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { join } from 'node:path'
import {
  decodeCgroupMounts,
  decodeCgroupPaths,
  freezerFiles,
  saysFrozen,
} from '../../facts/decode/cgroup.ts'
import { meansShortage } from '../../facts/outcome.ts'
import type { Clock } from '../system/clock.ts'
import { called } from '../files/disk.ts'
import type { ProcessHandle } from './process-table.ts'
import { errorCode, meansAbsent, throwShortage } from '../system/system-error.ts'

export type Freezer = {
  /**
   * Finds out in which cgroups the process is now; resolves to whether it is frozen. Rejects in a
   * shortage, such as of descriptors, which means unknown.
   */
  readonly look: (handle: ProcessHandle) => Promise<boolean>
  /**
   * Of the process of the last look. Asked before each answer; false if it cannot be told. Throws
   * in a shortage of memory.
   */
  readonly isFrozen: () => boolean
  /**
   * Calls `changed` when the kernel reports a change of the files found by the next look and those
   * after it. It reports each of cgroup.events; of the others, what is written to them through a
   * mount of the same superblock.
   */
  readonly watch: (changed: () => void) => void
  readonly close: () => void
}

/** For how long a process is taken to be in the same cgroups. */
const membershipMs = 200

/** What the last look found. */
type Found = {
  /** When its cgroups were read. */
  readonly readAt: number
  readonly handle: ProcessHandle
  /** Of /proc/PID/cgroup: it names this very process as long as it lives. */
  readonly descriptor: number
  readonly membership: Buffer
  readonly files: FreezerFiles
}

/** A dozen hierarchies; the paths in Kubernetes have 200 characters. The line of v2 is the last. */
const membershipBytesMax = 16_384

export const createFreezer = (
  clock: Pick<Clock, 'monotonic'>,
  root = '/proc',
  watchFile: typeof watch = watch,
): Freezer => {
  const bytes = Buffer.allocUnsafe(membershipBytesMax)
  let found: Found | null = null
  let watchEach: Watch | null = null

  const drop = (): void => {
    if (found === null) return
    closeSync(found.descriptor)
    found.files.close()
    found = null
  }
  const hold = (handle: ProcessHandle): Found | null => {
    if (found?.handle === handle) return found
    drop()
    const descriptor = openOrNull(join(root, String(handle.pid), 'cgroup'))
    if (descriptor === null) return null
    const membership = Buffer.alloc(0)
    return { readAt: -Infinity, handle, descriptor, membership, files: openFiles([], null) }
  }
  /** Opens the files of other cgroups than before. */
  const follow = async (before: Found, membership: Buffer): Promise<Found> => {
    const mounts = decodeCgroupMounts(await readMounts(join(root, 'self', 'mountinfo')))
    const paths = freezerFiles(decodeCgroupPaths(membership.toString('latin1')), mounts)
    // It throws without descriptors: then those of before are still wanted.
    const files = openFiles(paths, watchEach)
    before.files.close()
    return { ...before, membership, files }
  }

  return {
    look: async handle => {
      found = hold(handle)
      if (found === null) return false
      const now = clock.monotonic()
      const isRecent = now - found.readAt < membershipMs
      if (isRecent && found.files.areValid()) return found.files.sayFrozen()
      const length = await readLength(found.descriptor, bytes)
      const membership = bytes.subarray(0, length)
      const isSame = membership.equals(found.membership)
      if (!isSame || !found.files.areValid()) found = await follow(found, Buffer.from(membership))
      found = { ...found, readAt: now }
      return found.files.sayFrozen()
    },
    isFrozen: () => found !== null && found.files.sayFrozen(),
    watch: listener => {
      // A broken watch is one more reason to look.
      watchEach = path => watchFile(path, { persistent: false }, listener).on('error', listener)
    },
    close: drop,
  }
}

type FreezerFiles = {
  readonly sayFrozen: () => boolean
  /** False if they are to be opened again: one could not be opened, or its cgroup was removed. */
  readonly areValid: () => boolean
  readonly close: () => void
}

/** Enough for each of them. */
const contentBytesMax = 128
/** A file for each level of a hierarchy: more than 8 levels are rare. */
const filesMax = 32

type Watch = (path: Buffer) => FSWatcher

const openFiles = (paths: readonly string[], watchEach: Watch | null): FreezerFiles => {
  const content = Buffer.allocUnsafe(contentBytesMax)
  const descriptors: number[] = []
  const watches: FSWatcher[] = []
  let valid = true

  const close = (): void => {
    for (const descriptor of descriptors) closeSync(descriptor)
    for (const watching of watches) watching.close()
  }
  const open = (path: Buffer): void => {
    try {
      descriptors.push(openSync(path, 'r'))
    } catch (error) {
      const code = errorCode(error)
      if (meansShortage(code)) {
        close()
        throw error
      }
      // The root of a hierarchy has none; of others than these errors the next look may be free.
      valid &&= isLasting(code)
      return
    }
    try {
      if (watchEach !== null) watches.push(watchEach(path))
    } catch {
      // ENOSPC or EMFILE: the tick and the pulse remain.
    }
  }
  const says = (descriptor: number): boolean => {
    try {
      const length = readSync(descriptor, content, 0, contentBytesMax, 0)
      return saysFrozen(content.toString('latin1', 0, length))
    } catch (error) {
      throwShortage(error)
      // ENODEV: the cgroup was removed, so that the process must be in another one.
      valid = false
      return false
    }
  }
  for (const path of paths.slice(0, filesMax)) open(Buffer.from(path, 'latin1'))
  return {
    sayFrozen: () => descriptors.some(says),
    areValid: () => valid,
    close,
  }
}

const isLasting = (code: string): boolean =>
  meansAbsent(code) || code === 'EACCES' || code === 'EPERM'

const openOrNull = (path: string): number | null => {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throwShortage(error)
    return null
  }
}

/** 0 for a process that is gone. */
const readLength = async (descriptor: number, bytes: Buffer): Promise<number> => {
  try {
    return await called<number>(done => read(descriptor, bytes, 0, bytes.length, 0, done))
  } catch (error) {
    throwShortage(error)
    return 0
  }
}

const readMounts = async (path: string): Promise<string> => {
  try {
    return await called<string>(done => readFile(path, 'latin1', done))
  } catch (error) {
    throwShortage(error)
    return ''
  }
}
