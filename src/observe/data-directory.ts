/**
 * The files of one data directory, raw: the only door to its disk.
 *
 * Everything is asynchronous, so that a disk that hangs holds up the look and not the listener,
 * and each file is opened afresh by its path, because pg_basebackup, pgBackRest and operators
 * replace files under us. Nothing is ever written.
 */
import { constants, type Stats } from 'node:fs'
import { lstat, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { controlFileBytesMax } from '../facts/control-file.ts'
import { parseRecoveryConf, type SignalFiles } from '../facts/recovery-request.ts'
import type { DirectorySighting } from '../facts/sightings.ts'
import type { UnixMs } from '../facts/units.ts'
import { errorCode, meansAbsent } from './system-error.ts'

/** `inode` is `device:inode`; `code` the system's error code, or what the path is instead. */
export type RawFile =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly code: string }
  | {
      readonly kind: 'seen'
      readonly bytes: Uint8Array
      readonly inode: string
      readonly modified: UnixMs
    }

export type DataDirectory = {
  readonly path: string
  readonly sight: () => Promise<DirectorySighting>
  readonly lockFile: () => Promise<RawFile>
  readonly controlFile: () => Promise<RawFile>
  readonly signalFiles: () => Promise<SignalFiles>
}

/** Far above what PostgreSQL writes into any of them; recovery.conf is written by people. */
const lockFileBytesMax = 8 * 1024
const recoveryConfBytesMax = 64 * 1024
const versionBytesMax = 64

export const openDataDirectory = (path: string): DataDirectory => ({
  path,
  sight: () => sightDirectory(path),
  lockFile: () => readBounded(join(path, 'postmaster.pid'), lockFileBytesMax),
  controlFile: () => readBounded(join(path, 'global', 'pg_control'), controlFileBytesMax),
  signalFiles: () => readSignalFiles(path),
})

export const inodeOf = ({ dev, ino }: Stats): string => `${dev}:${ino}`

/**
 * Reads at most `bytesMax` bytes in one go. The time of modification is taken before the bytes:
 * if the file is written in between, the next read shows a newer time.
 */
const readBounded = async (path: string, bytesMax: number): Promise<RawFile> => {
  try {
    // O_NONBLOCK: a FIFO put in the file's place must not hold us up for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const status = await file.stat()
      if (!status.isFile()) return { kind: 'unreadable', code: 'not a regular file' }
      const { buffer, bytesRead } = await file.read(new Uint8Array(bytesMax), 0, bytesMax, 0)
      const bytes = buffer.subarray(0, bytesRead)
      const modified = status.mtimeMs as UnixMs
      return { kind: 'seen', bytes, inode: inodeOf(status), modified }
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = errorCode(error)
    return meansAbsent(code) ? { kind: 'absent' } : { kind: 'unreadable', code }
  }
}

const sightDirectory = async (path: string): Promise<DirectorySighting> => {
  try {
    const [link, target] = await Promise.all([lstat(path), stat(path)])
    if (!target.isDirectory()) return { kind: 'not a directory' }
    const version = await readBounded(join(path, 'PG_VERSION'), versionBytesMax)
    if (version.kind === 'unreadable') return { ...version, owner: target.uid }
    return {
      kind: 'seen',
      inode: inodeOf(target),
      owner: target.uid,
      symlink: link.isSymbolicLink(),
      version: version.kind === 'absent' ? null : decodeText(version.bytes).trim(),
    }
  } catch (error) {
    const code = errorCode(error)
    return meansAbsent(code) ? { kind: 'absent' } : { kind: 'unreadable', code, owner: null }
  }
}

const readSignalFiles = async (path: string): Promise<SignalFiles> => {
  const [standbySignal, recoverySignal, backupLabel, recoveryConf] = await Promise.all([
    exists(join(path, 'standby.signal')),
    exists(join(path, 'recovery.signal')),
    exists(join(path, 'backup_label')),
    readBounded(join(path, 'recovery.conf'), recoveryConfBytesMax),
  ])
  return {
    standbySignal,
    recoverySignal,
    backupLabel,
    recoveryConf: recoveryConf.kind === 'absent' ? null : parseRecoveryConf(textOf(recoveryConf)),
  }
}

/** True also when it can't be told: whoever has to choose believes in the request to recover. */
const exists = async (path: string): Promise<boolean> => {
  try {
    await stat(path)
    return true
  } catch (error) {
    return !meansAbsent(errorCode(error))
  }
}

const textOf = (file: RawFile): string => (file.kind === 'seen' ? decodeText(file.bytes) : '')

/** PostgreSQL writes paths in the server's encoding; Latin-1 keeps any byte and never fails. */
export const decodeText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
