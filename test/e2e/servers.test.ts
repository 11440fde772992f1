/**
 * The program beside real servers of every version: what it answers in each state they can be
 * brought into from outside. The sessions are the test's own; the program never opens one. How
 * soon, and whether it is right at every instant, is the referee's to tell: see test/truth.
 */
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Pid } from '../../src/facts/units.ts'
import { openProcessTable } from '../../src/observe/processes/process-table.ts'
import { livingStat } from '../../src/observe/processes/liveness.ts'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { standbyRequestFile } from '../harness/cluster-files.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { postgresMajors } from '../harness/postgres-binaries.ts'
import { until } from '../harness/until.ts'

const processes = openProcessTable()

t.setTimeout(900_000)
t.jobs = 2

const watch = async (t: Test, cluster: Cluster): Promise<Daemon> => {
  const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory })
  t.teardown(async () => {
    await daemon.stop()
  })
  return daemon
}

const inRecovery = async (cluster: Cluster): Promise<boolean> => {
  const session = await cluster.session()
  const answer = await session.isInRecovery()
  await session.close()
  return answer
}

/** Dead, reaped or not. */
const isDead = (pid: Pid): boolean => {
  const handle = processes.open(pid)
  if (typeof handle === 'string') return true
  const dead = livingStat(handle) === null
  handle.close()
  return dead
}

for (const major of postgresMajors) {
  t.test(`PostgreSQL ${major}`, { buffered: true }, async t => {
    const primary = await createCluster({ major })
    t.teardown(primary.destroy)
    const first = await watch(t, primary)
    t.equal(await first.ask(), 'refused', 'a cluster that was never started')
    await primary.start()
    await first.answers('MASTER')
    t.equal(await inRecovery(primary), false)

    await t.test('a signal file touched on a running primary changes nothing', async t => {
      primary.place(standbyRequestFile(major), "standby_mode = 'on'\n")
      await first.said(/hazard="primary with standby request"/)
      t.equal(await first.ask(), 'MASTER')
      rmSync(join(primary.dataDirectory, standbyRequestFile(major)))
      await first.said(/hazard ended hazard="primary with standby request"/)
    })

    const standby = await primary.standby()
    t.teardown(standby.destroy)
    const second = await watch(t, standby)
    await first.answers('MASTER')
    await standby.start()
    await second.answers('STANDBY')
    t.equal(await inRecovery(standby), true)

    await t.test('a signal file removed on a running standby changes nothing', async t => {
      const file = join(standby.dataDirectory, standbyRequestFile(major))
      renameSync(file, `${file}.away`)
      await second.said(/hazard="standby without signal file"/)
      t.equal(await second.ask(), 'STANDBY')
      // Without it a promotion fails: the startup process can't remove what is not there.
      renameSync(`${file}.away`, file)
    })

    await t.test('a promoted standby is MASTER', async t => {
      await standby.promote(major >= 12 && major % 2 === 0 ? 'sql' : 'pg_ctl')
      await second.answers('MASTER')
      t.equal(await inRecovery(standby), false)
    })

    await t.test('a fast stop closes the port', async () => {
      await primary.stop('fast')
      await first.answers('refused')
    })

    await t.test('a single-user backend is unavailable', async t => {
      const singleUser = await primary.singleUser()
      await first.said(/a single-user backend/)
      t.equal(await first.ask(), 'refused')
      await singleUser.stop()
    })

    await t.test('an immediate stop closes the port, and a start opens it again', async () => {
      await standby.stop('immediate')
      await second.answers('refused')
      await standby.start()
      await second.answers('MASTER')
    })

    await t.test('a killed postmaster is not answered for a moment longer', async t => {
      const pid = standby.pid() as Pid
      standby.kill('SIGKILL')
      // On a busy machine it takes a while until the kernel gets round to it.
      await until(() => isDead(pid), { what: 'the postmaster to die', everyMs: 0 })
      t.match(await second.ask(), /^(refused|reset|)$/)
      await standby.ended()
      await second.answers('refused')
    })

    await t.test('a standby that refuses logins is no standby, until it is promoted', async t => {
      const closed = await primary.standby({ hotStandby: false })
      t.teardown(closed.destroy)
      const third = await watch(t, closed)
      await closed.start()
      await third.said(/is in recovery and not accepting connections/)
      t.equal(await third.ask(), 'refused')
      await closed.promote('pg_ctl')
      await third.answers('MASTER')
    })
  })
}
