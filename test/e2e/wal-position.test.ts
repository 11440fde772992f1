/** How far the log goes, as we read it, beside what the servers say of it. */
import t, { type Test } from 'tap'
import { printLsn, type Lsn } from '../../src/facts/units.ts'
import type { Cluster } from '../harness/cluster.ts'
import type { Settings } from '../harness/cluster-files.ts'
import { startHttpDaemon } from '../harness/http-daemon.ts'
import { startPrimary } from '../harness/pair.ts'
import { postgresMajors } from '../harness/postgres-binaries.ts'
import { until } from '../harness/until.ts'
import {
  closedBy,
  isRight,
  positionIn,
  received,
  startWriting,
  statusOf,
  takeReading,
  watchPrimary,
  watchStandby,
  type Watched,
} from '../harness/wal-watch.ts'

// The first run fetches the servers.
t.setTimeout(600_000)
// Each waits for its own servers most of the time.
t.jobs = 3

const compare = async (t: Test, watched: Watched, times: number): Promise<void> => {
  let wrong = 0
  for (let time = 0; time < times; time += 1) {
    const reading = await takeReading(watched)
    if (isRight(reading)) continue
    wrong += 1
    const { flushedBefore, ours, insertedAfter } = reading
    const printed = ours === null ? 'unknown' : printLsn(ours)
    t.comment(`${printLsn(flushedBefore)} ${printed} ${printLsn(insertedAfter)}`)
  }
  t.equal(wrong, 0, `${watched.flushed}, ${times} times`)
}

const startStandby = async (t: Test, primary: Cluster): Promise<Cluster> => {
  const standby = await primary.standby()
  t.teardown(standby.destroy)
  await standby.start()
  return standby
}

const hasReceived = async ({ session }: Watched, position: Lsn): Promise<void> => {
  const reached = async () => (await positionIn(session, received)) >= position
  await until(reached, { what: 'the standby to receive all', everyMs: 20 })
}

const without: Settings = { wal_init_zero: 'off', wal_recycle: 'off' }

for (const major of postgresMajors) {
  t.test(`PostgreSQL ${major}`, async t => {
    const primary = await startPrimary(t, { major, settings: major >= 12 ? without : {} })
    const standby = await startStandby(t, primary)
    const writing = await watchPrimary(closedBy(t), primary)
    const receiving = await watchStandby(closedBy(t), standby, primary)
    const watched = [writing, receiving]

    const session = await primary.session()

    t.comment('transactions of a row')
    const stopRows = await startWriting(primary, 1)
    for (const one of watched) await compare(t, one, 40)
    await stopRows()

    t.comment('much at once, over the ends of segments and with recycled ones')
    const stop = await startWriting(primary, 2000)
    for (const one of watched) await compare(t, one, 40)
    await session.query('checkpoint')
    for (const one of watched) await compare(t, one, 40)
    await stop()

    t.comment('after a switch of segments')
    await session.query('select pg_switch_wal()')
    await session.query('create table switched ()')
    await hasReceived(receiving, await positionIn(session, writing.flushed))
    for (const one of watched) await compare(t, one, 5)
    await session.close()

    t.comment('after a promotion')
    await primary.stop()
    await standby.promote('pg_ctl')
    const promoted = await watchPrimary(closedBy(t), standby)
    const more = await startWriting(standby, 1)
    await compare(t, promoted, 20)
    await more()
  })
}

for (const segmentSize of [1, 64]) {
  t.test(`segments of ${segmentSize} MB`, async t => {
    const primary = await startPrimary(t, { major: 18, segmentSize })
    const writing = await watchPrimary(closedBy(t), primary)
    const stop = await startWriting(primary, 2000)
    await compare(t, writing, 60)
    await stop()
  })
}

t.test('a standby of a standby', async t => {
  const primary = await startPrimary(t, { major: 18 })
  const standby = await startStandby(t, primary)
  const cascading = await startStandby(t, standby)
  const receiving = await watchStandby(closedBy(t), cascading, primary)
  const stop = await startWriting(primary, 500)
  await compare(t, receiving, 40)
  await stop()
})

t.test('from an archive nothing is received', async t => {
  const primary = await startPrimary(t, { major: 18 })
  const standby = await primary.standby({
    settings: { restore_command: `cp ${primary.dataDirectory}/pg_wal/%f %p` },
  })
  t.teardown(standby.destroy)
  standby.configure({ primary_conninfo: '' })
  await standby.start()
  const daemon = await startHttpDaemon(t, standby.dataDirectory)
  await daemon.daemon.until('standby')
  t.match(await statusOf(daemon), {
    wal_position: null,
    replication: { state: 'not connected' },
    lag_bytes: null,
  })
})
