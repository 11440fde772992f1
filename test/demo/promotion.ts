/**
 * One promotion: the primary is stopped, the standby that has received most takes over, the others
 * follow it. Measured from outside, as a client would notice it.
 */
import assert from 'node:assert'
import { wireWords } from '../../src/serve/role/reply.ts'
import { ask } from '../harness/daemon.ts'
import { openSession } from '../harness/session.ts'
import { until } from '../harness/until.ts'
import type { Tell } from './journal.ts'
import { writePort } from './places.ts'
import type { Server } from './server.ts'
import type { Stage } from './stage.ts'

/** Since the promotion was asked for. */
export type Step = { readonly atMs: number; readonly what: string }

export type Promotion = { readonly primary: Server; readonly steps: readonly Step[] }

export const promote = async ({ servers, haproxy }: Stage, tell: Tell): Promise<Promotion> => {
  const { standbys, others } = await sortByRole(servers)
  if (standbys.length === 0) throw new Error('there is no standby to promote')
  for (const server of others) {
    tell({ who: 'demo', what: `stopping ${server.name}` })
    await server.stop()
  }
  const next = await mostAdvanced(standbys)
  tell({ who: 'demo', what: `promoting ${next.name}` })
  const steps = await measure(next, haproxy !== null)
  for (const server of standbys) if (server !== next) server.follow(next)
  return { primary: next, steps }
}

export const printSteps = (steps: readonly Step[]): string =>
  steps.map(({ atMs, what }) => `${atMs.toFixed(0).padStart(8)} ms  ${what}\n`).join('')

/** `others`: primaries, and those that do not even answer. */
const sortByRole = async (
  servers: readonly Server[],
): Promise<{ readonly standbys: readonly Server[]; readonly others: readonly Server[] }> => {
  const standbys: Server[] = []
  const others: Server[] = []
  for (const server of servers.filter(({ running }) => running())) {
    const isPrimary = await server.isPrimary().catch(() => true)
    ;(isPrimary ? others : standbys).push(server)
  }
  return { standbys, others }
}

const mostAdvanced = async (standbys: readonly Server[]): Promise<Server> => {
  const received = await Promise.all(
    standbys.map(async server => ({ server, bytes: await receivedBytes(server) })),
  )
  const [first] = received.toSorted((one, other) => Number(other.bytes - one.bytes))
  assert(first !== undefined, 'there is a standby')
  return first.server
}

/** What it has received and what it has replayed: after a restart the former starts anew. */
const receivedBytes = async (server: Server): Promise<bigint> => {
  const session = await server.session()
  try {
    const [row] = await session.query(
      `select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0' as bytes`,
    )
    return BigInt(row?.['bytes'] as string)
  } finally {
    await session.close()
  }
}

const measure = async (next: Server, withHaproxy: boolean): Promise<readonly Step[]> => {
  const session = await next.session()
  try {
    const askedAt = performance.now()
    await session.query('select pg_promote(wait => false)')
    const step = async (what: string, reached: () => Promise<boolean>): Promise<Step> => {
      await until(reached, { what, everyMs: 1 })
      return { atMs: performance.now() - askedAt, what }
    }
    const saysPrimary = async (): Promise<boolean> =>
      (await ask(next.probePort)) === wireWords.primary
    const steps = [
      step('pg_is_in_recovery() is false', async () => !(await session.isInRecovery())),
      step(`port ${next.probePort} answers ${wireWords.primary}`, async () => {
        if (!(await saysPrimary())) return false
        if (await session.isInRecovery()) {
          throw new Error(`${next.name} answers ${wireWords.primary} while it is in recovery`)
        }
        return true
      }),
    ]
    if (withHaproxy) {
      const what = `port ${writePort} of haproxy leads to ${next.name}`
      steps.push(step(what, async () => (await serverBehind(writePort)) === next.serverPort))
    }
    return await Promise.all(steps)
  } finally {
    await session.close()
  }
}

/** The port of the server that a client of haproxy comes to; null when it comes to none. */
export const serverBehind = async (port: number): Promise<number | null> => {
  try {
    const session = await openSession(port)
    try {
      const [row] = await session.query('select inet_server_port() as port')
      return Number(row?.['port'])
    } finally {
      await session.close()
    }
  } catch {
    return null
  }
}
