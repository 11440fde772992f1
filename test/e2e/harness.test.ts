/**
 * The ground the other tests stand on: real servers of every version start, stream, promote and
 * stop, and leave nothing behind.
 */
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import t from 'tap'
import { createCluster } from '../harness/cluster.ts'
import type { Cluster } from '../harness/cluster.ts'
import { postgresMajors } from '../harness/postgres-binaries.ts'
import { until } from '../harness/until.ts'

// The first run fetches nine servers.
t.setTimeout(600_000)
t.jobs = 2

/** Processes at work in a folder; a zombie has none. */
const processesIn = (folder: string): readonly string[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
      } catch {
        return false
      }
    })

const isInRecovery = async (cluster: Cluster): Promise<boolean> => {
  const session = await cluster.session()
  try {
    return await session.isInRecovery()
  } finally {
    await session.close()
  }
}

const streams = async (primary: Cluster): Promise<boolean> => {
  const session = await primary.session()
  try {
    const rows = await session.query("select from pg_stat_replication where state = 'streaming'")
    return rows.length === 1
  } finally {
    await session.close()
  }
}

const yes = (): boolean => true
const no = (): boolean => false

for (const major of postgresMajors) {
  const promotedBy = major >= 12 && major % 2 === 1 ? 'sql' : 'pg_ctl'
  const name = `PostgreSQL ${major} serves, streams and is promoted by ${promotedBy}`
  t.test(name, { buffered: true }, async test => {
    const primary = await createCluster({ major })
    test.teardown(primary.destroy)
    await primary.start()
    test.equal(await isInRecovery(primary), false)

    const standby = await primary.standby()
    test.teardown(standby.destroy)
    await standby.start()
    test.equal(await isInRecovery(standby), true)
    await until(async () => streams(primary), { what: 'the standby to stream' })

    await standby.promote(promotedBy)
    test.equal(await isInRecovery(standby), false)
    await primary.stop()
    test.equal(await primary.accepts(), false)
    test.equal(await standby.accepts(), true)

    await standby.destroy()
    await primary.destroy()
    for (const { folder } of [primary, standby]) {
      test.equal(existsSync(folder), false)
      test.strictSame(processesIn(folder), [])
    }
  })
}

t.test('a standby with hot_standby=off runs and refuses logins', { buffered: true }, async test => {
  const primary = await createCluster({ major: 17 })
  test.teardown(primary.destroy)
  const standby = await primary.standby({ hotStandby: false })
  test.teardown(standby.destroy)
  await standby.start()
  test.ok(standby.pid() > 0)
  test.equal(await standby.accepts(), false)
})

t.test('a single-user server negates the pid in its lock file', { buffered: true }, async test => {
  const cluster = await createCluster({ major: 11 })
  test.teardown(cluster.destroy)
  const server = await cluster.singleUser()
  test.equal(cluster.pid(), -server.pid)
  await server.stop()
  test.equal(existsSync(`${cluster.dataDirectory}/postmaster.pid`), false)
})

t.test('a killed and a stopped server leave nothing behind', { buffered: true }, async test => {
  const killed = await createCluster({ major: 16 })
  await killed.start()
  const session = await killed.session()
  const pid = killed.pid()
  killed.kill('SIGKILL')
  await killed.ended()
  const fallen = async (): Promise<boolean> => session.query('select').then(no, yes)
  // A session may answer once more before it notices.
  await until(fallen, { what: 'the session to fall with its postmaster' })
  await session.close()
  test.equal(killed.pid(), pid, 'the lock file is left over')
  await killed.destroy()
  test.equal(existsSync(killed.folder), false)
  test.strictSame(processesIn(killed.folder), [])
  const creators = readFileSync('/proc/sysvipc/shm', 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/)[4])
  test.notOk(creators.includes(String(pid)), 'no shared memory is left')

  const stopped = await createCluster({ major: 16 })
  await stopped.start()
  stopped.kill('SIGSTOP')
  await stopped.destroy()
  test.equal(existsSync(stopped.folder), false)
  test.strictSame(processesIn(stopped.folder), [])
})
