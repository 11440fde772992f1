/**
 * What ends the sessions of writers on a primary that was replaced and still runs: real servers
 * whose daemons know of each other, and haproxy with and without the directives of the example.
 */
import t, { type Test } from 'tap'
import type { Cluster } from '../harness/cluster.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { examplePorts, haproxyFor, leadsTo, replacePorts } from '../harness/haproxy.ts'
import type { Haproxy } from '../harness/haproxy.ts'
import { peerArgs } from '../harness/http-daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { startPair } from '../harness/pair.ts'
import { replaceEach } from '../harness/recipes.ts'
import { readExample } from '../harness/repository.ts'
import { createRowTable, missingRows } from '../harness/row-writer.ts'
import { cutOff, openSession, type Session } from '../harness/session.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const haproxyProgram = needProgram('haproxy')
const shown = readExample('haproxy.cfg')
const withoutCut = replaceEach(shown, { ' on-marked-down shutdown-sessions': '' })
const hardStop = '    hard-stop-after 1m\n'
const withoutHardStop = replaceEach(shown, { [hardStop]: '' })
const soonStopped = replaceEach(shown, { [hardStop]: '    hard-stop-after 2s\n' })

type Scene = {
  readonly s1: Cluster
  readonly s2: Cluster
  /** The daemon of s1. */
  readonly daemon: Daemon
  readonly start: (
    config: string,
    reload?: { readonly of: Haproxy; readonly write: number },
  ) => Promise<{ readonly haproxy: Haproxy; readonly write: number }>
}

const setUp = async (t: Test): Promise<Scene> => {
  const { primary: s1, standby: s2 } = await startPair(t, 18)
  const [first, second] = [await freePort(), await freePort()]
  const watch = async ({ dataDirectory }: Cluster, http: number, peer: number) => {
    const daemon = await startDaemon({ dataDirectory, args: peerArgs(http, [peer]) })
    t.teardown(daemon.stop)
    return daemon
  }
  const [daemon, other] = [await watch(s1, first, second), await watch(s2, second, first)]
  await daemon.until('primary')
  await other.until('standby')
  const { servers, probes } = examplePorts
  const ports = [
    [servers[0], s1.port],
    [servers[1], s2.port],
    [servers[2], await freePort()],
    [probes[0], daemon.port],
    [probes[1], other.port],
    [probes[2], await freePort()],
  ] as const
  const start: Scene['start'] = async (text, reload) => {
    const write = reload?.write ?? (await freePort())
    const own = [
      [examplePorts.write, write] as const,
      [examplePorts.read, await freePort()] as const,
    ]
    const haproxy = await haproxyFor(t, {
      program: haproxyProgram.get(),
      config: replacePorts(text, new Map([...ports, ...own])),
      ...(reload === undefined ? {} : { replacing: reload.of }),
    })
    await haproxy.sees('the primary', leadsTo('read-write', 's1'))
    return { haproxy, write }
  }
  return { s1, s2, daemon, start }
}

const openFor = async (t: Test, port: number): Promise<Session> => {
  const session = await openSession(port)
  t.teardown(session.close)
  return session
}

const insert = (session: Session, number: number) =>
  session.query(`insert into numbered_rows values (${number})`)

const isOn = async (server: Session, number: number): Promise<boolean> =>
  (await missingRows(server, new Set([number]))).size === 0

/** Of the statements that are held up by the lock. */
const heldUp = async (server: Session): Promise<number> =>
  (await server.query('select from pg_locks where not granted')).length

t.test('a reload ends sessions after hard-stop-after', haproxyProgram.options, async t => {
  const { start } = await setUp(t)
  const old = await start(soonStopped)
  const writer = await openFor(t, old.write)
  await start(soonStopped, { of: old.haproxy, write: old.write })
  await cutOff(writer)
  await old.haproxy.ended()
})

const story =
  'sessions on a primary that was replaced: which end, and which write rows that are lost'
t.test(story, haproxyProgram.options, async t => {
  const { s1, s2, daemon, start } = await setUp(t)
  const onS1 = await openFor(t, s1.port)
  await createRowTable(onS1)

  const kept = await start(shown)
  const uncut = await start(withoutCut)
  const old = await start(withoutHardStop)
  const [writer, stray, forgotten] = [
    await openFor(t, kept.write),
    await openFor(t, uncut.write),
    await openFor(t, old.write),
  ]
  const reloaded = await start(withoutHardStop, { of: old.haproxy, write: old.write })

  // Two statements that are under way while their sessions are cut.
  const [busy, checking] = [await openFor(t, kept.write), await openFor(t, kept.write)]
  await checking.query("set client_connection_check_interval = '100ms'")
  await onS1.query('select pg_advisory_lock(1)')
  const waiting = [busy, checking].map((session, at) =>
    session.query(`insert into numbered_rows select ${at + 1} from pg_advisory_lock(1)`),
  )
  const ends = Promise.allSettled(waiting)
  await until(async () => (await heldUp(onS1)) === 2, { what: 'two statements to wait' })

  await s2.promote('sql')
  await daemon.until('unavailable')
  const onS2 = await openFor(t, s2.port)

  await t.test('with shutdown-sessions they are cut', async t => {
    await cutOff(writer)
    t.strictSame(
      (await ends).map(({ status }) => status),
      ['rejected', 'rejected'],
    )
  })

  await t.test(
    'a running statement is committed, unless the server checks the connection',
    async t => {
      await until(async () => (await heldUp(onS1)) === 1, { what: 'the server to end a statement' })
      await onS1.query('select pg_advisory_unlock(1)')
      await until(async () => isOn(onS1, 1), { what: 'the other one to be committed' })
      t.equal(await isOn(onS1, 2), false)
      t.equal(await isOn(onS2, 1), false)
    },
  )

  await t.test('without it they continue, and what they write is lost', async t => {
    await uncut.haproxy.sees('the new primary', leadsTo('read-write', 's2'))
    await insert(stray, 3)
    t.equal(await isOn(onS1, 3), true)
    t.equal(await isOn(onS2, 3), false)
  })

  await t.test('so they do after a reload, without hard-stop-after', async t => {
    await reloaded.haproxy.sees('the new primary', leadsTo('read-write', 's2'))
    await insert(forgotten, 4)
    t.equal(await isOn(onS1, 4), true)
    t.equal(await isOn(onS2, 4), false)
  })
})
