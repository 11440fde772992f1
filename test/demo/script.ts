/**
 * The demo without anybody at the keys: one promotion, and the old primary comes back, with every
 * answer checked before and after.
 */
import assert from 'node:assert'
import { wireWords } from '../../src/serve/role/reply.ts'
import { ask } from '../harness/daemon.ts'
import { openSession } from '../harness/session.ts'
import { until } from '../harness/until.ts'
import type { Tell } from './journal.ts'
import { readPort, writePort } from './places.ts'
import { bringBack } from './old-primary.ts'
import { printSteps, promote, serverBehind } from './promotion.ts'
import type { Server } from './server.ts'
import type { Stage } from './stage.ts'

const { primary: primaryWord, standby: standbyWord } = wireWords

/** Rejects at the first thing that is not as it should be; resolves with what to print. */
export const runScript = async (stage: Stage, tell: Tell): Promise<string> => {
  const [s1, s2, s3] = stage.servers
  assert(s1 !== undefined && s2 !== undefined && s3 !== undefined, 'there are three servers')
  await answers(s1, primaryWord)
  await answers(s2, standbyWord)
  await answers(s3, standbyWord)
  if (stage.haproxy !== null) await leadsTo(writePort, s1)

  const { primary, steps } = await promote(stage, tell)
  const reader = primary === s2 ? s3 : s2
  await answers(s1, 'refused')
  await answers(primary, primaryWord)
  await answers(reader, standbyWord)
  if (stage.haproxy !== null) await leadsTo(readPort, reader)
  await replicates(stage.haproxy === null ? primary.serverPort : writePort, reader)
  const missing = await bringBack(stage, tell)
  await answers(s1, stage.withPeers ? 'refused' : primaryWord)
  if (stage.withPeers) assert.equal(missing, 0, 'no acknowledged row is lost with peers')
  return [
    `\nAfter the promotion of ${primary.name} was requested:\n`,
    printSteps(steps),
    `${reader.name} follows ${primary.name}: a row that was written there has arrived.\n`,
  ].join('')
}

const answers = async ({ name, probePort }: Server, wanted: string): Promise<void> => {
  let heard = ''
  const ready = async (): Promise<boolean> => {
    heard = await ask(probePort)
    return heard === wanted
  }
  try {
    await until(ready, { what: `${wanted} from ${name}`, limitMs: 10_000 })
  } catch (failure) {
    throw new Error(`port ${probePort} of ${name} answers ${heard}, expected ${wanted}`, {
      cause: failure,
    })
  }
}

const leadsTo = async (port: number, server: Server): Promise<void> => {
  const led = async (): Promise<boolean> => (await serverBehind(port)) === server.serverPort
  await until(led, { what: `port ${port} of haproxy to lead to ${server.name}`, limitMs: 10_000 })
}

const replicates = async (port: number, reader: Server): Promise<void> => {
  const [writing, reading] = [await openSession(port), await reader.session()]
  try {
    const [row] = await writing.query(
      'insert into visits (server) select current_setting($$cluster_name$$) returning id',
    )
    const arrived = async (): Promise<boolean> => {
      const rows = await reading.query(`select from visits where id = ${Number(row?.['id'])}`)
      return rows.length === 1
    }
    await until(arrived, { what: `a row to arrive at ${reader.name}`, limitMs: 15_000 })
  } finally {
    await writing.close()
    await reading.close()
  }
}
