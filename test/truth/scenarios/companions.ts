/** A primary under test with a standby of its own, whose daemon is its peer. */
import type { Cluster } from '../../harness/cluster.ts'
import type { Settings } from '../../harness/cluster-files.ts'
import { startDaemon, type Daemon } from '../../harness/daemon.ts'
import { freePort } from '../../harness/free-port.ts'
import { thenAlways } from '../../harness/then-always.ts'
import type { Arena } from '../arena.ts'
import { ended } from '../arena.ts'

/** The other member: a standby of the server under test, and the daemon beside it. */
type Companion = { readonly standby: Cluster; readonly http: number }

const companions = new WeakMap<Cluster, Companion>()

const companionOf = (cluster: Cluster): Companion => {
  const companion = companions.get(cluster)
  if (companion === undefined) throw new Error('the server has no standby')
  return companion
}

/** A primary with a standby that follows it. */
export const beginPair = async (arena: Arena, settings: Settings = {}): Promise<Cluster> => {
  const primary = await arena.primary(settings)
  // The port of bgw_replstatus is that of the primary.
  const standby = await primary.standby({ settings: { shared_preload_libraries: '' } })
  await standby.start()
  companions.set(primary, { standby, http: await freePort() })
  return primary
}

/** For the daemon under test. */
export const withCompanion = (cluster: Cluster) => ({
  environment: { PG_REPLSTATUS_PEER: `127.0.0.1:${companionOf(cluster).http}` },
})

/** Acts beside the standby and its daemon, and ends both. */
export const besideCompanion = async (
  cluster: Cluster,
  act: (standby: Cluster, other: Daemon) => Promise<void>,
): Promise<void> => {
  const { standby, http } = companionOf(cluster)
  await ended(standby, async () => {
    const { dataDirectory } = standby
    const other = await startDaemon({ dataDirectory, args: ['--http', `127.0.0.1:${http}`] })
    await thenAlways(
      async () => act(standby, other),
      async () => void (await other.stop()),
    )
  })
}
