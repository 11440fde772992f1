import t, { type Test } from 'tap'
import { openSurfaces, type SurfaceOptions } from '../../src/cli/surfaces.ts'
import type { Event } from '../../src/facts/event.ts'
import type { Snapshot } from '../../src/facts/snapshot.ts'
import type { Verdict } from '../../src/facts/verdict.ts'
import { systemListen } from '../../src/serve/listening.ts'
import { wireWords } from '../../src/serve/reply.ts'
import { primaryEvidence, snapshotOf, standbyEvidence } from '../harness/evidence.ts'
import { createManualClock } from '../harness/manual-clock.ts'
import { listenOnPassed } from '../harness/passed-socket.ts'
import { serveDefaults } from '../harness/serve-options.ts'
import { hear } from '../harness/tcp-client.ts'

const primary = snapshotOf(primaryEvidence())
const down = snapshotOf(primaryEvidence({ lockFile: { kind: 'absent' } }))

const anywhere = { address: '127.0.0.1', port: 0 }

const setUp = async (t: Test, changes: Partial<SurfaceOptions> = {}) => {
  const events: Event[] = []
  let now: Snapshot = primary
  let waits = false
  const { clock } = createManualClock()
  const options = { ...serveDefaults, sockets: [], ...changes }
  const surfaces = openSurfaces(
    options,
    {
      outside: { clock },
      report: event => {
        events.push(event)
      },
      listen: options.sockets.length > 0 ? listenOnPassed : systemListen,
    },
    {
      verdict: (): Verdict | Promise<Verdict> =>
        waits ? Promise.resolve(now.verdict) : now.verdict,
      looked: () => now,
      snapshot: async () => now,
      history: () => [],
    },
  )
  const ports: (readonly number[])[] = []
  for (const surface of surfaces) {
    t.teardown(surface.destroy)
    const opened = await surface.start(now.verdict)
    if (!opened.ok) throw new Error(opened.fault.kind)
    ports.push(opened.fact.map(({ port }) => port))
  }
  return {
    surfaces,
    events,
    ports,
    find: (found: Snapshot): void => {
      now = found
      for (const surface of surfaces) surface.follow(found.verdict)
    },
    wait: (): void => {
      waits = true
    },
  }
}

const say = async (port: number | undefined): Promise<string> => {
  const { bytes, end } = await hear({ port: port ?? -1 })
  return end === 'end' ? bytes.toString('latin1') : end
}

t.test('the role is told on each address, and the port closed without one', async t => {
  const { ports, find, wait } = await setUp(t, { bind: ['127.0.0.1', '127.0.0.2'] })
  const [role = [], http, agent] = ports
  t.equal(role.length, 2)
  t.strictSame([http, agent], [[], []], 'nobody asked for these')
  t.equal(await say(role[0]), wireWords.primary)
  wait()
  t.equal(await say(role[0]), wireWords.primary)
  find(down)
  t.equal(await say(role[0]), 'ECONNREFUSED')
})

t.test('without an address on all of them', async t => {
  const { ports } = await setUp(t, { bind: [], whenUnavailable: 'close' })
  t.equal(ports[0]?.length, 1)
  t.equal(await say(ports[0]?.[0]), wireWords.primary)
})

t.test('HTTP counts what the port answers, and the agent is told beside', async t => {
  const { ports, find } = await setUp(t, { http: [anywhere], agent: [anywhere] })
  const [[role] = [], [http] = [], [agent] = []] = ports
  await say(role)
  const metrics = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text()
  t.match(metrics, /^pg_replstatus_answers_total\{answer="primary"\} 1$/m)
  t.equal(await say(agent), 'up\n')
  find(snapshotOf(standbyEvidence()))
  t.match(await say(agent), /^down #/)
  find(down)
  t.match(await say(agent), /^down #/, 'it stays open')
})

t.test('each names the options that say where', async t => {
  const { surfaces } = await setUp(t)
  t.strictSame(
    surfaces.map(({ givenBy }) => givenBy.port),
    ['port', 'http', 'agent'],
  )
})

t.test('a socket of systemd can not be closed, and takes the place of addresses', async t => {
  const passed = await setUp(t, { sockets: [3], bind: ['192.0.2.1'] })
  t.match(passed.events, [{ kind: 'sockets passed', count: 1, closesInstead: true }])
  passed.find(down)
  t.equal(await say(passed.ports[0]?.[0]), '')
  const replying = await setUp(t, { sockets: [3], whenUnavailable: 'reply' })
  t.match(replying.events, [{ kind: 'sockets passed', count: 1, closesInstead: false }])
  replying.find(down)
  t.equal(await say(replying.ports[0]?.[0]), wireWords.unavailable)
})
