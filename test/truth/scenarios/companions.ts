/** A server under test with a standby of its own. The daemons of both are peers. */
import type { Cluster } from '../../harness/cluster.ts'
import type { Settings } from '../../harness/cluster-files.ts'
import { startDaemon, type Daemon } from '../../harness/daemon.ts'
import { freePort } from '../../harness/free-port.ts'
import { peerArgs } from '../../harness/http-daemon.ts'
import { thenAlways } from '../../harness/then-always.ts'
import type { Arena } from '../arena.ts'
import { ended } from '../arena.ts'

type Companion = {
  readonly standby: Cluster
  /** Where its daemon answers HTTP. */
  readonly http: number
  /** Where that of the server under test does. */
  readonly httpUnderTest: number
}

const companions = new WeakMap<Cluster, Companion>()

const companionOf = (cluster: Cluster): Companion => {
  const companion = companions.get(cluster)
  if (companion === undefined) throw new Error('the server has no standby')
  return companion
}

/** Gives a primary a standby that follows it; both run afterwards. */
export const accompany = async (primary: Cluster, settings: Settings = {}): Promise<Cluster> => {
  // The port of bgw_replstatus is that of the primary.
  const standby = await primary.standby({ settings: { shared_preload_libraries: '', ...settings } })
  await standby.start()
  const [http, httpUnderTest] = [await freePort(), await freePort()]
  companions.set(primary, { standby, http, httpUnderTest })
  return standby
}

/** A primary with a standby that follows it. */
export const beginPair = async (arena: Arena, settings: Settings = {}): Promise<Cluster> => {
  const primary = await arena.primary(settings)
  await accompany(primary)
  return primary
}

/** For the daemon under test. */
export const withCompanion = (cluster: Cluster) => {
  const { http, httpUnderTest } = companionOf(cluster)
  return {
    environment: {
      PG_REPLSTATUS_HTTP: `127.0.0.1:${httpUnderTest}`,
      PG_REPLSTATUS_PEER: `127.0.0.1:${http}`,
    },
  }
}

/** Acts beside the standby and its daemon, and ends both. */
export const besideCompanion = async (
  cluster: Cluster,
  act: (standby: Cluster, other: Daemon) => Promise<void>,
): Promise<void> => {
  const { standby, http, httpUnderTest } = companionOf(cluster)
  await ended(standby, async () => {
    const { dataDirectory } = standby
    const other = await startDaemon({ dataDirectory, args: peerArgs(http, [httpUnderTest]) })
    await thenAlways(
      async () => act(standby, other),
      async () => void (await other.stop()),
    )
  })
}
