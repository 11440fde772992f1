import { connect } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { ServeOptions } from '../../src/cli/options.ts'
import type { Outside } from '../../src/cli/outside.ts'
import { patienceMs } from '../../src/cli/patience.ts'
import { startServing } from '../../src/cli/serving.ts'
import type { Event } from '../../src/facts/event.ts'
import type { Evidence } from '../../src/facts/evidence.ts'
import { fact, fault } from '../../src/facts/outcome.ts'
import type { Listen } from '../../src/serve/listening.ts'
import { wireWords } from '../../src/serve/reply.ts'
import { primaryEvidence, standbyEvidence } from '../harness/evidence.ts'
import { fakeOutside } from '../harness/fake-outside.ts'
import { settle } from '../harness/manual-clock.ts'
import { listenOnPassed } from '../harness/passed-socket.ts'
import { serveDefaults } from '../harness/serve-options.ts'
import { hear, hearOn, listenAsStranger } from '../harness/tcp-client.ts'
import { until } from '../harness/until.ts'

const down = primaryEvidence({ lockFile: { kind: 'absent' } })

const start = async (
  t: Test,
  first: Evidence,
  changes: Partial<ServeOptions> = {},
  given: Partial<Outside> & { readonly listen?: Listen } = {},
) => {
  const fake = fakeOutside(first)
  const events: Event[] = []
  const options = { ...serveDefaults, ...changes }
  const { listen, ...outside } = given
  const outcome = await startServing(options, {
    outside: { ...fake.outside, ...outside },
    ...(listen === undefined ? {} : { listen }),
    report: event => {
      events.push(event)
    },
  })
  t.teardown(() => outcome.ok && outcome.fact.stop())
  await settle()
  const ports = events.flatMap(event => (event.kind === 'listening' ? [event.port] : []))
  const say = async (port = ports[0] ?? -1): Promise<string> => {
    const { bytes, end } = await hear({ port })
    return end === 'end' ? bytes.toString('latin1') : end
  }
  return { ...fake, outcome, events, ports, say }
}

t.test('every connect is told the role of now', async t => {
  const { say, find, clock } = await start(t, standbyEvidence())
  t.equal(await say(), wireWords.standby)
  find(primaryEvidence())
  clock.advance(500)
  await settle()
  t.equal(await say(), wireWords.primary)
})

t.test('the answer can end with a line feed', async t => {
  const { say } = await start(t, primaryEvidence(), { newline: true })
  t.equal(await say(), `${wireWords.primary}\n`)
})

t.test('the port is closed without a role to tell, and open again with one', async t => {
  const { say, find, clock } = await start(t, primaryEvidence())
  find(down)
  clock.advance(500)
  await settle()
  t.equal(await say(), 'ECONNREFUSED')
  find(primaryEvidence())
  clock.advance(500)
  await settle()
  await until(async () => (await say()) === wireWords.primary, {
    what: 'the port',
    limitMs: 30_000,
  })
})

t.test('or connects are closed without a byte, or told so', async t => {
  const closing = await start(t, down, { whenUnavailable: 'close' })
  t.equal(await closing.say(), '')
  const replying = await start(t, down, { whenUnavailable: 'reply' })
  t.equal(await replying.say(), wireWords.unavailable)
})

t.test('whoever asks during the first look is told nothing', async t => {
  const fake = fakeOutside(primaryEvidence())
  const release = fake.hang()
  const events: Event[] = []
  const outcome = await startServing(
    { ...serveDefaults, whenUnavailable: 'reply' },
    {
      outside: fake.outside,
      report: event => {
        events.push(event)
      },
    },
  )
  t.teardown(() => outcome.ok && outcome.fact.stop())
  const port = events.flatMap(event => (event.kind === 'listening' ? [event.port] : []))[0] ?? -1
  t.equal((await hear({ port })).bytes.toString(), wireWords.unavailable)
  release()
  await settle()
  t.equal((await hear({ port })).bytes.toString(), wireWords.primary)
})

t.test('an old answer expires with its lease', async t => {
  const { say, hang, clock } = await start(t, primaryEvidence(), { whenUnavailable: 'reply' })
  t.teardown(hang())
  clock.advance(1500)
  t.equal(await say(), wireWords.primary, 'a hung disk is believed in for a while')
  clock.advance(2)
  t.equal(await say(), wireWords.unavailable)
})

t.test('who asks while it wakes up from a sleep is told what holds then', async t => {
  const { say, find, clock } = await start(t, standbyEvidence(), {})
  find(primaryEvidence())
  clock.oversleep(60_000)
  const asked = say()
  await until(
    async () => {
      clock.advance(1)
      return (await Promise.race([asked, settle()])) !== undefined
    },
    { what: 'an answer after waking up' },
  )
  t.equal(await asked, wireWords.primary)
})

t.test('each address has a listener, and tells that it is up', async t => {
  const { say, ports, events } = await start(t, primaryEvidence(), {
    bind: ['127.0.0.1', '127.0.0.2'],
  })
  t.equal(ports.length, 2)
  t.equal(await say(ports[0]), wireWords.primary)
  t.match(events, [
    { kind: 'listening', address: '127.0.0.1' },
    { kind: 'listening', address: '127.0.0.2' },
    { kind: 'verdict changed', to: { role: 'primary' } },
  ])
})

t.test('without an address every address is answered on', async t => {
  const { say } = await start(t, primaryEvidence(), { bind: [] })
  t.equal(await say(), wireWords.primary)
})

t.test('a port in use is a mistake with a hint, and leaves nothing running', async t => {
  const stranger = await listenAsStranger()
  t.teardown(() => stranger.server.close())
  const { outcome, open, events } = await start(t, primaryEvidence(), { port: stranger.port })
  t.strictSame(outcome, {
    ok: false,
    fault: {
      message: `port ${stranger.port} on 127.0.0.1 is in use, wanted to listen there`,
      hint: `another program listens on port ${stranger.port}; choose another with --port`,
    },
  })
  t.equal(open(), 0)
  t.notMatch(events, [{ kind: 'listening' }])
})

t.test('an address that no hint is known for has one all the same', async t => {
  // A link-local address belongs to an interface, which has to be named.
  const { outcome } = await start(t, primaryEvidence(), { bind: ['fe80::1'] })
  t.match(outcome, { ok: false, fault: { hint: /--bind/ } })
})

t.test('stopping closes the port at once, also on those who linger', async t => {
  const { outcome, ports, say, open, clock } = await start(t, primaryEvidence())
  const lingering = connect({ port: ports[0] ?? -1, host: '127.0.0.1', allowHalfOpen: true })
  lingering.on('error', () => undefined)
  await once(lingering, 'data')
  const cutOff = once(lingering, 'close')
  if (!outcome.ok) throw new Error(outcome.fault.message)
  outcome.fact.stop()
  lingering.end()
  await cutOff
  t.equal(await say(), 'ECONNREFUSED')
  t.equal(open(), 0, 'probe and watcher are closed')
  t.equal(clock.pending(), 0, 'no timer is left')
})

t.test('a socket of systemd takes the place of port and addresses', async t => {
  const { say, ports, events, find, clock } = await start(
    t,
    primaryEvidence(),
    { bind: ['192.0.2.1'] },
    { sockets: fact([3]), listen: listenOnPassed },
  )
  t.equal(ports.length, 1)
  t.match(events[0], { kind: 'sockets passed', count: 1, closesInstead: true })
  t.equal(await say(), wireWords.primary)
  find(down)
  clock.advance(500)
  await settle()
  t.equal(await say(), '', 'nobody can close it')
  find(standbyEvidence())
  clock.advance(500)
  await settle()
  t.equal(await say(), wireWords.standby)
})

/** With the first look still under way, and a socket of systemd; somebody has connected to it. */
const startLooking = async (t: Test) => {
  const fake = fakeOutside(primaryEvidence())
  const release = fake.hang()
  t.teardown(release)
  const events: Event[] = []
  const outcome = await startServing(
    { ...serveDefaults, whenUnavailable: 'reply' },
    {
      outside: { ...fake.outside, sockets: fact([3]) },
      report: event => {
        events.push(event)
      },
      listen: listenOnPassed,
    },
  )
  if (!outcome.ok) throw new Error(outcome.fault.message)
  t.teardown(outcome.fact.stop)
  const port = events.flatMap(event => (event.kind === 'listening' ? [event.port] : []))[0] ?? -1
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  await settle()
  return { ...fake, port, stop: outcome.fact.stop, events, release, heard: hearOn(socket) }
}

t.test('whoever waited in its queue is told the role after the first look', async t => {
  const { heard, release, events } = await startLooking(t)
  release()
  t.equal((await heard).bytes.toString(), wireWords.primary)
  t.notMatch(
    events.filter(event => event.kind === 'verdict changed'),
    [{ to: { rule: 'not looked yet' } }],
  )
})

t.test('but waits no longer than a disk is waited for, nor for our end', async t => {
  const patient = await startLooking(t)
  patient.clock.advance(patienceMs)
  t.equal((await patient.heard).bytes.length, 0, 'like everybody who lingers')
  t.equal((await hear({ port: patient.port })).bytes.toString(), wireWords.unavailable)
  const stopped = await startLooking(t)
  stopped.stop()
  t.equal((await stopped.heard).bytes.length, 0)
  await settle()
  t.equal(stopped.clock.pending(), 0, 'no timer is left')
})

t.test('sockets that can not be used are a mistake with a hint', async t => {
  const mistake = { message: 'LISTEN_FDS is "x"', hint: 'y' }
  const { outcome } = await start(t, down, {}, { sockets: fault(mistake) })
  t.strictSame(outcome, { ok: false, fault: mistake })
  const useless = await start(t, down, {}, { sockets: fact([999_999]) })
  t.match(useless.outcome, { ok: false, fault: { message: /socket 999999/, hint: /systemd/ } })
})

t.test('systemd is told when all is open, and of each change', async t => {
  const told: string[] = []
  const notify = (status: string): Promise<null> => {
    told.push(status)
    return Promise.resolve(null)
  }
  const { find, clock, events } = await start(t, primaryEvidence(), {}, { notify })
  t.match(events[0], { kind: 'listening' })
  t.match(told, [/^unavailable: /], 'before the first look')
  clock.advance(1000)
  t.match(told[1], /^primary: /)
  await settle()
  find(down)
  clock.advance(1000)
  await settle()
  clock.advance(1000)
  t.match(told.at(-1), /^unavailable: /)
})
