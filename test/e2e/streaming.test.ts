/**
 * Whether a real standby streams, told by its titles, beside what its own session says: with an
 * upstream, without, with it again, and with titles switched off.
 */
import t, { type Test } from 'tap'
import { systemHost } from '../../src/cli/system/host.ts'
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import { replicationOf, type ReplicationState } from '../../src/facts/decide/streaming.ts'
import { printLsn } from '../../src/facts/units.ts'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { daemonProgram } from '../harness/daemon.ts'
import { runProgram } from '../harness/programs.ts'
import type { Session } from '../harness/session.ts'
import { until } from '../harness/until.ts'

// The first run fetches the servers.
t.setTimeout(600_000)
// Each waits for its own servers most of the time.
t.jobs = 2

/** In MB. Small ones are soon filled; the oldest version knows the default size alone. */
const segmentSizeOf = (major: number): number => (major < 11 ? 16 : 1)

const start = async (t: Test, major: number): Promise<readonly [Cluster, Cluster]> => {
  const primary = await createCluster({ major, segmentSize: segmentSizeOf(major) })
  t.teardown(primary.destroy)
  await primary.start()
  const standby = await primary.standby({ settings: { wal_retrieve_retry_interval: '200ms' } })
  t.teardown(standby.destroy)
  await standby.start()
  return [primary, standby]
}

const write = async (primary: Cluster, rows = 100): Promise<void> => {
  const session = await primary.session()
  await session.query('create table if not exists written (what text)')
  await session.query(
    `insert into written select repeat('x', 1000) from generate_series(1, ${rows})`,
  )
  await session.close()
}

/** Writes more than this many segments. */
const writeSegments = async (primary: Cluster, count: number): Promise<void> =>
  write(primary, count * 1024 * segmentSizeOf(primary.major))

/** Has received, and replayed, all that the primary wrote. */
const inStep = async (primary: Cluster, standby: Session): Promise<void> => {
  const session = await primary.session()
  const [row] = await session.query('select pg_current_wal_lsn()::text as written')
  await session.close()
  const sql = `select pg_last_wal_replay_lsn() >= '${String(row?.['written'])}' as done`
  const done = async (): Promise<boolean> => (await standby.query(sql))[0]?.['done'] === true
  await until(done, { what: 'the standby to be in step' })
}

const receivedBy = async (session: Session): Promise<string> => {
  const [row] = await session.query('select pg_last_wal_receive_lsn()::text as received')
  return String(row?.['received'])
}

/** As a daemon tells it that has counted the children once, while the standby streamed or not. */
const observe = async (t: Test, standby: Cluster) => {
  const { openProbe, openTitles } = systemHost({}, 1)
  const options = { controlCheck: 'native', pgControldata: null } as const
  const probe = openProbe({ pgdata: standby.dataDirectory, ...options })
  t.teardown(probe.close)
  const { asOfNow } = openTitles()
  const evidence = async (): Promise<Evidence | null> => (await probe.look())?.evidence ?? null
  const now = async () => {
    const seen = await evidence()
    return seen && replicationOf(await asOfNow(seen))
  }
  const becomes = async (state: ReplicationState, limitMs = 30_000): Promise<void> =>
    until(async () => (await now())?.state === state, { what: `it to be ${state}`, limitMs })
  return { now, becomes }
}

const statusOf = async ({ dataDirectory }: Cluster) => {
  const args = ['status', '-D', dataDirectory, '--json', '--expect', 'standby']
  const json = await runProgram({ program: daemonProgram(), args, cwd: '/' })
  return (JSON.parse(json) as { replication: Record<string, string | null> }).replication
}

for (const major of [10, 12, 13, 15, 18]) {
  t.test(`PostgreSQL ${major}`, async t => {
    const [primary, standby] = await start(t, major)
    const { now, becomes } = await observe(t, standby)
    const session = await standby.session()
    t.teardown(session.close)

    await t.test('streams, and shows what it has received', async t => {
      await write(primary)
      await inStep(primary, session)
      await becomes('streaming')
      const received = await receivedBy(session)
      const found = await now()
      t.equal(found?.receiveLsn && printLsn(found.receiveLsn), received)
      t.match(await statusOf(standby), {
        state: 'streaming',
        receive_lsn: received,
        replay_segment: /^[0-9A-F]{24}$/,
      })
    })

    await t.test('follows through segments', async t => {
      const { replay_segment: before } = await statusOf(standby)
      await writeSegments(primary, 3)
      await inStep(primary, session)
      await becomes('streaming')
      const after = await statusOf(standby)
      t.equal(after['receive_lsn'], await receivedBy(session))
      t.not(after['replay_segment'], before)
    })

    await t.test('catches up when replay has been held up', async t => {
      await session.query('select pg_wal_replay_pause()')
      await writeSegments(primary, 3)
      await becomes('catching up')
      t.match(await statusOf(standby), { state: 'catching up', receive_lsn: String })
      await session.query('select pg_wal_replay_resume()')
      await becomes('streaming')
    })

    await t.test('is not connected while its upstream is away, and streams again', async t => {
      await primary.stop()
      await becomes('not connected', 2000)
      // Now and then a receiver is there for a moment, which does not reach anybody.
      const said = async () => (await statusOf(standby))['state'] === 'not connected'
      await until(said, { what: 'status to say that it is not connected' })
      await primary.start()
      const connected = async (): Promise<boolean> =>
        (await session.query("select from pg_stat_wal_receiver where status = 'streaming'"))
          .length > 0
      await until(connected, { what: 'a new WAL receiver' })
      // Nothing may have come since, so that it has nothing to say.
      const found = await now()
      t.match(found?.state, /^(unknown|streaming)$/)
      await write(primary)
      await becomes('streaming', 2000)
      t.equal((await statusOf(standby))['receive_lsn'], await receivedBy(session))
    })

    await t.test(
      'titles switched off on a running server no longer change, which is detected',
      async t => {
        const before = await statusOf(standby)
        standby.configure({ update_process_title: 'off' })
        standby.kill('SIGHUP')
        const off = async (): Promise<boolean> =>
          (await session.query('show update_process_title'))[0]?.['update_process_title'] === 'off'
        await until(off, { what: 'the new setting' })
        await write(primary)
        const writer = await primary.session()
        await writer.query('checkpoint')
        await writer.close()
        await inStep(primary, session)
        await session.query('checkpoint')
        const after = await statusOf(standby)
        t.match([before, after], [{ state: 'streaming' }, { state: 'unknown', receive_lsn: null }])
      },
    )

    await t.test('without titles its state is unknown', async t => {
      await session.close()
      await standby.restart()
      const again = await standby.session()
      t.teardown(again.close)
      await write(primary)
      await inStep(primary, again)
      t.strictSame(await statusOf(standby), {
        state: 'unknown',
        receive_lsn: null,
        replay_segment: null,
      })
    })
  })
}
