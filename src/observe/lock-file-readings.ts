/** Readings of the lock file: decoded, and compared with each other. */
import type { Evidence } from '../facts/evidence.ts'
import { decodeLockFile } from '../facts/lock-file.ts'
import { decodeText } from './data-directory.ts'
import type { RawFile } from './disk.ts'

type LockFileSighting = Evidence['lockFile']

/** Decodes a reading once. */
export const createLockFileDecoder = () => {
  let last: { raw: RawFile; sighting: LockFileSighting } | null = null
  return (raw: RawFile): LockFileSighting => {
    if (last?.raw !== raw) last = { raw, sighting: decodeLockFileSighting(raw) }
    return last.sighting
  }
}

const decodeLockFileSighting = (raw: RawFile): LockFileSighting => {
  if (raw.kind !== 'seen') return raw
  const decoded = decodeLockFile(decodeText(raw.bytes))
  const { modified } = raw
  return decoded.ok
    ? { kind: 'seen', fact: decoded.fact, modified }
    : { kind: 'fault', fault: decoded.fault, modified }
}

/** Caught while its last line was being overwritten. */
export const isMixed = (lockFile: LockFileSighting): boolean =>
  lockFile.kind === 'fault' && lockFile.fault.kind === 'mixed status'

/** Nothing was written between two readings. */
export const sameFile = (one: RawFile, other: RawFile): boolean => {
  if (one === other) return true
  if (one.kind !== 'seen' || other.kind !== 'seen') return one.kind === other.kind
  return (
    one.inode === other.inode &&
    one.modified === other.modified &&
    Buffer.compare(one.bytes, other.bytes) === 0
  )
}
