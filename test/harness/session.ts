/**
 * A database session for tests: what the server itself says. The program under test never
 * opens one.
 */
import { Socket } from 'node:net'
import { Client } from 'pg'
import { until, within } from './until.ts'

export type Row = Readonly<Record<string, unknown>>

export type Session = {
  readonly query: (text: string) => Promise<readonly Row[]>
  readonly isInRecovery: () => Promise<boolean>
  /** Works on a dead or stopped server too. */
  readonly close: () => Promise<void>
}

export const openSession = async (port: number): Promise<Session> => {
  const socket = new Socket()
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    database: 'postgres',
    ssl: false,
    connectionTimeoutMillis: 5000,
    query_timeout: 30_000,
    stream: () => socket,
  })
  // Servers are killed under their sessions here: the next query rejects, and that is enough.
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (failure) {
    socket.destroy()
    throw failure
  }
  const query = async (text: string): Promise<readonly Row[]> =>
    (await client.query<Row>(text)).rows
  const isInRecovery = async (): Promise<boolean> => {
    const [row] = await query('select pg_is_in_recovery() as answer')
    if (typeof row?.['answer'] !== 'boolean') throw new Error('no answer to pg_is_in_recovery()')
    return row['answer']
  }
  const close = async (): Promise<void> => {
    // A server that has been stopped by a signal never acknowledges the goodbye.
    await within(client.end(), { what: 'the session to end', limitMs: 1000 }).catch(() => undefined)
    socket.destroy()
  }
  return { query, isInRecovery, close }
}

/** Can somebody log in at this moment? Whatever stands in the way, the answer is no. */
export const acceptsLogins = async (port: number): Promise<boolean> => {
  try {
    const session = await openSession(port)
    await session.close()
    return true
  } catch {
    return false
  }
}

/** Resolves when the session is cut off, asking it all the while. */
export const cutOff = async (session: Session): Promise<void> => {
  const ask = async (): Promise<boolean> =>
    session.query('select').then(
      () => false,
      () => true,
    )
  await until(ask, { what: 'the session to be cut off' })
}
