/**
 * The files of one data directory, raw, as they are at each look.
 *
 * A look begins with the status of the directory, asked for without blocking: on a disk that hangs
 * it waits for that, and blocks neither the event loop nor more than one of libuv's four threads.
 * If a local disk answers quickly, the rest is read synchronously, because each asynchronous call
 * takes longer than all of the reading. Elsewhere everything is asynchronous, one call after the
 * other.
 */
import { join } from 'node:path'
import { controlFileBytesMax } from '../../facts/decode/control-file.ts'
import { parsePgVersion } from '../../facts/units.ts'
import { parseRecoveryConf, type SignalFiles } from '../../facts/decode/signal-files.ts'
import type { DirectorySighting } from '../../facts/decide/sightings.ts'
import type { Clock } from '../system/clock.ts'
import { fileSystemOf, inodeOf, isMissing, linkStatusAtOnce, linkStatusOf } from './disk.ts'
import { readBytes, statusOf, type Missing, type RawFile, type Status } from './disk.ts'
import { createReadAtOnce, isOld, isUnchanged, type ReadAtOnce } from './read-at-once.ts'

export type Sight = {
  readonly directory: DirectorySighting
  readonly signalFiles: SignalFiles
}

export type DataDirectory = {
  readonly path: string
  /** The first call of each look: it determines whether the others are synchronous. */
  readonly sight: () => Promise<Sight>
  readonly lockFile: () => Promise<RawFile>
  readonly controlFile: () => Promise<RawFile>
}

/** Far above what PostgreSQL writes into any of them; recovery.conf is written by users. */
const lockFileBytesMax = 8 * 1024
const recoveryConfBytesMax = 64 * 1024
const versionBytesMax = 64

/** A disk that takes longer is read from asynchronously until the next look. */
const quickMs = 20

/** `dangling`: a link to nothing; its target may appear without a change of the directory. */
type Entry = 'there' | 'absent' | 'dangling'

/** The files of a directory as one look reads them. */
type Reader = {
  readonly find: (name: string) => Promise<Entry>
  readonly read: (name: string, bytesMax: number) => Promise<RawFile>
}

export const openDataDirectory = (
  path: string,
  clock: Pick<Clock, 'monotonic' | 'unix'>,
): DataDirectory => {
  const isLocal = createLocalDisk(path)
  const readAtOnce = createReadAtOnce(clock)
  let reader = createReader(path, null)
  /** The status of the directory when it had none of the signal files. */
  let withoutSignals: Status | null = null

  const sight = async (): Promise<Sight> => {
    const began = clock.monotonic()
    const link = await linkStatusOf(path)
    const symlink = !isMissing(link) && link.isSymbolicLink()
    const status = symlink ? await statusOf(path) : link
    const isQuick = clock.monotonic() - began <= quickMs
    const isSafe = isQuick && !isMissing(status) && (await isLocal(status.dev))
    reader = createReader(path, isSafe ? readAtOnce : null)
    // An unchanged directory has the same entries: see createReadAtOnce().
    const isSame = isSafe && withoutSignals !== null && isUnchanged(withoutSignals, status)
    const { signalFiles, isEmpty } = isSame ? noSignals : await readSignalFiles(reader)
    withoutSignals = isSafe && isEmpty && (isSame || isOld(status, clock.unix())) ? status : null
    return { signalFiles, directory: await describe({ status, symlink }, reader) }
  }
  return {
    path,
    sight,
    lockFile: () => reader.read('postmaster.pid', lockFileBytesMax),
    controlFile: () => reader.read('global/pg_control', controlFileBytesMax),
  }
}

/** Everything is asynchronous if `readAtOnce` is null. */
const createReader = (directory: string, readAtOnce: ReadAtOnce | null): Reader => ({
  /**
   * There also if it cannot be determined: the safe assumption is that recovery is requested. What
   * a symbolic link leads to may be on another disk, and is asked for without blocking.
   */
  find: async name => {
    const path = join(directory, name)
    const entry = readAtOnce === null ? await linkStatusOf(path) : linkStatusAtOnce(path)
    const isLink = !isMissing(entry) && entry.isSymbolicLink()
    const target = isLink ? await statusOf(path) : entry
    if (!isMissing(target) || target.kind !== 'absent') return 'there'
    return isLink ? 'dangling' : 'absent'
  },
  read: async (name, bytesMax) => {
    const path = join(directory, name)
    return readAtOnce?.(path, bytesMax) ?? (await readBytes(path, bytesMax)).raw
  },
})

type Followed = { readonly status: Status | Missing; readonly symlink: boolean }

const describe = async (
  { status, symlink }: Followed,
  { read }: Reader,
): Promise<DirectorySighting> => {
  if (isMissing(status)) return status.kind === 'absent' ? status : { ...status, owner: null }
  if (!status.isDirectory()) return { kind: 'not a directory' }
  const owner = Number(status.uid)
  const version = await read('PG_VERSION', versionBytesMax)
  if (version.kind === 'unreadable') return { ...version, owner }
  return {
    kind: 'present',
    inode: inodeOf(status),
    owner,
    symlink,
    version: version.kind === 'absent' ? null : parsePgVersion(decodeText(version.bytes)),
  }
}

/** `isEmpty`: none of them can appear without a change of the directory. */
type Signals = { readonly signalFiles: SignalFiles; readonly isEmpty: boolean }

const noSignals: Signals = {
  signalFiles: {
    standbySignal: false,
    recoverySignal: false,
    backupLabel: false,
    recoveryConf: null,
  },
  isEmpty: true,
}

const readSignalFiles = async ({ find, read }: Reader): Promise<Signals> => {
  const standbySignal = await find('standby.signal')
  const recoverySignal = await find('recovery.signal')
  const backupLabel = await find('backup_label')
  const recoveryConf = await find('recovery.conf')
  const all = [standbySignal, recoverySignal, backupLabel, recoveryConf]
  if (all.every(entry => entry === 'absent')) return noSignals
  return {
    signalFiles: {
      standbySignal: standbySignal === 'there',
      recoverySignal: recoverySignal === 'there',
      backupLabel: backupLabel === 'there',
      recoveryConf:
        recoveryConf === 'there'
          ? parseRecoveryConf(textOf(await read('recovery.conf', recoveryConfBytesMax)))
          : null,
    },
    isEmpty: false,
  }
}

/** Whether a path is on a disk of this machine; asked of the system when the device changes. */
const createLocalDisk = (path: string): ((device: bigint) => Promise<boolean>) => {
  let known: { readonly device: bigint; readonly isLocal: boolean } | null = null
  return async device => {
    if (known?.device !== device)
      known = { device, isLocal: localFileSystems.has(await fileSystemOf(path)) }
    return known.isLocal
  }
}

/**
 * By their number in statfs(2). Those of the network, and those that a program serves (FUSE), may
 * hang at any call.
 */
const localFileSystems: ReadonlySet<number | null> = new Set([
  0xef53, // ext2, ext3, ext4
  0x5846_5342, // xfs
  0x9123_683e, // btrfs
  0x2fc1_2fc1, // zfs
  0xf2f5_2010, // f2fs
  0xca45_1a4e, // bcachefs
  0x0102_1994, // tmpfs
  0x794c_7630, // overlayfs
])

const textOf = (file: RawFile): string => (file.kind === 'present' ? decodeText(file.bytes) : '')

/** PostgreSQL writes paths in the server's encoding; Latin-1 keeps any byte and never fails. */
export const decodeText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
