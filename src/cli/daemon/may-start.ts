/**
 * Whether the daemon may start. A standby that is being cloned is no reason against it: its data
 * directory may be empty, or being filled by pg_basebackup. One that does not exist is more often
 * an error in its name.
 */
import { readdir } from 'node:fs/promises'
import type { Evidence } from '../../facts/decide/evidence.ts'
import { refusalOf, type Refusal } from '../../facts/decide/refusal.ts'
import type { Snapshot } from '../../facts/decide/snapshot.ts'
import { nullInShortage } from '../../observe/system/system-error.ts'
import { checkOnce } from '../commands/single-check.ts'
import type { Cluster } from '../options/option-values.ts'
import { withSource } from '../options/settings.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { Accounts } from '../system/accounts.ts'
import type { Host } from '../system/host.ts'
import { withTimeLimit } from '../system/time-limit.ts'
import { errorOfCluster } from './fleet.ts'

/** Checks the data directory of a cluster. Null if it can be served, or if its disk hangs. */
export const refusalOfCluster = async (
  { options }: Pick<Cluster, 'options'>,
  { host, userName }: { readonly host: Host; readonly userName: (user: number) => string },
): Promise<Refusal | null> => {
  const check = (): Promise<Snapshot | null> =>
    checkOnce(host.openProbe(options), host.clock, { restartMs: 0 })
  const snapshot = await withTimeLimit(nullInShortage(check), host.clock)
  return snapshot && refusalToServe(snapshot.evidence, { userName, wait: options.wait })
}

/**
 * Of a configuration file that is checked. Whether a directory can be read is not told: the daemon
 * may run as another user.
 */
export const wrongDirectories = async (
  clusters: readonly Cluster[],
  { accounts, host }: { readonly accounts: Accounts; readonly host: Host },
): Promise<readonly OperatorError[]> => {
  const userName = await accounts.names()
  const checks = clusters.map(async cluster => {
    const refusal = await refusalOfCluster(cluster, { host, userName })
    if (refusal === null || refusal.kind === 'no permission') return null
    return errorOfCluster(withSource(refusal, cluster.given, 'pgdata'), cluster)
  })
  return (await Promise.all(checks)).filter(error => error !== null)
}

export const refusalToServe = async (
  evidence: Evidence,
  { userName, wait }: { readonly userName: (user: number) => string; readonly wait: boolean },
): Promise<Refusal | null> => {
  const refusal = refusalOf(evidence, userName)
  switch (refusal?.kind) {
    case 'no such directory':
      return wait
        ? null
        : { ...refusal, hint: `${refusal.hint}; if it is created later, use --wait` }
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
