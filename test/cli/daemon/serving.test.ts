import { connect } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { soonMs } from '../../../src/cli/system/credential-files.ts'
import type { ServeOptions } from '../../../src/cli/options/option-values.ts'
import type { Host } from '../../../src/cli/system/host.ts'
import { timeLimitMs } from '../../../src/cli/system/time-limit.ts'
import { startServing } from '../../../src/cli/daemon/serving.ts'
import type { Event } from '../../../src/facts/report/event.ts'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import { maintenanceOn, noMaintenance } from '../../../src/facts/decide/maintenance-mode.ts'
import { createMaintenanceWatch } from '../../../src/observe/files/maintenance-file.ts'
import { fact, fault } from '../../../src/facts/outcome.ts'
import type { Verdict } from '../../../src/facts/decide/verdict.ts'
import { createDescriptorBudget } from '../../../src/serve/descriptor-budget.ts'
import type { Listen } from '../../../src/serve/listening.ts'
import { wireWords } from '../../../src/serve/role/reply.ts'
import type { Lsn, UnixMs } from '../../../src/facts/units.ts'
import { createAuthority, openssl, pem } from '../../harness/certificates.ts'
import { noon, primaryEvidence, standbyEvidence } from '../../harness/evidence.ts'
import { freePort } from '../../harness/free-port.ts'
import { fakeHost, type FakeHost } from '../../harness/fake-host.ts'
import { settle } from '../../harness/manual-clock.ts'
import { listenOnPassed } from '../../harness/passed-socket.ts'
import { serveDefaults } from '../../harness/serve-options.ts'
import { makeServerFolder } from '../../harness/stand-in.ts'
import { hear, hearOn, listenAsStranger } from '../../harness/tcp-client.ts'
import { connectTls } from '../../harness/tls-client.ts'
import { member } from '../../harness/standing-table.ts'
import { promoted, timelineHistory } from '../../harness/timelines.ts'
import { until } from '../../harness/until.ts'

const down = primaryEvidence({ lockFile: { kind: 'absent' } })

const watchMaintenance = ({ host }: FakeHost, path: string | null) =>
  createMaintenanceWatch({
    path,
    read: host.readMaintenance,
    timers: host.clock,
    everyMs: 100,
  })

const sourceFor = (option: string): string => `--${option}`

const start = async (
  t: Test,
  first: Evidence,
  changes: Partial<ServeOptions> = {},
  given: Partial<Host> & { readonly listen?: Listen } = {},
) => {
  const fake = fakeHost(first)
  const events: Event[] = []
  const followed: (Verdict | null)[] = []
  const options = { ...serveDefaults, ...changes }
  const { listen, ...host } = given
  const maintenance = watchMaintenance(fake, options.maintenanceFile)
  const outcome = await startServing(options, {
    host: { ...fake.host, ...host },
    maintenance,
    ...(listen === undefined ? {} : { listen }),
    report: event => {
      events.push(event)
    },
    follow: verdict => void followed.push(verdict),
    sourceFor,
    budget: createDescriptorBudget(() => undefined),
  })
  t.teardown(() => outcome.ok && outcome.fact.stop())
  await settle()
  const ports = events.flatMap(event => (event.kind === 'listening' ? [event.port] : []))
  const say = async (port = ports[0] ?? -1): Promise<string> => {
    const { bytes, end } = await hear({ port })
    return end === 'end' ? bytes.toString('latin1') : end
  }
  return { ...fake, outcome, maintenance, events, followed, ports, say }
}

t.test('every connection gets the current role', async t => {
  const { say, find, clock } = await start(t, standbyEvidence())
  t.equal(await say(), wireWords.standby)
  find(primaryEvidence())
  clock.advance(500)
  await settle()
  t.equal(await say(), wireWords.primary)
})

t.test('requests for details are answered from the current titles', async t => {
  const { outcome, find, hang } = await start(t, standbyEvidence())
  t.teardown(hang())
  if (!outcome.ok) throw new Error(outcome.fault.message)
  const now = standbyEvidence({ children: { kind: 'invisible' } })
  find(now)
  t.match(await outcome.fact.knowledge.currentSnapshot(), {
    evidence: now,
    verdict: { role: 'standby' },
  })
})

t.test('the changes of the verdict are kept, and sent on request', async t => {
  const { outcome, find, clock } = await start(t, standbyEvidence())
  if (!outcome.ok) throw new Error(outcome.fault.message)
  find(primaryEvidence())
  clock.advance(500)
  await settle()
  t.match(outcome.fact.knowledge.history(), [
    { from: null, to: { role: 'standby' }, at: noon, postmaster: 4711 },
    { from: { role: 'standby' }, to: { role: 'primary' }, at: noon + 500, timeline: 3 },
  ])
})

t.test('a command is run when the answer changes', async t => {
  const { commands, find, clock } = await start(t, standbyEvidence(), { onChange: 'notify' })
  clock.advance(0)
  t.strictSame(commands, ['notify standby'])
  find(primaryEvidence())
  clock.advance(500)
  await settle()
  clock.advance(0)
  t.strictSame(commands, ['notify standby', 'notify primary'])
})

t.test('before the first check there is nothing to report', async t => {
  const fake = fakeHost(primaryEvidence())
  t.teardown(fake.hang())
  const outcome = await startServing(serveDefaults, {
    host: fake.host,
    maintenance: watchMaintenance(fake, null),
    report: () => undefined,
    follow: () => undefined,
    sourceFor,
    budget: createDescriptorBudget(() => undefined),
  })
  if (!outcome.ok) throw new Error(outcome.fault.message)
  t.teardown(outcome.fact.stop)
  t.equal(await outcome.fact.knowledge.currentSnapshot(), null)
})

t.test('the answer can end with a line feed', async t => {
  const { say } = await start(t, primaryEvidence(), { newline: true })
  t.equal(await say(), `${wireWords.primary}\n`)
})

t.test('the port is closed without a role, and opens again with one', async t => {
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

t.test('or connections are closed without a byte, or get an answer without a role', async t => {
  const closing = await start(t, down, { whenUnavailable: 'close' })
  t.equal(await closing.say(), '')
  const replying = await start(t, down, { whenUnavailable: 'reply' })
  t.equal(await replying.say(), wireWords.unavailable)
})

t.test('a client that connects during the first check gets no answer', async t => {
  const fake = fakeHost(primaryEvidence())
  const release = fake.hang()
  const events: Event[] = []
  const outcome = await startServing(
    { ...serveDefaults, whenUnavailable: 'reply' },
    {
      host: fake.host,
      maintenance: watchMaintenance(fake, null),
      report: event => {
        events.push(event)
      },
      follow: () => undefined,
      sourceFor,
      budget: createDescriptorBudget(() => undefined),
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

t.test(
  'a client that connects while it resumes from a suspension gets the next verdict',
  async t => {
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
  },
)

t.test('in maintenance mode, every port reports unavailable until the mode ends', async t => {
  const { say, maintain, clock, ports, maintenance, open } = await start(t, primaryEvidence(), {
    maintenanceFile: '/run/maintenance',
    agent: [{ address: '127.0.0.1', port: 0 }],
  })
  const pass = async (): Promise<void> => {
    clock.advance(100)
    await settle()
  }
  t.equal(await say(), wireWords.primary)
  maintain(maintenanceOn('new kernel'))
  await pass()
  t.equal(await say(), 'ECONNREFUSED')
  t.equal(await say(ports[1]), 'down #new kernel\n')
  maintain(noMaintenance)
  await pass()
  const isBack = async (): Promise<boolean> => (await say()) === wireWords.primary
  await until(isBack, { what: 'the port' })
  t.equal(await say(ports[1]), 'up\n')
  maintenance.toggle()
  t.equal(await say(), 'ECONNREFUSED')
  t.equal(await say(ports[1]), 'down #maintenance mode is on\n')
  maintenance.toggle()
  await until(isBack, { what: 'the port again' })
  t.equal(open(), 2)
})

t.test('a file that is there at the start is never passed over', async t => {
  const fake = fakeHost(primaryEvidence())
  fake.maintain(maintenanceOn('new kernel'))
  const events: Event[] = []
  const outcome = await startServing(
    { ...serveDefaults, maintenanceFile: '/run/maintenance' },
    {
      host: fake.host,
      maintenance: watchMaintenance(fake, '/run/maintenance'),
      report: event => {
        events.push(event)
      },
      follow: () => undefined,
      sourceFor,
      budget: createDescriptorBudget(() => undefined),
    },
  )
  t.teardown(() => outcome.ok && outcome.fact.stop())
  await settle()
  t.match(
    events.filter(({ kind }) => kind === 'verdict changed'),
    [{ from: null, to: { rule: 'maintenance' } }],
  )
})

t.test('each address has a listener, and reports that it is up', async t => {
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

t.test('an agent-check is answered beside, and its port stays open', async t => {
  const [address, port] = ['127.0.0.1', 0]
  const { say, ports, find, clock } = await start(t, primaryEvidence(), {
    agent: [{ address, port }],
  })
  t.equal(ports.length, 2)
  t.equal(await say(ports[1]), 'up\n')
  find(down)
  clock.advance(500)
  await settle()
  t.match(await say(ports[1]), /^down #.*: no server is running\n$/)
  t.equal(await say(ports[0]), 'ECONNREFUSED')
  find(standbyEvidence())
  clock.advance(500)
  await settle()
  t.equal(await say(ports[1]), 'down #standby\n')
})

t.test('so is one for standbys, and it waits as the others do', async t => {
  const { say, ports, find, clock } = await start(t, primaryEvidence(), {
    agent: [{ address: '127.0.0.1', port: 0 }],
    agentUpFor: 'standby',
  })
  t.equal(await say(ports[1]), 'down #primary\n')
  find(standbyEvidence())
  clock.oversleep(60_000)
  const asked = say(ports[1])
  await until(
    async () => {
      clock.advance(1)
      return (await Promise.race([asked, settle()])) !== undefined
    },
    { what: 'an answer after waking up' },
  )
  t.equal(await asked, 'up\n')
})

t.test('a client that is not allowed gets no answer, on any port', async t => {
  const agent = [{ address: '127.0.0.1', port: 0 }]
  const closed = await start(t, primaryEvidence(), {
    agent,
    allow: [{ address: '192.0.2.0', prefix: 24 }],
  })
  for (const port of closed.ports) t.equal(await closed.say(port), '')
  t.match(closed.events.slice(-2), [
    { kind: 'connections refused', port: closed.ports[0], from: '127.0.0.1', refused: 1 },
    { kind: 'connections refused', port: closed.ports[1], from: '127.0.0.1', refused: 1 },
  ])
  const open = await start(t, primaryEvidence(), {
    agent,
    bind: [],
    allow: [{ address: '127.0.0.0', prefix: 8 }],
  })
  t.equal(await open.say(), wireWords.primary, 'from ::ffff:127.0.0.1')
  t.equal(await open.say(open.ports[1]), 'up\n')
})

t.test('an agent port that is in use is reported by its own option', async t => {
  const stranger = await listenAsStranger()
  t.teardown(() => stranger.server.close())
  const taken = await start(t, primaryEvidence(), {
    agent: [{ address: '127.0.0.1', port: stranger.port }],
  })
  t.match(taken.outcome, { ok: false, fault: { hint: /choose another port with --agent$/ } })
  t.equal(taken.open(), 0)
  const nameless = await start(t, primaryEvidence(), { agent: [{ address: 'fe80::1', port: 0 }] })
  t.match(nameless.outcome, { ok: false, fault: { hint: 'see --agent' } })
})

t.test('a port in use is an error with a hint, and leaves nothing running', async t => {
  const stranger = await listenAsStranger()
  t.teardown(() => stranger.server.close())
  const { outcome, open, events } = await start(t, primaryEvidence(), { port: stranger.port })
  t.strictSame(outcome, {
    ok: false,
    fault: {
      message: `could not listen on port ${stranger.port} of 127.0.0.1: address already in use`,
      hint: `another program listens on port ${stranger.port}; choose another port with --port`,
    },
  })
  t.equal(open(), 0)
  t.notMatch(events, [{ kind: 'listening' }])
})

t.test('so is an HTTP port in use, with the option that was given in the hint', async t => {
  const stranger = await listenAsStranger()
  t.teardown(() => stranger.server.close())
  const http = [{ address: '127.0.0.1', port: stranger.port }]
  const { outcome, open, say } = await start(t, primaryEvidence(), { http })
  t.match(outcome, {
    ok: false,
    fault: { message: /address already in use/, hint: /another port with --http$/ },
  })
  t.equal(await say(), 'ECONNREFUSED', 'the other port is closed again')
  t.equal(open(), 0)
})

t.test('a port that two options name is no port of another program', async t => {
  const told = async (changes: Partial<ServeOptions>) => {
    const { outcome, open } = await start(t, primaryEvidence(), changes)
    t.equal(open(), 0)
    return outcome.ok ? null : outcome.fault
  }
  const port = 5400
  const hint = 'use another port, or a separate address for each'
  t.strictSame(await told({ port, http: [{ address: '127.0.0.1', port }] }), {
    message: 'port 5400 is used twice, by --port and --http',
    hint,
  })
  t.match(await told({ port, bind: ['0.0.0.0', '127.0.0.1'] }), {
    message: 'port 5400 is used twice, by --bind on 0.0.0.0 and --bind on 127.0.0.1',
  })
  t.match(await told({ agent: ['::1', null].map(address => ({ address, port })) }), {
    message: 'port 5400 is used twice, by --agent on ::1 and --agent on every address',
  })
})

t.test('--port names no port where sockets were passed', async t => {
  const port = await freePort()
  const http = [{ address: '127.0.0.1', port }]
  const given = { sockets: fact([3]), listen: listenOnPassed }
  const { outcome, ports } = await start(t, primaryEvidence(), { port, http }, given)
  t.ok(outcome.ok)
  t.ok(ports.includes(port))
})

t.test('HTTP is answered beside the port, also without a role', async t => {
  const http = [{ address: '127.0.0.1', port: 0 }]
  const { ports, say, find, clock } = await start(t, primaryEvidence(), { http })
  t.equal(ports.length, 2)
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${ports[1]}${path}`)
    return { code: response.status, body: await response.text() }
  }
  t.strictSame(await ask('/primary'), { code: 200, body: `${wireWords.primary}\n` })
  t.match(JSON.parse((await ask('/status')).body), { verdict: 'primary', rule: 'in production' })
  find(down)
  clock.advance(500)
  await settle()
  t.equal(await say(), 'ECONNREFUSED')
  t.strictSame(await ask('/primary'), { code: 503, body: `${wireWords.unavailable}\n` })
  t.match(JSON.parse((await ask('/status')).body), { rule: 'no lock file' })
  const { body } = await ask('/metrics')
  t.match(body, /^pg_replstatus_unavailable_reason\{reason="no lock file"\} 1$/m)
  t.match(body, /^pg_replstatus_role_changes_total 1$/m)
  t.match(body, /^pg_replstatus_answers_total\{answer="primary"\} 0$/m)
})

t.test('an address that no hint is known for has one all the same', async t => {
  // A link-local address belongs to an interface, which has to be named.
  const { outcome } = await start(t, primaryEvidence(), { bind: ['fe80::1'] })
  t.match(outcome, { ok: false, fault: { hint: 'see --port and --bind' } })
  const http = [{ address: 'fe80::1', port: 0 }]
  const other = await start(t, primaryEvidence(), { http })
  t.match(other.outcome, { ok: false, fault: { hint: 'see --http' } })
})

t.test('stopping closes the port at once, also for clients that linger', async t => {
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
  const fake = fakeHost(primaryEvidence())
  const release = fake.hang()
  t.teardown(release)
  const events: Event[] = []
  const followed: (Verdict | null)[] = []
  const outcome = await startServing(
    { ...serveDefaults, whenUnavailable: 'reply' },
    {
      host: { ...fake.host, sockets: fact([3]) },
      maintenance: watchMaintenance(fake, null),
      report: event => {
        events.push(event)
      },
      follow: verdict => void followed.push(verdict),
      sourceFor,
      budget: createDescriptorBudget(() => undefined),
      listen: listenOnPassed,
    },
  )
  if (!outcome.ok) throw new Error(outcome.fault.message)
  t.teardown(outcome.fact.stop)
  const port = events.flatMap(event => (event.kind === 'listening' ? [event.port] : []))[0] ?? -1
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  await settle()
  const { stop } = outcome.fact
  return { ...fake, port, stop, events, followed, release, heard: hearOn(socket) }
}

t.test('clients that waited in its queue get the role after the first check', async t => {
  const { heard, release, events } = await startLooking(t)
  release()
  t.equal((await heard).bytes.toString(), wireWords.primary)
  t.notMatch(
    events.filter(event => event.kind === 'verdict changed'),
    [{ to: { rule: 'not yet checked' } }],
  )
})

t.test('but waits no longer than the limit for a disk, nor for a stop', async t => {
  const patient = await startLooking(t)
  patient.clock.advance(timeLimitMs)
  t.equal((await patient.heard).bytes.length, 0, 'like everybody who lingers')
  t.equal((await hear({ port: patient.port })).bytes.toString(), wireWords.unavailable)
  const stopped = await startLooking(t)
  stopped.stop()
  t.equal((await stopped.heard).bytes.length, 0)
  await settle()
  t.equal(stopped.clock.pending(), 0, 'no timer is left')
  t.equal(stopped.followed.at(-1), null, 'who waited for the role starts nothing anew')
})

t.test('sockets that cannot be used are an error with a hint', async t => {
  const mistake = { message: 'LISTEN_FDS is "x"', hint: 'y' }
  const { outcome } = await start(t, down, {}, { sockets: fault(mistake) })
  t.strictSame(outcome, { ok: false, fault: mistake })
  const useless = await start(t, down, {}, { sockets: fact([999_999]) })
  t.match(useless.outcome, { ok: false, fault: { message: /socket 999999/, hint: /systemd/ } })
})

t.test('each verdict is reported, from before the first check to the end', async t => {
  const { find, clock, followed, outcome } = await start(t, primaryEvidence())
  find(down)
  clock.advance(500)
  await settle()
  if (!outcome.ok) throw new Error(outcome.fault.message)
  outcome.fact.stop()
  t.match(followed, [
    { rule: 'not yet checked' },
    { role: 'primary' },
    { kind: 'unavailable', rule: 'no lock file' },
    null,
  ])
})

t.test('with TLS', openssl.options, async t => {
  const authority = await createAuthority(makeServerFolder(t), 'ca')
  const expiresAt = (noon + soonMs) as UnixMs
  const read = async (name: string) => {
    const files = await authority.issue(name)
    const credentials = {
      cert: pem(files.cert).text,
      key: pem(files.key).text,
      ca: null,
      expiresAt,
    }
    return fact({ credentials, exposedKey: null })
  }
  const httpTls = { cert: '/x.crt', key: null, clientCa: null }
  const http = [{ address: '127.0.0.1', port: 0 }]
  const refused = await start(t, primaryEvidence(), { http, httpTls })
  t.match(refused.outcome, { ok: false, fault: { message: 'none' } })
  t.equal(refused.open(), 0, 'nothing is left open')

  const fake = fakeHost(primaryEvidence())
  fake.giveCredentials(await read('first'))
  const { readCredentials } = fake.host
  const serving = await start(t, primaryEvidence(), { http, httpTls }, { readCredentials })
  const { outcome, events, ports } = serving
  if (!outcome.ok) throw new Error(outcome.fault.message)
  t.match(events[0], { kind: 'certificate taken', file: '/x.crt', expiresAt })
  const nameNow = async (): Promise<unknown> => {
    const socket = connectTls(ports[1] ?? -1)
    await once(socket, 'secureConnect')
    const { CN } = socket.getPeerCertificate().subject
    socket.destroy()
    return CN
  }
  t.equal(await nameNow(), 'first')
  fake.giveCredentials(await read('second'))
  await outcome.fact.renew()
  t.equal(await nameNow(), 'second')
  fake.giveCredentials(fault({ message: 'no', hint: 'yes' }))
  await outcome.fact.renew()
  t.equal(await nameNow(), 'second')
  t.match(events.at(-1), { kind: 'certificate refused', because: 'no', hint: 'yes' })
})

t.test('without it there is nothing to renew', async t => {
  const { outcome, events } = await start(t, primaryEvidence())
  if (!outcome.ok) throw new Error(outcome.fault.message)
  const before = events.length
  await outcome.fact.renew()
  t.equal(events.length, before)
})

t.test('a primary that was replaced is not answered for', async t => {
  const history = { kind: 'present', fact: timelineHistory(1) } as const
  const peer = { text: 's2:8008', secure: false, host: 's2', port: 8008 }
  const found = primaryEvidence({ timelineHistory: history, walPosition: 0x2300n as Lsn })
  const { say, answerAsPeers, outcome, asked, followed } = await start(t, found, {
    peers: [peer],
    whenUnavailable: 'reply',
  })
  t.match(followed.at(-1), { rule: 'asking peers' })
  t.strictSame(asked, ['s2:8008 without certificate'])
  answerAsPeers(fact(member({ history: promoted(timelineHistory(1), 0x300n) })))
  await settle()
  t.match(followed.at(-1), {
    rule: 'superseded',
    because: /on timeline 2, .*, 8192 bytes before the end of its write-ahead log$/,
  })
  t.equal(await say(), wireWords.unavailable)
  if (!outcome.ok) throw new Error(outcome.fault.message)
  outcome.fact.stop()
})

t.test('the lag of a standby is computed from the answer of its primary', async t => {
  const history = { kind: 'present', fact: timelineHistory(1) } as const
  const peer = { text: 's1:8008', secure: false, host: 's1', port: 8008 }
  const found = standbyEvidence({ timelineHistory: history, walPosition: 0x5000n as Lsn })
  const fake = await start(t, down, { peers: [peer] })
  if (!fake.outcome.ok) throw new Error(fake.outcome.fault.message)
  const { knowledge } = fake.outcome.fact
  fake.find(found)
  fake.clock.advance(500)
  await settle()
  await settle()
  fake.answerAsPeers(
    fact(member({ answer: 'primary', history: history.fact, walPosition: 0x9000n as Lsn })),
  )
  await settle()
  const snapshot = await knowledge.currentSnapshot()
  t.equal(snapshot && knowledge.lag(snapshot), 0x4000)
  t.match(knowledge.peers(), [{ address: peer, isSelf: false, silentBecause: null }])
})
