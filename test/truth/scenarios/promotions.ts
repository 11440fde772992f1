/** Standbys that become primaries, in every way there is. */
import assert from 'node:assert'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../../harness/cluster.ts'
import { signalFilesSince, type Settings } from '../../harness/cluster-files.ts'
import { until } from '../../harness/until.ts'
import type { Arena } from '../arena.ts'
import { watched } from '../faults.ts'
import type { Scenario } from '../scenario.ts'

const restorePoint = 'here'

/** Recovery ends at the first point of that name, so that one is enough. */
const restorePoints = new WeakMap<Arena, Promise<void>>()

/** Some megabytes of WAL away from where copies begin. */
const createRestorePoint = async (upstream: Cluster): Promise<void> => {
  const session = await upstream.session()
  await session.query(
    'create table filler as select n, repeat(md5(n::text), 8) from generate_series(1, 20000) n',
  )
  await session.query(`select pg_create_restore_point('${restorePoint}')`)
  await session.query('select pg_switch_wal()')
  await session.close()
}

/**
 * A copy that will recover to that point, whose WAL it fetches from the upstream, and then do as
 * `action` says.
 */
const startPointInTimeRecovery = async (
  arena: Arena,
  action: 'promote' | 'pause' | 'shutdown',
): Promise<Cluster> => {
  const upstream = await arena.upstream()
  const created = restorePoints.get(arena) ?? createRestorePoint(upstream)
  restorePoints.set(arena, created)
  await created
  const target: Settings = {
    restore_command: `cp ${upstream.dataDirectory}/pg_wal/%f %p`,
    recovery_target_name: restorePoint,
    recovery_target_action: action,
  }
  if (arena.major >= signalFilesSince) {
    const cluster = await arena.stopped(target)
    cluster.place('recovery.signal', '')
    return cluster
  }
  const cluster = await arena.stopped({ hot_standby: 'on' })
  const lines = Object.entries(target).map(([name, value]) => `${name} = '${value}'\n`)
  cluster.place('recovery.conf', lines.join(''))
  return cluster
}

export const promotions: readonly Scenario[] = [
  {
    name: 'promotion',
    times: 25,
    bounds: { noticePrimaryMsMedian: 5 },
    begin: arena => arena.standby(),
    run: async ({ cluster, answers }, { major }, time) => {
      await answers('STANDBY')
      await cluster.promote(major >= signalFilesSince && time % 2 === 1 ? 'sql' : 'pg_ctl')
      await answers('MASTER')
    },
  },
  {
    name: 'promotion of a standby that refused logins',
    begin: arena => arena.standby({ hot_standby: 'off' }),
    run: async ({ cluster, answers, daemon }) => {
      await daemon().said(/is in recovery and not accepting connections/)
      await cluster.promote('pg_ctl')
      await answers('MASTER')
    },
  },
  {
    name: 'promotion with both signal files',
    since: signalFilesSince,
    begin: async arena => {
      const cluster = await arena.stopped()
      cluster.requestStandby(await arena.upstream())
      cluster.place('recovery.signal', '')
      await cluster.start()
      return cluster
    },
    run: async ({ cluster, answers, daemon }) => {
      await answers('STANDBY')
      await cluster.promote('sql')
      await answers('MASTER')
      assert(existsSync(join(cluster.dataDirectory, 'recovery.signal')), 'it stays behind')
      await daemon().said(/hazard="primary with recovery request"/)
    },
  },
  {
    name: 'recovery to a point in time, then promotion',
    begin: arena => startPointInTimeRecovery(arena, 'promote'),
    run: async ({ cluster, answers }) => {
      await cluster.start()
      await until(async () => !(await inRecovery(cluster)), { what: 'the end of recovery' })
      await answers('MASTER')
    },
  },
  {
    name: 'recovery to a point in time, then a pause',
    begin: arena => startPointInTimeRecovery(arena, 'pause'),
    run: async ({ cluster, answers }) => {
      await cluster.start()
      await answers('STANDBY')
      await resume(cluster)
      await answers('MASTER')
    },
  },
  {
    name: 'recovery to a point in time, then a shutdown',
    begin: arena => startPointInTimeRecovery(arena, 'shutdown'),
    run: async ({ cluster, answers }) => {
      await cluster.launch()
      await cluster.ended()
      await answers('refused')
      await watched(100)
    },
  },
]

const inRecovery = async (cluster: Cluster): Promise<boolean> => {
  const session = await cluster.session()
  const answer = await session.isInRecovery()
  await session.close()
  return answer
}

/** Goes on once the target has been reached, which ends recovery. */
const resume = async (cluster: Cluster): Promise<void> => {
  const session = await cluster.session()
  const isPaused = async (): Promise<boolean> => {
    const [row] = await session.query('select pg_is_wal_replay_paused() as paused')
    return row?.['paused'] === true
  }
  await until(isPaused, { what: 'the pause at the recovery target' })
  await session.query('select pg_wal_replay_resume()')
  await session.close()
}
