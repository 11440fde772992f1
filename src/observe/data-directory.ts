/**
 * The files of one data directory, raw.
 *
 * A look at an idle server costs a status of the directory, which tells whether entries came or
 * went, and one of each file; only what may have changed is read. PG_VERSION is read again when an
 * entry or an event says so: a server reads it only when it starts, and makes postmaster.pid then.
 * One call after the other, so that a disk that hangs holds few of libuv's four threads.
 */
import { join } from 'node:path'
import { controlFileBytesMax } from '../facts/control-file.ts'
import { parseRecoveryConf, type SignalFiles } from '../facts/recovery-request.ts'
import type { DirectorySighting } from '../facts/sightings.ts'
import type { Clock } from './clock.ts'
import { fileSystemOf, inodeOf, isMissing, linkStatusOf, statusOf } from './disk.ts'
import type { Missing, Pace, RawFile, Status } from './disk.ts'
import { createKeptFile, type KeptFile } from './kept-file.ts'
import { createKeptReading, type Keeping } from './kept-reading.ts'

export type Sight = {
  readonly directory: DirectorySighting
  readonly signalFiles: SignalFiles
}

/** Each gives the very same object as before when there is provably nothing new. */
export type DataDirectory = {
  readonly path: string
  readonly sight: () => Promise<Sight>
  readonly lockFile: () => Promise<RawFile>
  readonly controlFile: () => Promise<RawFile>
  /** What was found last, as far as it may be gone by until the next reading proves it; or null. */
  readonly presumed: {
    readonly sight: () => Sight | null
    readonly lockFile: () => RawFile | null
  }
  /** To be told of events, by the name of the file; null when some may have been missed. */
  readonly forget: (name: string | null) => void
}

/** Far above what PostgreSQL writes into any of them; recovery.conf is written by people. */
const lockFileBytesMax = 8 * 1024
const recoveryConfBytesMax = 64 * 1024
const versionBytesMax = 64

/**
 * For how long what was looked at is still in the kernel's memory, the files as well as their
 * directories: a moment after an event about one of them; and for twice the usual interval when
 * the directory was told of without a wait. Watches hold its inode and the control file's there.
 */
const freshMs = 20
const rememberedMs = 1000
const withoutWaitMs = 5

export const openDataDirectory = (path: string, clock: Pick<Clock, 'monotonic'>): DataDirectory => {
  const local = createLocalDevice(path)
  let eventAt = -Infinity
  let toldAt = -Infinity
  const pace = (): Pace => {
    const now = clock.monotonic()
    const inMemory = now - eventAt <= freshMs || now - toldAt <= rememberedMs
    return inMemory && local.isDisk() ? 'at once' : 'waiting'
  }
  const keeping: Keeping = { clock, keeps: local.is, pace }
  const file = (name: string, bytesMax: number): KeptFile =>
    createKeptFile({ path: join(path, name), bytesMax }, keeping)
  const lockFile = file('postmaster.pid', lockFileBytesMax)
  const controlFile = file('global/pg_control', controlFileBytesMax)
  const version = file('PG_VERSION', versionBytesMax)
  const recoveryConf = file('recovery.conf', recoveryConfBytesMax)
  const kept = createKeptReading<Kept>(keeping)

  const sight = async (): Promise<Sight> => {
    const began = kept.begin()
    const link = await linkStatusOf(path, pace())
    const symlink = !isMissing(link) && link.isSymbolicLink()
    const status = symlink ? await statusOf(path, pace()) : link
    if (!isMissing(status)) {
      const now = clock.monotonic()
      toldAt = now - began <= withoutWaitMs ? now : -Infinity
      if (!local.knows(status.dev)) await local.learn(status.dev)
      const proven = kept.provenBy(status)
      if (proven !== null && proven.symlink === symlink) {
        // Whoever edits a file in place leaves no trace in its directory.
        const isSame = proven.conf === null || (await recoveryConf.read()) === proven.conf
        if (isSame) return proven
      }
    }
    const { lasting, ...entries } = await readEntries(path, { conf: recoveryConf, pace: pace() })
    const directory = await describe({ status, symlink }, version)
    const found = { directory, symlink, ...entries }
    // A file that can't be read may come to be readable unnoticed by its directory.
    if (lasting && directory.kind !== 'unreadable')
      kept.note(found, isMissing(status) ? null : status, began)
    else kept.forget()
    return found
  }
  const forgetEntries = (): void => {
    for (const each of [kept, version, recoveryConf]) each.forget()
  }
  return {
    path,
    sight,
    lockFile: lockFile.read,
    controlFile: controlFile.read,
    presumed: { sight: kept.presumed, lockFile: lockFile.presumed },
    forget: name => {
      const about = name === null ? 'all' : (subjects.get(name) ?? 'all')
      if (about !== 'all') eventAt = clock.monotonic()
      if (about === 'lock file' || about === 'all') lockFile.forget()
      if (about === 'control file' || about === 'all') controlFile.forget()
      if (about === 'entries' || about === 'all') forgetEntries()
    },
  }
}

/** What an event is about by its name. Any other name is that of a directory: see watch-roots. */
const subjects: ReadonlyMap<string, 'lock file' | 'control file' | 'entries'> = new Map([
  ['postmaster.pid', 'lock file'],
  ['pg_control', 'control file'],
  ['standby.signal', 'entries'],
  ['recovery.signal', 'entries'],
  ['recovery.conf', 'entries'],
  ['backup_label', 'entries'],
  ['PG_VERSION', 'entries'],
])

type Kept = Sight & {
  readonly symlink: boolean
  /** Null where there is no recovery.conf. */
  readonly conf: RawFile | null
}

type Followed = { readonly status: Status | Missing; readonly symlink: boolean }

const describe = async (
  { status, symlink }: Followed,
  versionFile: KeptFile,
): Promise<DirectorySighting> => {
  if (isMissing(status)) return status.kind === 'absent' ? status : { ...status, owner: null }
  if (!status.isDirectory()) return { kind: 'not a directory' }
  const owner = Number(status.uid)
  const version = await versionFile.read()
  if (version.kind === 'unreadable') return { ...version, owner }
  return {
    kind: 'seen',
    inode: inodeOf(status),
    owner,
    symlink,
    version: version.kind === 'absent' ? null : decodeText(version.bytes).trim(),
  }
}

/** `lasting`: none of them can come or go without the directory being changed. */
type Entries = Pick<Kept, 'signalFiles' | 'conf'> & { readonly lasting: boolean }

const readEntries = async (
  path: string,
  { conf: confFile, pace }: { readonly conf: KeptFile; readonly pace: Pace },
): Promise<Entries> => {
  const presence = (name: string): Promise<Presence> => presenceOf(join(path, name), pace)
  const standbySignal = await presence('standby.signal')
  const recoverySignal = await presence('recovery.signal')
  const backupLabel = await presence('backup_label')
  const recoveryConf = await presence('recovery.conf')
  const conf = recoveryConf.there ? await confFile.read() : null
  const all = [standbySignal, recoverySignal, backupLabel, recoveryConf]
  return {
    signalFiles: {
      standbySignal: standbySignal.there,
      recoverySignal: recoverySignal.there,
      backupLabel: backupLabel.there,
      recoveryConf: conf === null ? null : parseRecoveryConf(textOf(conf)),
    },
    conf,
    lasting: all.every(({ lasting }) => lasting),
  }
}

type Presence = { readonly there: boolean; readonly lasting: boolean }

/**
 * There also when it can't be told: whoever has to choose believes in the request to recover.
 * What a symbolic link leads to may come and go unnoticed by the directory.
 */
const presenceOf = async (path: string, pace: Pace): Promise<Presence> => {
  const entry = await linkStatusOf(path, pace)
  if (isMissing(entry)) return { there: entry.kind !== 'absent', lasting: entry.kind === 'absent' }
  if (!entry.isSymbolicLink()) return { there: true, lasting: true }
  const target = await statusOf(path, pace)
  return { there: !isMissing(target) || target.kind !== 'absent', lasting: false }
}

type LocalDevice = {
  readonly knows: (device: bigint) => boolean
  /** To be told of the device the path lies on when it is another one than before. */
  readonly learn: (device: bigint) => Promise<void>
  readonly is: (device: bigint) => boolean
  /** The one that was learnt of is. */
  readonly isDisk: () => boolean
}

/** Whether a device is a disk of this machine, whose file times tell of every write at once. */
const createLocalDevice = (path: string): LocalDevice => {
  let known: bigint | null = null
  let isLocal = false
  return {
    knows: device => device === known,
    learn: async device => {
      isLocal = localFileSystems.has(await fileSystemOf(path))
      known = device
    },
    is: device => isLocal && device === known,
    isDisk: () => isLocal,
  }
}

/**
 * By their number in statfs(2). On those of the network, and on what a program of the user's
 * serves, a status may be remembered from before a write.
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

const textOf = (file: RawFile): string => (file.kind === 'seen' ? decodeText(file.bytes) : '')

/** PostgreSQL writes paths in the server's encoding; Latin-1 keeps any byte and never fails. */
export const decodeText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
