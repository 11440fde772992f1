/** All members of a cluster in one answer, beside real servers: as JSON, and as a table. */
import { execFile } from 'node:child_process'
import t, { type Test } from 'tap'
import type { Cluster } from '../harness/cluster.ts'
import { startDaemon, withoutTap, type Daemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { peerArgs } from '../harness/http-daemon.ts'
import { startPair } from '../harness/pair.ts'
import { until } from '../harness/until.ts'

// The first run fetches the servers.
t.setTimeout(600_000)

const startDaemonOn = async (
  t: Test,
  { dataDirectory }: Cluster,
  { http, peer }: { readonly http: number; readonly peer: number },
): Promise<Daemon> => {
  // The same list on each host.
  const args = peerArgs(http, [peer, http])
  const daemon = await startDaemon({ dataDirectory, args })
  t.teardown(daemon.stop)
  return daemon
}

type Member = Readonly<Record<string, unknown>>

const membersAt = async (http: number): Promise<readonly Member[]> => {
  const response = await fetch(`http://127.0.0.1:${http}/cluster`)
  return ((await response.json()) as { readonly members: readonly Member[] }).members
}

const show = (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise(resolve => {
    execFile('env', withoutTap(['cluster', ...args]), (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })

t.test('a primary and its standby, and what becomes of them', async t => {
  const { primary, standby } = await startPair(t, 18)
  const [s1, s2] = [await freePort(), await freePort()]
  const first = await startDaemonOn(t, primary, { http: s1, peer: s2 })
  const second = await startDaemonOn(t, standby, { http: s2, peer: s1 })
  await first.answers('MASTER')
  await second.answers('STANDBY')
  const at = (http: number): string => `127.0.0.1:${http}`
  const untilSeen = async (http: number, isSeen: (members: readonly Member[]) => boolean) => {
    let members: readonly Member[] = []
    const find = async (): Promise<boolean> => {
      members = await membersAt(http)
      return isSeen(members)
    }
    await until(find, { what: 'that view of the cluster' })
    return members
  }

  t.comment('all is well, and each sees the same')
  // A standby that has received nothing does not show that it streams.
  const session = await primary.session()
  await session.query('create table written ()')
  await session.close()
  for (const [http, others] of [
    [s1, s2],
    [s2, s1],
  ] as const) {
    const members = await untilSeen(http, seen =>
      seen.every(
        ({ role, state, lag }) => role === 'leader' || (state === 'streaming' && lag === 0),
      ),
    )
    t.match(
      members.map(({ api_url: url }) => url),
      [`http://${at(http)}/status`, `http://${at(others)}/status`],
    )
    t.match(
      members.find(({ role }) => role === 'leader'),
      { state: 'running', timeline: 1, port: primary.port, answer: 'primary', hazards: [] },
    )
    t.match(
      members.find(({ role }) => role === 'replica'),
      { state: 'streaming', timeline: 1, port: standby.port, answer: 'standby', lag: 0 },
    )
    const { code, out } = await show(at(http))
    t.equal(code, 0)
    t.match(out, /^\S+ +primary +running +1 +- .*$/m)
    t.match(out, /^\S+ +standby +streaming +1 +0 B .*$/m)
    for (const line of out.split('\n')) t.ok(line.length <= 80, line)
  }
  t.match(JSON.parse((await show(at(s1), '--json')).out), { members: [{ role: 'leader' }, {}] })

  t.comment('the primary is gone, with its daemon')
  first.kill('SIGKILL')
  await primary.stop('immediate')
  await second.said(/peer check failed/)
  // A question that was under way ends with another reason.
  const alone = await untilSeen(s2, ([, other]) => other?.['because'] === 'ECONNREFUSED')
  t.match(alone, [{}, { role: 'unknown', state: 'unknown' }])
  const silent = await show(at(s2))
  t.equal(silent.code, 1)
  t.match(silent.out, /\n {4}ECONNREFUSED\n[^]*\nno primary\n$/)
  t.match(await show(at(s1)), { code: 3, out: '', err: /ECONNREFUSED\nhint: .*\n$/ })

  t.comment('the standby is promoted, and the old primary comes back')
  await standby.promote('pg_ctl')
  await second.answers('MASTER')
  const again = await startDaemonOn(t, primary, { http: s1, peer: s2 })
  await primary.launch()
  await again.said(/another server was promoted/)
  t.match(await untilSeen(s2, seen => seen.some(({ rule }) => rule === 'superseded')), [
    { role: 'leader', timeline: 2 },
    { role: 'unavailable', state: 'running', timeline: 1, lag: 'unknown' },
  ])
  const told = await show(at(s2))
  t.equal(told.code, 1)
  t.match(told.out, /\n {4}superseded: another server was promoted: [^]*\n\nsuperseded: \S+\n$/)
})
