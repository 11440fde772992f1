/**
 * The old primary that comes back, beside real servers: who was replaced is not answered for, and
 * who was not goes on.
 */
import { rmSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Cluster } from '../harness/cluster.ts'
import { copyCluster } from '../harness/cluster-files.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { peerArgs } from '../harness/http-daemon.ts'
import { startPair, startPrimary } from '../harness/pair.ts'

// The first run fetches the servers.
t.setTimeout(600_000)
// Each waits for its own servers most of the time.
t.jobs = 2

/** A host of a cluster: its daemon answers HTTP on a port that its peers know. */
type Host = { readonly cluster: Cluster; readonly http: number }

const hostOf = async (cluster: Cluster): Promise<Host> => ({ cluster, http: await freePort() })

const startDaemonOn = async (
  t: Test,
  { cluster: { dataDirectory }, http }: Host,
  peers: readonly Host[],
): Promise<Daemon> => {
  const args = peerArgs(
    http,
    peers.map(peer => peer.http),
  )
  const daemon = await startDaemon({ dataDirectory, args })
  t.teardown(daemon.stop)
  return daemon
}

/** Asks until this has been logged, and a little longer; all that was answered. */
const answersUntil = async (daemon: Daemon, pattern: RegExp): Promise<ReadonlySet<string>> => {
  const answers = new Set<string>()
  let over = false
  const asking = (async () => {
    while (!over) answers.add(await daemon.ask())
  })()
  try {
    await daemon.said(pattern)
    for (let more = 0; more < 20; more += 1) answers.add(await daemon.ask())
  } finally {
    over = true
    await asking
  }
  return answers
}

const superseded =
  /because="another server was promoted: 127.0.0.1:\d+ is on timeline 2, which began at [^ ]+ of timeline 1 of this server/

const isHarmless = (answers: ReadonlySet<string>): boolean =>
  Array.from(answers).every(answer => answer === 'refused' || answer === 'reset')

for (const major of [10, 14, 18]) {
  t.test(`PostgreSQL ${major}: the old primary comes back`, async t => {
    const { primary, standby } = await startPair(t, major)
    const s1 = await hostOf(primary)
    const s2 = await hostOf(standby)
    const second = await startDaemonOn(t, s2, [s1])
    const first = await startDaemonOn(t, s1, [s2])
    await first.answers('MASTER')
    await second.answers('STANDBY')

    t.comment('s1 dies with its daemon, and s2 is promoted')
    first.kill('SIGKILL')
    await primary.stop('immediate')
    await standby.promote('pg_ctl')
    await second.answers('MASTER')

    t.comment('the server of s1 comes back after its daemon')
    const again = await startDaemonOn(t, s1, [s2])
    await primary.launch()
    t.ok(isHarmless(await answersUntil(again, superseded)))
    await second.answers('MASTER')
    await again.stop()

    t.comment('its daemon comes back after the server, and the new primary falls silent')
    const late = await startDaemonOn(t, s1, [s2])
    t.ok(isHarmless(await answersUntil(late, superseded)))
    await second.stop()
    t.ok(isHarmless(await answersUntil(late, /peer check failed/)))
    await late.stop()

    t.comment('nobody knows better, and so it is without peers')
    const alone = await startDaemonOn(t, s1, [s2])
    await alone.answers('MASTER')
    await alone.stop()
    await startDaemonOn(t, s2, [])
    const without = await startDaemonOn(t, s1, [])
    await without.answers('MASTER')
  })
}

/** Replaces its data directory by a copy of the other one, which is stopped for that. */
const cloneAgain = async (of: Cluster, from: Cluster): Promise<void> => {
  await from.stop()
  rmSync(of.dataDirectory, { recursive: true })
  await copyCluster(from, of)
  of.requestStandby(from)
  await from.start()
  await of.start()
}

t.test('a primary that is cloned again follows, and can take over in its turn', async t => {
  const { primary, standby } = await startPair(t, 15)
  const s1 = await hostOf(primary)
  const s2 = await hostOf(standby)
  const first = await startDaemonOn(t, s1, [s2])
  const second = await startDaemonOn(t, s2, [s1])
  await first.answers('MASTER')
  await primary.stop('immediate')
  await standby.promote('sql')
  await second.answers('MASTER')
  await primary.start()
  await first.said(superseded)
  await primary.stop()

  await cloneAgain(primary, standby)
  await first.answers('STANDBY')
  await second.answers('MASTER')

  await standby.stop('immediate')
  await primary.promote('sql')
  await first.answers('MASTER')
  await standby.launch()
  await second.said(/is on timeline 3, which began at [^ ]+ of timeline 2 of this server/)
  t.ok(isHarmless(new Set([await second.ask()])))
  t.equal(await first.ask(), 'MASTER')
})

t.test('two standbys that are promoted at once', async t => {
  const { primary, standby } = await startPair(t, 18)
  const third = await primary.standby()
  t.teardown(third.destroy)
  await third.start()
  const s2 = await hostOf(standby)
  const s3 = await hostOf(third)
  const one = await startDaemonOn(t, s2, [s3])
  const other = await startDaemonOn(t, s3, [s2])
  await one.answers('STANDBY')
  await other.answers('STANDBY')
  await primary.stop()
  await Promise.all([standby.promote('sql'), third.promote('sql')])
  for (const daemon of [one, other]) {
    await daemon.answers('MASTER')
    await daemon.said(/hazard="another primary"/)
    t.equal(await daemon.ask(), 'MASTER')
  }
})

t.test('another cluster, and a peer that is this daemon, mean nothing', async t => {
  const primary = await startPrimary(t, { major: 18 })
  const other = await startPrimary(t, { major: 18 })
  other.requestStandby(null)
  await other.restart()
  await other.promote('sql')
  const s1 = await hostOf(primary)
  const s2 = await hostOf(other)
  const stranger = await startDaemonOn(t, s2, [])
  await stranger.answers('MASTER')
  const daemon = await startDaemonOn(t, s1, [s1, s2])
  await daemon.said(/peer ignored/)
  await daemon.said(/peer peer=127.0.0.1:\d+ role=primary timeline=2/)
  await daemon.answers('MASTER')
})
