import t, { type Test } from 'tap'
import { openSurfaces, type SurfaceOptions } from '../../../src/cli/daemon/surfaces.ts'
import type { Event } from '../../../src/facts/report/event.ts'
import type { Snapshot } from '../../../src/facts/decide/snapshot.ts'
import type { Verdict } from '../../../src/facts/decide/verdict.ts'
import { systemListen } from '../../../src/serve/listening.ts'
import { wireWords } from '../../../src/serve/role/reply.ts'
import { fixedShare } from '../../harness/fixed-share.ts'
import { primaryEvidence, snapshotOf, standbyEvidence } from '../../harness/evidence.ts'
import { createManualClock } from '../../harness/manual-clock.ts'
import { listenOnPassed } from '../../harness/passed-socket.ts'
import { serveDefaults } from '../../harness/serve-options.ts'
import { hear } from '../../harness/tcp-client.ts'

const primary = snapshotOf(primaryEvidence())
const standby = snapshotOf(standbyEvidence())
const down = snapshotOf(primaryEvidence({ lockFile: { kind: 'absent' } }))

const anywhere = { address: '127.0.0.1', port: 0 }

const setUp = async (t: Test, changes: Partial<SurfaceOptions> = {}) => {
  const events: Event[] = []
  let now: Snapshot = primary
  let waits = false
  let lag: number | null = null
  let hasNone = false
  let readings = 0
  let meanwhile = (): void => undefined
  const { clock } = createManualClock()
  const options = { ...serveDefaults, sockets: [], ...changes }
  const { all: surfaces } = openSurfaces(
    options,
    {
      clock,
      report: event => {
        events.push(event)
      },
      share: fixedShare,
      ownNames: ['db1'],
      identity: { instance: 'own', name: 'db1' },
      credentials: null,
      listen: options.sockets.length > 0 ? listenOnPassed : systemListen,
    },
    {
      verdict: (): Verdict | Promise<Verdict> =>
        waits ? Promise.resolve(now.verdict) : now.verdict,
      lastSnapshot: () => now,
      currentSnapshot: async () => {
        readings += 1
        meanwhile()
        return hasNone ? null : now
      },
      history: () => [],
      peers: () => [],
      lag: () => lag,
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
    /** Undefined before the first check. */
    isBehind: (bytes: number | null | undefined): void => {
      hasNone = bytes === undefined
      lag = bytes ?? null
    },
    readings: (): number => readings,
    whileRead: (happens: () => void): void => {
      meanwhile = happens
    },
  }
}

const say = async (port: number | undefined): Promise<string> => {
  const { bytes, end } = await hear({ port: port ?? -1 })
  return end === 'end' ? bytes.toString('latin1') : end
}

t.test('the role is answered on each address, and the port closed without one', async t => {
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

t.test('HTTP counts what the port answers, and the agent answers beside it', async t => {
  const { ports, find } = await setUp(t, { http: [anywhere], agent: [anywhere] })
  const [[role] = [], [http] = [], [agent] = []] = ports
  await say(role)
  const metrics = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text()
  t.match(metrics, /^pg_replstatus_answers_total\{answer="primary"\} 1$/m)
  t.equal(await say(agent), 'up\n')
  find(standby)
  t.match(await say(agent), /^down #/)
  find(down)
  t.match(await say(agent), /^down #/, 'it stays open')
})

t.test('an agent with a limit reads how far a standby is behind', async t => {
  const { ports, find, isBehind, readings } = await setUp(t, {
    agent: [anywhere],
    agentUpFor: 'any',
    agentLag: 1024,
  })
  const [[role] = [], , [agent] = []] = ports
  t.equal(await say(agent), 'up\n')
  find(standby)
  t.equal(await say(role), wireWords.standby)
  find(down)
  t.match(await say(agent), /^down #.*no server is running\n$/)
  t.equal(readings(), 0, 'not for a primary, nor for one that is down, nor for the role')
  find(standby)
  t.equal(await say(agent), 'down #standby with an unknown lag\n')
  isBehind(1025)
  t.equal(await say(agent), 'down #standby with a lag of 1025 bytes, more than 1024\n')
  isBehind(1024)
  t.equal(await say(agent), 'up\n')
  t.equal(readings(), 3)
  isBehind(undefined)
  t.equal(await say(agent), 'down #standby with an unknown lag\n')
})

t.test('without a limit it reads nothing', async t => {
  const { ports, find, readings } = await setUp(t, { agent: [anywhere], agentUpFor: 'standby' })
  find(standby)
  t.equal(await say(ports[2]?.[0]), 'up\n')
  t.equal(readings(), 0)
})

t.test('a standby that is promoted while it is read is a primary', async t => {
  const { ports, find, whileRead } = await setUp(t, {
    agent: [anywhere],
    agentUpFor: 'any',
    agentLag: 1024,
  })
  find(standby)
  whileRead(() => {
    find(primary)
  })
  t.equal(await say(ports[2]?.[0]), 'up\n')
})

t.test('a port for health checks shows nothing else, any other only under our names', async t => {
  const { ports } = await setUp(t, {
    http: [anywhere],
    httpHealth: [anywhere],
    httpHosts: ['.example.com'],
  })
  const [, [http = 0, health = 0] = []] = ports
  const ask = async (port: number, host: string): Promise<string> => {
    const talk = `GET /metrics HTTP/1.1\r\nHost: ${host}\r\n\r\n`
    return (await hear({ port }, Buffer.from(talk))).bytes.toString().slice(0, 12)
  }
  t.equal(await ask(http, 'db1.example.com:8008'), 'HTTP/1.1 200')
  t.equal(await ask(http, 'db1.example.org'), 'HTTP/1.1 421')
  t.equal(await ask(health, 'db1.example.com'), 'HTTP/1.1 403')
})

t.test('a socket of systemd cannot be closed, and takes the place of addresses', async t => {
  const passed = await setUp(t, { sockets: [3], bind: ['192.0.2.1'] })
  t.match(passed.events, [{ kind: 'sockets passed', count: 1, closesInstead: true }])
  passed.find(down)
  t.equal(await say(passed.ports[0]?.[0]), '')
  const replying = await setUp(t, { sockets: [3], whenUnavailable: 'reply' })
  t.match(replying.events, [{ kind: 'sockets passed', count: 1, closesInstead: false }])
  replying.find(down)
  t.equal(await say(replying.ports[0]?.[0]), wireWords.unavailable)
})
