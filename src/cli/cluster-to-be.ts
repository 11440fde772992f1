/**
 * Why the daemon should not even start. A standby that is cloned again is waited for: a directory
 * that is missing, empty or being filled by pg_basebackup is no reason.
 */
import { readdir } from 'node:fs/promises'
import type { Evidence } from '../facts/evidence.ts'
import { refusalOf, type Refusal } from '../facts/refusal.ts'

export const refusalToServe = async (
  evidence: Evidence,
  userName: (user: number) => string,
): Promise<Refusal | null> => {
  const refusal = refusalOf(evidence, userName)
  switch (refusal?.kind) {
    case 'no such directory':
      return null
    case 'not a data directory':
      return (await mayBecomeCluster(evidence.path)) ? null : refusal
    case 'not a directory':
    case 'no permission':
    case 'unsupported control file':
    case undefined:
      return refusal
  }
}

/** Entries that initdb, pg_basebackup and tar make before or besides PG_VERSION. */
const clusterEntries: ReadonlySet<string> = new Set([
  'base',
  'global',
  'pg_wal',
  'pg_xlog',
  'backup_label',
  'PG_VERSION',
])

const mayBecomeCluster = async (path: string): Promise<boolean> => {
  const entries = await readdir(path).catch(noEntries)
  return entries.length === 0 || entries.some(entry => clusterEntries.has(entry))
}

const noEntries = (): string[] => []
