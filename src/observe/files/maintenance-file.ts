/**
 * Maintenance mode: set by a file, and by a switch.
 *
 * The file may be anywhere, also on another disk than the data directory. There is one check of it
 * at a time: if its disk hangs, that blocks one of libuv's threads and nothing else, and the last
 * result stays in effect.
 *
 * Whatever has that name sets maintenance mode, also a dangling link and a file of another user: to
 * ignore it could mean to answer for a server that is under maintenance. Its content is shown to
 * every client that may ask, so it is read only from a regular file that is trusted: a link, or a
 * second name (hard link) of a file such as .pgpass, must not select what is shown.
 */
import {
  maintenanceOn,
  maintenanceByFile,
  maintenanceWithoutReason,
  noMaintenance,
  type Maintenance,
} from '../../facts/decide/maintenance-mode.ts'
import type { Timer, Timers } from '../../facts/timers.ts'
import { isMissing, linkStatusOf, readBytes, type Status } from './disk.ts'
import { nullInShortage } from '../system/system-error.ts'
import { isTrusted, ourUser } from './trusted-path.ts'

export type MaintenanceWatch = {
  /** Cheap, because it is called before each answer. */
  readonly current: () => Maintenance
  /** Sets maintenance mode, or ends it; the file has the same effect independently. */
  readonly toggle: () => void
  /** Begins to check for the file; calls `changed` after each change. */
  readonly start: (changed: () => void) => void
  readonly close: () => void
}

/** Enough for a first line. */
const bytesMax = 1024

/**
 * A null path means that there is no file. Rejects in a shortage, such as of memory: then it is not
 * known whether there is one.
 */
export const readMaintenance = async (
  path: string | null,
  us = ourUser(),
): Promise<Maintenance> => {
  if (path === null) return noMaintenance
  const entry = await linkStatusOf(path)
  if (isMissing(entry)) {
    return entry.kind === 'absent'
      ? noMaintenance
      : maintenanceOn(`could not read ${path}: ${entry.code}`)
  }
  if (!entry.isFile()) return maintenanceByOther(entry, us)
  // It may have been replaced: what counts is the file that is opened.
  const read = await nullInShortage(() => readBytes(path, bytesMax, 'refused'))
  // If it has been removed meanwhile, the next check will find that.
  if (read?.raw.kind !== 'present' || read.status === null)
    return isTrusted(entry, us) ? maintenanceWithoutReason : maintenanceByOther(entry, us)
  const { raw, status } = read
  return isTrusted(status, us) && status.nlink === 1n
    ? maintenanceByFile(Buffer.from(raw.bytes).toString('utf8'))
    : maintenanceByOther(status, us)
}

/** Its content is not shown. */
const maintenanceByOther = (status: Status, us: number | undefined): Maintenance => {
  const owner = isTrusted(status, us) ? '' : ` owned by user ID ${status.uid}`
  const names = status.isFile() && status.nlink > 1n ? ` with ${status.nlink} hard links` : ''
  return maintenanceOn(`the maintenance file is a ${kindOf(status)}${names}${owner}`)
}

const kindOf = (status: Status): string => {
  if (status.isSymbolicLink()) return 'symbolic link'
  if (status.isDirectory()) return 'directory'
  return status.isFile() ? 'regular file' : 'special file'
}

export const createMaintenanceWatch = (needs: {
  readonly path: string | null
  readonly read: (path: string | null) => Promise<Maintenance>
  readonly timers: Timers
  readonly everyMs: number
}): MaintenanceWatch => {
  const { path, read, timers, everyMs } = needs
  let file: Maintenance = path === null ? noMaintenance : { kind: 'not yet checked' }
  let switchedOn = false
  let tell = ignore
  let timer: Timer | null = null
  let closed = false

  const look = async (): Promise<void> => {
    const found = (await nullInShortage(() => read(path))) ?? file
    if (closed) return
    timer = timers.after(everyMs, () => {
      void look()
    })
    if (isSame(found, file)) return
    file = found
    tell()
  }

  return {
    current: () => (switchedOn && file.kind !== 'on' ? maintenanceWithoutReason : file),
    toggle: () => {
      switchedOn = !switchedOn
      tell()
    },
    start: changed => {
      tell = changed
      if (path !== null) void look()
    },
    close: () => {
      closed = true
      tell = ignore
      timer?.cancel()
    },
  }
}

const ignore = (): void => {}

const isSame = (one: Maintenance, other: Maintenance): boolean =>
  one.kind === 'on' ? other.kind === 'on' && one.because === other.because : one.kind === other.kind
