/** What a reading of the lock file says. */
import type { Evidence } from '../../facts/decide/evidence.ts'
import { decodeLockFile } from '../../facts/decode/lock-file.ts'
import { decodeText } from './data-directory.ts'
import type { RawFile } from './disk.ts'

type LockFileSighting = Evidence['lockFile']

export const sightLockFile = (raw: RawFile): LockFileSighting => {
  if (raw.kind !== 'present') return raw
  const { modified } = raw
  const decoded = decodeLockFile(decodeText(raw.bytes))
  return decoded.ok
    ? { kind: 'present', fact: decoded.fact, modified }
    : { kind: 'invalid', fault: decoded.fault, modified }
}

/** Read while its last line was being overwritten. */
export const isMixed = (lockFile: LockFileSighting): boolean =>
  lockFile.kind === 'invalid' && lockFile.fault.kind === 'mixed status'
