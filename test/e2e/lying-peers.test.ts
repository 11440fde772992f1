/**
 * Peers that lie to the whole daemon: a primary stays one, its clients wait no longer, and what was
 * sent takes no memory. (test/truth plays the same while a server is promoted.)
 */
import t, { type Test } from 'tap'
import type { Lsn } from '../../src/facts/units.ts'
import { residentMibOf } from '../bench/accounting.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { startLyingPeer, startLyingPeers, subjectOf, successor } from '../harness/lying-peers.ts'
import type { LyingPeer } from '../harness/lying-peers.ts'
import { startPrimary } from '../harness/pair.ts'

// The first run fetches the servers.
t.setTimeout(600_000)

/** A primary that has been promoted once, so that there is a history to lie about. */
const startPromoted = async (t: Test) => {
  const cluster = await startPrimary(t, { major: 18 })
  await cluster.stop()
  cluster.requestStandby(null)
  await cluster.start()
  await cluster.promote('pg_ctl')
  return { dataDirectory: cluster.dataDirectory, subject: await subjectOf(cluster) }
}

const peersOf = (peers: readonly LyingPeer[]): readonly string[] =>
  peers.flatMap(({ port }) => ['--peer', `127.0.0.1:${port}`])

const startBeside = async (
  t: Test,
  dataDirectory: string,
  peers: readonly LyingPeer[],
): Promise<Daemon> => {
  const daemon = await startDaemon({ dataDirectory, args: peersOf(peers) })
  t.teardown(daemon.stop)
  await daemon.answers('MASTER')
  return daemon
}

/** Each peer is asked once more in this time, with the default limits. */
const askedAgainMs = 2500

/** How long each took in turn, in milliseconds; ordered. */
const askInTurn = async (
  t: Test,
  daemons: readonly Daemon[],
): Promise<readonly (readonly number[])[]> => {
  const taken = daemons.map((): number[] => [])
  const answers = new Set<string>()
  const end = performance.now() + askedAgainMs
  while (performance.now() < end) {
    for (const [index, daemon] of daemons.entries()) {
      const askedAt = performance.now()
      answers.add(await daemon.ask())
      taken[index]?.push(performance.now() - askedAt)
    }
  }
  t.strictSame(answers, new Set(['MASTER']))
  return taken.map(times => times.toSorted((one, other) => one - other))
}

const below = (ordered: readonly number[], share: number): number =>
  ordered[Math.floor(ordered.length * share)] ?? Infinity

t.test('answers that are rejected', async t => {
  const { dataDirectory, subject } = await startPromoted(t)
  const liars = await startLyingPeers(subject)
  for (const { close } of liars) t.teardown(close)
  const alone = await startBeside(t, dataDirectory, [])
  const liedTo = await startBeside(t, dataDirectory, liars)
  const [without = [], beside = []] = await askInTurn(t, [alone, liedTo])

  const [median, usualMedian] = [below(beside, 0.5), below(without, 0.5)]
  t.ok(median < 2 * usualMedian, `half within ${median} and ${usualMedian} ms`)
  // The liars run in this process, and hold up whoever asks here; and the slowest few of a hundred
  // tell what else the machine does.
  const [most, usualMost] = [below(beside, 0.9), below(without, 0.9)]
  t.ok(most < usualMost + 50, `90 % within ${most} and ${usualMost} ms`)
  const [more, usual] = [residentMibOf(liedTo.pid), residentMibOf(alone.pid)]
  t.ok(more < usual + 100, `${more} and ${usual} MiB`)
  const log = liedTo.log()
  t.strictSame(
    liars.filter(({ port }) => !log.some(line => line.includes(` peer=127.0.0.1:${port} `))),
    [],
    'each was heard',
  )
  t.ok(log.some(line => line.includes('hazard="another primary"')))
  t.notOk(log.some(line => line.includes('another server was promoted')))
})

t.test(
  'an accepted answer: a promotion at a position that this server has not reached',
  async t => {
    const { dataDirectory, subject } = await startPromoted(t)
    const liar = await startLyingPeer(successor(subject, 0xffff_0000_0000n as Lsn))
    t.teardown(liar.close)
    const daemon = await startDaemon({ dataDirectory, args: peersOf([liar]) })
    t.teardown(daemon.stop)
    await daemon.said(/is on timeline 3, which began at FFFF\/0 of timeline 2 of this server"/)
    await daemon.answers('refused')
  },
)
