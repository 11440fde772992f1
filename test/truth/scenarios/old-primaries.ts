/** Primaries that another server has replaced, and what peers do to those that none has. */
import type { Cluster, StopMode } from '../../harness/cluster.ts'
import { startDaemon, type Daemon } from '../../harness/daemon.ts'
import { freePort } from '../../harness/free-port.ts'
import { listenAsStranger } from '../../harness/tcp-client.ts'
import { thenAlways } from '../../harness/then-always.ts'
import type { Arena } from '../arena.ts'
import { ended } from '../arena.ts'
import { watched } from '../faults.ts'
import type { Scenario } from '../scenario.ts'

/** The other member: a standby of the server under test, and the daemon beside it. */
type Companion = { readonly standby: Cluster; readonly http: number }

const companions = new WeakMap<Cluster, Companion>()

const companionOf = (cluster: Cluster): Companion => {
  const companion = companions.get(cluster)
  if (companion === undefined) throw new Error('the server has no standby')
  return companion
}

/** A primary with a standby that follows it. */
const beginPair = async (arena: Arena): Promise<Cluster> => {
  const primary = await arena.primary()
  // The port of bgw_replstatus is that of the primary.
  const standby = await primary.standby({ settings: { shared_preload_libraries: '' } })
  await standby.start()
  companions.set(primary, { standby, http: await freePort() })
  return primary
}

const withPeer = (http: number) => ({
  environment: { PG_REPLSTATUS_PEER: `127.0.0.1:${http}` },
})

const promotedInItsPlace = /another server was promoted: .* is on timeline 2/

const startDaemonOf = ({ standby, http }: Companion): Promise<Daemon> =>
  startDaemon({
    dataDirectory: standby.dataDirectory,
    args: ['--http', `127.0.0.1:${http}`],
  })

/**
 * The server is stopped, its standby promoted, and it comes back as the primary that it was. From
 * its start on nobody may be sent to it, whatever a session in it says.
 */
const oldPrimary = (how: string, mode: StopMode): Scenario => ({
  name: `old primary that comes back after ${how}`,
  bounds: { wrongRoleMs: 0 },
  begin: beginPair,
  options: cluster => withPeer(companionOf(cluster).http),
  run: async trial => {
    const { cluster, answers, daemon } = trial
    const companion = companionOf(cluster)
    await ended(companion.standby, async () => {
      const other = await startDaemonOf(companion)
      await thenAlways(
        async () => {
          await answers('MASTER')
          await cluster.stop(mode)
          await answers('refused')
          await companion.standby.promote('pg_ctl')
          await other.answers('MASTER')
          trial.nobodyServed()
          await cluster.start()
          await daemon().said(promotedInItsPlace)
          await watched(200)
        },
        async () => void (await other.stop()),
      )
      // What the new primary has said stands.
      await daemon().said(/peer silent/)
      await watched(200)
    })
  },
})

/** Its daemon finds a server that serves already. */
const beforeItsDaemon: Scenario = {
  name: 'old primary that comes back before its daemon',
  bounds: { wrongRoleMs: 0 },
  begin: beginPair,
  options: cluster => ({ ...withPeer(companionOf(cluster).http), withDaemon: false }),
  run: async trial => {
    const { cluster } = trial
    const companion = companionOf(cluster)
    await ended(companion.standby, async () => {
      await cluster.stop('immediate')
      const other = await startDaemonOf(companion)
      await thenAlways(
        async () => {
          await companion.standby.promote('pg_ctl')
          await other.answers('MASTER')
          trial.nobodyServed()
          await cluster.start()
          const daemon = await trial.startDaemon()
          await daemon.said(promotedInItsPlace)
          await watched(200)
        },
        async () => void (await other.stop()),
      )
    })
  },
}

/** Where nobody listens, so that each question ends at once. */
const absent = { environment: { PG_REPLSTATUS_PEER: '127.0.0.1:1' } }

/** Accepts and says nothing, so that each question ends by its time limit. */
const silentPeers = new WeakMap<Cluster, Awaited<ReturnType<typeof listenAsStranger>>>()

const beginBesideSilence = async (arena: Arena): Promise<Cluster> => {
  const primary = await arena.primary()
  silentPeers.set(primary, await listenAsStranger())
  return primary
}

const withSilentPeer = (cluster: Cluster) => {
  const peer = `127.0.0.1:${silentPeers.get(cluster)?.port}`
  return { environment: { PG_REPLSTATUS_PEER: peer, PG_REPLSTATUS_PEER_TIMEOUT: '500' } }
}

export const oldPrimaries: readonly Scenario[] = [
  oldPrimary('a crash', 'immediate'),
  oldPrimary('a switchover', 'fast'),
  beforeItsDaemon,
  {
    name: 'promotion with a peer that is down',
    times: 10,
    bounds: { noticePrimaryMsMax: 20, noticePrimaryMsMedian: 3 },
    begin: arena => arena.standby(),
    options: () => absent,
    run: async ({ cluster, answers }) => {
      await answers('STANDBY')
      await cluster.promote('pg_ctl')
      await answers('MASTER')
    },
  },
  {
    name: 'restart of a primary with a peer that does not answer',
    // The time limit of the question.
    bounds: { wrongSilenceMs: 600, noticePrimaryMsMax: 600, noticePrimaryMsMedian: 600 },
    begin: beginBesideSilence,
    options: withSilentPeer,
    run: async ({ cluster, answers, daemon }) => {
      await answers('MASTER')
      await cluster.restart()
      await daemon().said(/because="waiting for the answer of 127.0.0.1:\d+"/)
      await answers('MASTER')
      silentPeers.get(cluster)?.server.close()
    },
  },
]
