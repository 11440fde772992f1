/**
 * The whole story of an old primary that comes back, behind haproxy with the file that the README
 * shows: with peers every row that a client was told to be committed is on the new primary, and
 * without them rows are lost.
 */
import t, { type Test } from 'tap'
import type { Cluster } from '../harness/cluster.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { haproxyFor, leadsTo, replacePorts, type Haproxy } from '../harness/haproxy.ts'
import { peerArgs } from '../harness/http-daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { startPair } from '../harness/pair.ts'
import { readExample } from '../harness/repository.ts'
import { createRowTable, missingRows, startRowWriter } from '../harness/row-writer.ts'
import type { RowWriter } from '../harness/row-writer.ts'
import { until } from '../harness/until.ts'

// The first run fetches the servers.
t.setTimeout(600_000)
// Each waits for its own servers most of the time.
t.jobs = 2

const haproxyProgram = needProgram('haproxy')

/** Some 50 rows a second. */
const everyMs = 15

type Host = { readonly cluster: Cluster; readonly port: number; readonly http: number }

type Story = {
  readonly s1: Host
  readonly s2: Host
  readonly haproxy: Haproxy
  readonly writer: RowWriter
  /** The daemon of s1 before it died. */
  readonly first: Daemon
  /** On the same ports each time. */
  readonly startDaemonOn: (host: Host, ...peers: readonly Host[]) => Promise<Daemon>
}

const hostOf = async (cluster: Cluster): Promise<Host> => ({
  cluster,
  port: await freePort(),
  http: await freePort(),
})

/** The acknowledged rows that a server does not have. */
const missingOn = async (
  { cluster }: Host,
  numbers: ReadonlySet<number>,
): Promise<ReadonlySet<number>> => {
  const session = await cluster.session()
  try {
    return await missingRows(session, numbers)
  } finally {
    await session.close()
  }
}

/** Behind the ports of the example; s3 is not there. */
const startHaproxyFor = async (
  t: Test,
  { s1, s2, write }: { readonly s1: Host; readonly s2: Host; readonly write: number },
): Promise<Haproxy> => {
  const ports = new Map([
    [5500, s1.cluster.port],
    [5400, s1.port],
    [5501, s2.cluster.port],
    [5401, s2.port],
    [5502, await freePort()],
    [5402, await freePort()],
    [5999, write],
    [5998, await freePort()],
  ])
  const config = replacePorts(readExample('haproxy.cfg'), ports)
  return haproxyFor(t, { program: haproxyProgram.get(), config })
}

/** Both hosts with their daemons, haproxy, and a writer whose rows reach s1. */
const begin = async (t: Test, major: number): Promise<Story> => {
  const { primary, standby } = await startPair(t, major)
  const [s1, s2] = [await hostOf(primary), await hostOf(standby)]
  const startDaemonOn = async (host: Host, ...peers: readonly Host[]): Promise<Daemon> => {
    const args = peerArgs(
      host.http,
      peers.map(({ http }) => http),
    )
    const { dataDirectory } = host.cluster
    const daemon = await startDaemon({ dataDirectory, port: host.port, args })
    t.teardown(daemon.stop)
    return daemon
  }
  const first = await startDaemonOn(s1, s2)
  const second = await startDaemonOn(s2, s1)
  await first.until('primary')
  await second.until('standby')
  const session = await primary.session()
  await createRowTable(session)
  await session.close()
  const write = await freePort()
  const haproxy = await startHaproxyFor(t, { s1, s2, write })
  await haproxy.sees('the primary', leadsTo('read-write', 's1'))
  const writer = startRowWriter(write, everyMs)
  t.teardown(writer.stop)
  await writer.more(50)
  return { s1, s2, first, haproxy, writer, startDaemonOn }
}

/** s1 dies with its daemon, s2 is promoted, and the writer writes there. */
const failOver = async ({ s1, s2, first, haproxy, writer }: Story): Promise<void> => {
  // Replication is asynchronous: a row that the standby had not received would be lost with the
  // primary, whatever haproxy is told. So that no such row is counted, none is written meanwhile.
  await writer.pause()
  const received = async (): Promise<boolean> =>
    (await missingOn(s2, writer.acknowledged())).size === 0
  await until(received, { what: 'the standby to have each row' })
  await die(s1, first)
  writer.resume()
  await s2.cluster.promote('pg_ctl')
  await haproxy.sees('the new primary', leadsTo('read-write', 's2'))
  await writer.more(50)
}

const die = async ({ cluster }: Host, daemon: Daemon): Promise<void> => {
  daemon.kill('SIGKILL')
  await cluster.stop('immediate')
  await daemon.ended()
}

for (const major of [12, 18]) {
  t.test(`PostgreSQL ${major}: the old primary comes back`, haproxyProgram.options, async t => {
    const story = await begin(t, major)
    const { s1, s2, haproxy, writer, startDaemonOn } = story
    await failOver(story)

    /** Rows enough for haproxy to have checked s1 a few times. */
    const writeOn = async (daemon: Daemon): Promise<void> => {
      await daemon.said(/another server was promoted/)
      await writer.more(150)
      t.ok(leadsTo('read-write', 's2')(await haproxy.servers()))
    }

    t.comment('the server before its daemon')
    await s1.cluster.start()
    const late = await startDaemonOn(s1, s2)
    await writeOn(late)
    await die(s1, late)

    t.comment('the daemon before its server')
    const early = await startDaemonOn(s1, s2)
    await s1.cluster.start()
    await writeOn(early)
    await die(s1, early)

    await writer.pause()
    const withPeers = new Set(writer.acknowledged())
    t.strictSame(await missingOn(s2, withPeers), new Set(), 'no row is lost with peers')
    writer.resume()

    t.comment('the same without peers')
    await s1.cluster.start()
    await startDaemonOn(s1)
    await haproxy.sees('two primaries', leadsTo('read-write', 's1', 's2'))
    await writer.more(50)
    await writer.stop()
    const lost = await missingOn(s2, writer.acknowledged())
    t.not(lost.size, 0, 'rows are lost without peers')
    t.strictSame(await missingOn(s1, lost), new Set(), 'the old primary has got them')
  })
}
