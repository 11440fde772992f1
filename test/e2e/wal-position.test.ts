/** How far the log goes, as we read it, beside what the servers say of it. */
import assert from 'node:assert'
import t, { type Test } from 'tap'
import { parseLsn, printLsn, type Lsn } from '../../src/facts/units.ts'
import type { Cluster } from '../harness/cluster.ts'
import type { Settings } from '../harness/cluster-files.ts'
import { startHttpDaemon, type HttpDaemon } from '../harness/http-daemon.ts'
import { startPrimary } from '../harness/pair.ts'
import { postgresMajors } from '../harness/postgres-binaries.ts'
import type { Session } from '../harness/session.ts'
import { until } from '../harness/until.ts'

// The first run fetches the servers.
t.setTimeout(600_000)

const pageSize = 8192n

type Watched = {
  readonly daemon: HttpDaemon
  /** Says what has been flushed: of it ours is never behind. */
  readonly session: Session
  readonly flushed: string
  /**
   * Of the primary, which says what has been inserted: ours ends within a page of it. What is
   * being written is on disk before the servers show that it is written, or flushed.
   */
  readonly writer: Session
}

const inserted = 'pg_current_wal_insert_lsn()'

const positionIn = async (session: Session, expression: string): Promise<Lsn> => {
  const [row] = await session.query(`select ${expression} as at`)
  const at = parseLsn(String(row?.['at']))
  assert(at !== null, expression)
  return at
}

const statusOf = async ({ http }: HttpDaemon): Promise<{ readonly [name: string]: unknown }> => {
  const response = await fetch(`http://127.0.0.1:${http}/status`)
  return (await response.json()) as { readonly [name: string]: unknown }
}

const positionOf = async (daemon: HttpDaemon): Promise<Lsn> => {
  const { wal_position: text } = await statusOf(daemon)
  const at = typeof text === 'string' ? parseLsn(text) : null
  assert(at !== null, `no position but ${String(text)}`)
  return at
}

const compare = async (
  t: Test,
  { daemon, session, flushed, writer }: Watched,
  times: number,
): Promise<void> => {
  let wrong = 0
  for (let time = 0; time < times; time += 1) {
    const before = await positionIn(session, flushed)
    const ours = await positionOf(daemon)
    const after = await positionIn(writer, inserted)
    if (ours < before || ours >= after + pageSize) {
      wrong += 1
      t.comment(`${printLsn(before)} ${printLsn(ours)} ${printLsn(after)}`)
    }
  }
  t.equal(wrong, 0, `${flushed}, ${times} times`)
}

/** Writes until it is told to stop. */
const startWriting = async (cluster: Cluster, rows: number): Promise<() => Promise<void>> => {
  const session = await cluster.session()
  await session.query('create table if not exists filler (n int, text text)')
  let over = false
  const writing = (async () => {
    while (!over) {
      await session.query(
        `insert into filler select n, repeat(md5(n::text), 8) from generate_series(1, ${rows}) n`,
      )
    }
    await session.close()
  })()
  return async () => {
    over = true
    await writing
  }
}

const startStandby = async (t: Test, primary: Cluster): Promise<Cluster> => {
  const standby = await primary.standby()
  t.teardown(standby.destroy)
  await standby.start()
  return standby
}

const received = 'pg_last_wal_receive_lsn()'

const watchStandby = async (t: Test, standby: Cluster, primary: Cluster): Promise<Watched> => {
  const session = await standby.session()
  t.teardown(session.close)
  const daemon = await startHttpDaemon(t, standby.dataDirectory)
  await daemon.daemon.until('standby')
  const writer = await primary.session()
  t.teardown(writer.close)
  const isReceiving = async (): Promise<boolean> => {
    // The title of a WAL receiver tells nothing before something has come.
    await writer.query('select txid_current()')
    const [row] = await session.query(`select ${received} as at`)
    return row?.['at'] !== null && (await statusOf(daemon))['wal_position'] !== null
  }
  await until(isReceiving, { what: 'the standby to receive', everyMs: 50 })
  return { daemon, session, flushed: received, writer }
}

const watchPrimary = async (t: Test, primary: Cluster): Promise<Watched> => {
  const session = await primary.session()
  t.teardown(session.close)
  const daemon = await startHttpDaemon(t, primary.dataDirectory)
  await daemon.daemon.until('primary')
  return { daemon, session, flushed: 'pg_current_wal_flush_lsn()', writer: session }
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
    const writing = await watchPrimary(t, primary)
    const receiving = await watchStandby(t, standby, primary)
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
    const promoted = await watchPrimary(t, standby)
    const more = await startWriting(standby, 1)
    await compare(t, promoted, 20)
    await more()
  })
}

for (const segmentSize of [1, 64]) {
  t.test(`segments of ${segmentSize} MB`, async t => {
    const primary = await startPrimary(t, { major: 18, segmentSize })
    const writing = await watchPrimary(t, primary)
    const stop = await startWriting(primary, 2000)
    await compare(t, writing, 60)
    await stop()
  })
}

t.test('a standby of a standby', async t => {
  const primary = await startPrimary(t, { major: 18 })
  const standby = await startStandby(t, primary)
  const cascading = await startStandby(t, standby)
  const receiving = await watchStandby(t, cascading, primary)
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
