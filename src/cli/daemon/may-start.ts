/**
 * Whether the daemon may start. A standby that is being cloned is no reason against it: its data
 * directory may be missing, empty, or being filled by pg_basebackup.
 */
import { readdir } from 'node:fs/promises'
import type { Evidence } from '../../facts/decide/evidence.ts'
import { refusalOf, type Refusal } from '../../facts/decide/refusal.ts'

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

/** Entries that initdb, pg_basebackup and tar may create before PG_VERSION. */
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
