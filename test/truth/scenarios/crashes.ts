/** Backends that die badly: the postmaster then restarts all its children, and keeps its pid. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { standbyRequestFile } from '../../harness/cluster-files.ts'
import { until } from '../../harness/until.ts'
import type { Cluster } from '../../harness/cluster.ts'
import type { Session } from '../../harness/session.ts'
import {
  addFiles,
  awaitLogins,
  crashAndRecover,
  crashBackend,
  hasReceiver,
  stopBackend,
  watched,
} from '../faults.ts'
import type { Scenario } from '../scenario.ts'
import { forBothRoles } from './both-roles.ts'

const manyFiles = 20_000

/** PGPROC_MAX_CACHED_SUBXIDS in proc.h: with more, a snapshot of running transactions overflows. */
const subtransactionsMax = 64

/**
 * A transaction on the upstream with so many subtransactions that no standby whose recovery begins
 * meanwhile can accept logins before it has ended; and a restartpoint on the standby to begin at.
 */
const overflowSnapshots = async (upstream: Cluster, standby: Cluster): Promise<Session> => {
  const session = await upstream.session()
  await session.query('create table if not exists overflow (n int)')
  await session.query('begin')
  for (let n = 0; n <= subtransactionsMax; n += 1)
    await session.query(`savepoint s${n}; insert into overflow values (${n})`)
  const other = await upstream.session()
  await other.query('checkpoint')
  const [written] = await other.query('select pg_current_wal_lsn() as lsn')
  await other.close()
  const reader = await standby.session()
  const replayed = async (): Promise<boolean> => {
    const lsn = `'${String(written?.['lsn'])}'::pg_lsn`
    const [row] = await reader.query(`select pg_last_wal_replay_lsn() >= ${lsn} as reached`)
    return row?.['reached'] === true
  }
  await until(replayed, { what: 'the checkpoint to be replayed' })
  await reader.query('checkpoint')
  await reader.close()
  return session
}

export const crashes: readonly Scenario[] = [
  ...forBothRoles(({ role, word, begin }) => ({
    name: `backend killed on a ${role}`,
    begin,
    run: async ({ cluster, answers }) => {
      await answers(word)
      await crashAndRecover(cluster)
      await answers(word)
      await watched(200)
    },
  })),
  ...forBothRoles(({ role, word, begin }) => ({
    name: `backend killed on a ${role} of ${manyFiles} files`,
    begin: async arena => {
      const cluster = await begin(arena)
      addFiles(cluster, manyFiles)
      return cluster
    },
    run: async ({ cluster, answers }) => {
      await answers(word)
      await crashAndRecover(cluster)
      await answers(word)
    },
  })),
  ...forBothRoles(({ role, word, begin }) => ({
    name: `backend killed on a ${role} while another is stopped`,
    begin,
    run: async ({ cluster, answers }) => {
      await answers(word)
      const stopped = await stopBackend(cluster)
      await crashAndRecover(cluster)
      await stopped.close()
      await answers(word)
    },
  })),
  ...forBothRoles(({ role, word, begin }) => ({
    name: `daemon started in the crash restart of a ${role}`,
    begin,
    options: () => ({ withDaemon: false }),
    run: async ({ cluster, startDaemon, answers }) => {
      const stopped = await stopBackend(cluster)
      await crashBackend(cluster)
      await until(async () => !(await cluster.accepts()), { what: 'the crash restart' })
      await startDaemon()
      await awaitLogins(cluster)
      await stopped.close()
      await answers(word)
    },
  })),
  {
    name: 'backend killed on a standby with overflowed snapshots',
    begin: arena => arena.standby(),
    run: async ({ cluster, answers, daemon }, arena) => {
      await answers('STANDBY')
      const upstream = await arena.upstream()
      const transaction = await overflowSnapshots(upstream, cluster)
      await crashBackend(cluster)
      await until(async () => !(await cluster.accepts()), { what: 'the crash restart' })
      await until(() => hasReceiver(cluster), { what: 'a WAL receiver' })
      await watched(1500)
      await answers('refused')
      await daemon().said(/is restarting its children after a crash/)
      await transaction.query('commit')
      await transaction.close()
      const other = await upstream.session()
      await other.query('checkpoint')
      await other.close()
      await awaitLogins(cluster)
      await answers('STANDBY')
      await watched(200)
    },
  },
  {
    name: 'backend killed with restart_after_crash off',
    begin: arena => arena.primary({ restart_after_crash: 'off' }),
    run: async ({ cluster, answers }) => {
      await answers('MASTER')
      await crashBackend(cluster)
      await cluster.ended()
      await answers('refused')
    },
  },
  {
    name: 'standby requested of a running primary, then a backend killed',
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, daemon }) => {
      await answers('MASTER')
      cluster.requestStandby(null)
      await daemon().said(/hazard="primary with standby request"/)
      await crashAndRecover(cluster)
      await answers('STANDBY')
      await watched(200)
    },
  },
  {
    name: 'request removed from a running standby, then a backend killed',
    begin: arena => arena.standby(),
    run: async ({ cluster, answers, daemon }, { major }) => {
      await answers('STANDBY')
      rmSync(join(cluster.dataDirectory, standbyRequestFile(major)))
      await daemon().said(/hazard="standby without signal file"/)
      await crashAndRecover(cluster)
      await answers('MASTER')
      await watched(200)
    },
  },
]
