/** How far the log of a running server goes: as we read it, beside what the servers say of it. */
import assert from 'node:assert'
import type { Test } from 'tap'
import { parseLsn, type Lsn } from '../../src/facts/units.ts'
import type { Cluster } from './cluster.ts'
import { openHttpDaemon, type HttpDaemon } from './http-daemon.ts'
import type { Session } from './session.ts'
import { until } from './until.ts'
import type { Opened } from './with-opened.ts'

export type Watched = {
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
export const received = 'pg_last_wal_receive_lsn()'

export const positionIn = async (session: Session, expression: string): Promise<Lsn> => {
  const [row] = await session.query(`select ${expression} as at`)
  const at = parseLsn(String(row?.['at']))
  assert(at !== null, expression)
  return at
}

export const statusOf = async ({
  http,
}: HttpDaemon): Promise<{ readonly [name: string]: unknown }> => {
  const response = await fetch(`http://127.0.0.1:${http}/status`)
  return (await response.json()) as { readonly [name: string]: unknown }
}

const positionOf = async (daemon: HttpDaemon): Promise<Lsn | null> => {
  const { wal_position: text } = await statusOf(daemon)
  if (text === null) return null
  const at = typeof text === 'string' ? parseLsn(text) : null
  assert(at !== null, `no position but ${JSON.stringify(text)}`)
  return at
}

/** In the order in which they were asked for. */
export type Reading = {
  readonly flushedBefore: Lsn
  /** Null if it is not known. */
  readonly ours: Lsn | null
  readonly flushedAfter: Lsn
  readonly insertedAfter: Lsn
}

export const takeReading = async ({
  daemon,
  session,
  flushed,
  writer,
}: Watched): Promise<Reading> => ({
  flushedBefore: await positionIn(session, flushed),
  ours: await positionOf(daemon),
  flushedAfter: await positionIn(session, flushed),
  insertedAfter: await positionIn(writer, inserted),
})

const pageSize = 8192n

/** Never behind what was flushed, and less than a page ahead of what is being written. */
export const isRight = ({ ours, flushedBefore, insertedAfter }: Reading): boolean =>
  ours !== null && ours >= flushedBefore && ours < insertedAfter + pageSize

/** Writes so many rows in each transaction until it is told to stop. */
export const startWriting = async (
  cluster: Cluster,
  rows: number,
): Promise<() => Promise<void>> => {
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

export const closedBy = (t: Test): Opened => ({ later: close => t.teardown(close) })

const openSession = async ({ later }: Opened, cluster: Cluster): Promise<Session> => {
  const session = await cluster.session()
  later(session.close)
  return session
}

const openDaemon = async ({ later }: Opened, { dataDirectory }: Cluster): Promise<HttpDaemon> => {
  const opened = await openHttpDaemon(dataDirectory)
  later(opened.daemon.stop)
  return opened
}

export const watchPrimary = async (opened: Opened, primary: Cluster): Promise<Watched> => {
  const session = await openSession(opened, primary)
  const daemon = await openDaemon(opened, primary)
  await daemon.daemon.until('primary')
  return { daemon, session, flushed: 'pg_current_wal_flush_lsn()', writer: session }
}

export const watchStandby = async (
  opened: Opened,
  standby: Cluster,
  primary: Cluster,
): Promise<Watched> => {
  const session = await openSession(opened, standby)
  const daemon = await openDaemon(opened, standby)
  await daemon.daemon.until('standby')
  const writer = await openSession(opened, primary)
  const isReceiving = async (): Promise<boolean> => {
    // The title of a WAL receiver tells nothing before something has come.
    await writer.query('select txid_current()')
    const [row] = await session.query(`select ${received} as at`)
    return row?.['at'] !== null && (await statusOf(daemon))['wal_position'] !== null
  }
  await until(isReceiving, { what: 'the standby to receive', everyMs: 50 })
  return { daemon, session, flushed: received, writer }
}
