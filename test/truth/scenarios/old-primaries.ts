/** Primaries that another server has replaced, and what peers do to those that none has. */
import assert from 'node:assert'
import type { Cluster, StopMode } from '../../harness/cluster.ts'
import { runProgram } from '../../harness/programs.ts'
import { listenAsStranger } from '../../harness/tcp-client.ts'
import type { Arena } from '../arena.ts'
import { stopBounds } from '../bounds.ts'
import { watched, writeSomething } from '../faults.ts'
import type { Scenario } from '../scenario.ts'
import { serverProgram } from '../server-programs.ts'
import { beginPair, besideCompanion, withCompanion } from './companions.ts'

const promotedInItsPlace = /another server was promoted: .* is on timeline 2/

/**
 * The server is stopped, its standby promoted, and it comes back as the primary that it was. From
 * its start on nobody may be sent to it, whatever a session in it says.
 */
const oldPrimary = (how: string, mode: StopMode): Scenario => ({
  name: `old primary that comes back after ${how}`,
  // A fast stop is noticed as any other. From the return on no role may be answered at all.
  bounds: mode === 'fast' ? stopBounds : { wrongRoleMs: 0 },
  begin: arena => beginPair(arena),
  options: withCompanion,
  run: async trial => {
    const { cluster, answers, daemon } = trial
    await besideCompanion(cluster, async (standby, other) => {
      await answers('MASTER')
      await cluster.stop(mode)
      await answers('refused')
      await standby.promote('pg_ctl')
      await other.answers('MASTER')
      trial.nobodyServed()
      const before = daemon().log().length
      await cluster.start()
      await daemon().said(promotedInItsPlace)
      await watched(200)
      await other.stop()
      // What the new primary has said stands.
      await daemon().said(/peer check failed/)
      await watched(200)
      const since = daemon().log().slice(before)
      assert.deepEqual(
        since.filter(line => / to=(?:primary|standby) /.test(line)),
        [],
        since.join('\n'),
      )
    })
  },
})

/** Its daemon finds a server that serves already. */
const beforeItsDaemon: Scenario = {
  name: 'old primary that comes back before its daemon',
  bounds: { wrongRoleMs: 0 },
  begin: arena => beginPair(arena),
  options: cluster => ({ ...withCompanion(cluster), withDaemon: false }),
  run: async trial => {
    const { cluster } = trial
    await besideCompanion(cluster, async standby => {
      await cluster.stop('immediate')
      await standby.promote('pg_ctl')
      trial.nobodyServed()
      await cluster.start()
      const daemon = await trial.startDaemon()
      await daemon.said(promotedInItsPlace)
      await watched(200)
    })
  },
}

const rewind = async (cluster: Cluster, source: Cluster): Promise<void> => {
  const { dataDirectory, folder: cwd, user } = cluster
  const server = `host=127.0.0.1 port=${source.port} user=postgres dbname=postgres`
  const args = ['-D', dataDirectory, '--source-server', server]
  await runProgram({ program: serverProgram('pg_rewind'), args, cwd, user })
  // The settings are those of the source now.
  cluster.configure({})
}

/** It was written to when it came back, is rewound, and follows the new primary. */
const rewound: Scenario = {
  name: 'old primary that is rewound, and follows the new one',
  since: 15,
  until: 15,
  needs: ['server programs'],
  bounds: { wrongRoleMs: 0 },
  begin: arena => beginPair(arena, { wal_log_hints: 'on', wal_keep_size: '1GB' }),
  options: withCompanion,
  run: async trial => {
    const { cluster, answers, daemon } = trial
    await besideCompanion(cluster, async (standby, other) => {
      await answers('MASTER')
      await cluster.stop('immediate')
      await standby.promote('pg_ctl')
      await other.answers('MASTER')
      const replacedUntilRewound = trial.nobodyServed()
      await cluster.start()
      await daemon().said(promotedInItsPlace)
      await writeSomething(cluster)
      await cluster.stop()
      await rewind(cluster, standby)
      // It is consistent only at a position that an idle source never sends.
      await writeSomething(standby)
      cluster.requestStandby(standby)
      replacedUntilRewound()
      await cluster.start()
      await answers('STANDBY')
      await watched(200)
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
  rewound,
  {
    name: 'promotion with a peer that is down',
    times: 10,
    bounds: { noticePrimaryMsMedian: 5 },
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
