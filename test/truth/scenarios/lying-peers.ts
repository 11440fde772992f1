/** Peers that say anything but the truth. */
import type { Cluster } from '../../harness/cluster.ts'
import { startLyingPeers, subjectOf, type LyingPeer } from '../../harness/lying-peers.ts'
import type { Arena } from '../arena.ts'
import { watched } from '../faults.ts'
import type { Scenario } from '../scenario.ts'
import type { Trial } from '../trial.ts'

const liars = new WeakMap<Cluster, readonly LyingPeer[]>()

const timeoutMs = 500
/** Longer than it takes to ask each peer again. */
const askedAgainMs = timeoutMs + 1300

/** All of them know what there is to know about the server. */
const beginBesideLiars = async (arena: Arena): Promise<Cluster> => {
  const cluster = await arena.standby()
  await cluster.promote('pg_ctl')
  liars.set(cluster, await startLyingPeers(await subjectOf(cluster)))
  return cluster
}

const besideLiars = (cluster: Cluster) => ({
  environment: {
    PG_REPLSTATUS_PEER: liarsOf(cluster)
      .map(({ port }) => `127.0.0.1:${port}`)
      .join(),
    PG_REPLSTATUS_PEER_TIMEOUT: String(timeoutMs),
  },
})

const liarsOf = (cluster: Cluster): readonly LyingPeer[] => liars.get(cluster) ?? []

const silenceLiars = ({ cluster }: Trial): void => {
  for (const { close } of liarsOf(cluster)) close()
}

export const lyingPeers: readonly Scenario[] = [
  {
    name: 'primary with peers that send false answers',
    since: 18,
    bounds: { wrongRoleMs: 0 },
    begin: beginBesideLiars,
    options: cluster => ({ ...besideLiars(cluster), withDaemon: false }),
    run: async trial => {
      // Those that say nothing are waited for.
      const asked = trial.probeBlinded()
      await trial.startDaemon()
      await trial.answers('MASTER')
      asked()
      await watched(askedAgainMs)
      silenceLiars(trial)
    },
  },
  {
    name: 'standby with peers that send false answers, and its promotion',
    since: 18,
    bounds: { wrongRoleMs: 0 },
    begin: async arena => {
      const cluster = await beginBesideLiars(arena)
      await cluster.stop()
      cluster.requestStandby(null)
      await cluster.start()
      return cluster
    },
    options: besideLiars,
    run: async trial => {
      await trial.answers('STANDBY')
      await watched(askedAgainMs)
      await trial.cluster.promote('pg_ctl')
      await trial.answers('MASTER')
      await watched(300)
      silenceLiars(trial)
    },
  },
]
