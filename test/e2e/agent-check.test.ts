/**
 * A real haproxy that asks agents: what it makes of each word, and of ours beside real servers.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeAgentReplies } from '../../src/serve/role/agent-reply.ts'
import { type Cluster } from '../harness/cluster.ts'
import { ask, startDaemon, type Daemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { haproxyFor, replacePorts, type ServerRow } from '../harness/haproxy.ts'
import { peerArgs } from '../harness/http-daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { startPair, type Pair } from '../harness/pair.ts'
import { readExample, repositoryRoot } from '../harness/repository.ts'
import { listenAsStranger } from '../harness/tcp-client.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const haproxyProgram = needProgram('haproxy')
const example = readExample('haproxy-agent.cfg')

const start = (t: Test, config: string) => haproxyFor(t, { program: haproxyProgram.get(), config })

/** One server is what was asked for. */
const shows =
  (server: string, wanted: RegExp, column: 'status' | 'agent' = 'status') =>
  (rows: readonly ServerRow[]): boolean =>
    rows.some(row => row.server === server && wanted.test(row[column]))

const defaults = `defaults
    mode tcp
    timeout connect 2s
    timeout client 2s
    timeout server 2s`

/** An agent that says what the test says, and a haproxy that asks it, with a check that passes. */
const setUpWords = async (t: Test) => {
  let says = 'up\n'
  let asked = 0
  const agent = await listenAsStranger(socket => {
    asked += 1
    socket.on('error', () => undefined)
    socket.end(says)
  })
  const checked = await listenAsStranger(socket => socket.on('error', () => undefined).end())
  t.teardown(() => void [agent.server.close(), checked.server.close()])
  const haproxy = await start(
    t,
    `${defaults}
listen words
    bind 127.0.0.1:${await freePort()}
    default-server check inter 100ms fall 1 rise 1 agent-check agent-inter 50ms
    server s1 127.0.0.1:${checked.port} agent-port ${agent.port}
`,
  )
  /** Waits until haproxy has heard it, and acted on it. */
  const say = async (line: string): Promise<void> => {
    says = line
    const before = asked
    await until(() => asked >= before + 3, { what: `haproxy to hear ${JSON.stringify(line)}` })
  }
  const status = async (): Promise<string> => (await haproxy.servers())[0]?.status ?? ''
  return { haproxy, say, status, agent }
}

const words = 'haproxy knows our words, and none that is spelt otherwise'
t.test(words, haproxyProgram.options, async t => {
  const { haproxy, say, status, agent } = await setUpWords(t)
  const line = (judgement: Parameters<ReturnType<typeof makeAgentReplies>>[0]): string => {
    const reply = makeAgentReplies('primary')(judgement)
    return reply.kind === 'say' ? Buffer.from(reply.bytes).toString('latin1') : ''
  }
  const up = line({ kind: 'available', role: 'primary', because: '' })
  const standby = line({ kind: 'available', role: 'standby', because: '' })

  await t.test('up, and down with what it is', async t => {
    await say(up)
    t.match(await status(), /^UP/)
    await say(standby)
    t.match(await status(), /^DOWN/)
    await haproxy.sees('the reason', shows('s1', /standby/, 'agent'))
    await say(up)
    t.match(await status(), /^UP/)
  })

  const reasons = ['a, b; "c" #d 100% maint up ready', '', 'x'.repeat(1000), 'a\nup\nb', '%s\0']
  for (const because of reasons) {
    await t.test(`down for whatever reason: ${JSON.stringify(because).slice(0, 40)}`, async t => {
      await say(line({ kind: 'unavailable', because }))
      t.match(await status(), /^DOWN/)
      await say(up)
      t.match(await status(), /^UP/)
    })
  }

  for (const wrong of ['down#standby\n', 'fail#standby\n', 'standby\n', 'down #standby']) {
    await t.test(`not ${JSON.stringify(wrong)}: the server stays up`, async t => {
      await say(wrong)
      t.match(await status(), /^UP/)
      await say(up)
    })
  }

  await t.test('up leaves a maintenance by hand alone, and ready ends it', async t => {
    for (const state of ['maint', 'drain']) {
      await haproxy.order(`set server words/s1 state ${state}`)
      await say(up)
      t.match(await status(), new RegExp(`^${state}`, 'i'))
      await say(standby)
      await say(up)
      t.match(await status(), new RegExp(`^${state}`, 'i'))
      await say('up ready\n')
      t.match(await status(), /^UP/, 'nobody asked for that')
    }
  })

  await t.test(
    'an agent that is gone changes nothing: never without a check beside it',
    async t => {
      agent.server.close()
      await haproxy.sees('the agent gone', shows('s1', /L4CON/, 'agent'))
      t.match(await status(), /^UP/)
    },
  )
})

t.test('its page shows the example as it is', async t => {
  const page = readFileSync(join(repositoryRoot(), 'fixtures/docs/agent-check.md'), 'utf8')
  const shown = Array.from(page.matchAll(/^```haproxy\n(.*?)^```$/gms), ([, text = '']) => text)
  t.ok(shown.some(text => text !== '' && example.endsWith(text)))
})

/** Waits until the agent says this. */
const sayingOn =
  (agentPort: number) =>
  async (line: RegExp): Promise<void> =>
    until(async () => line.test(await ask(agentPort)), { what: `the agent to say ${line}` })

/** A daemon beside it, and where its agent is. */
const watch = async (t: Test, cluster: Cluster, upFor: string) => {
  const agentPort = await freePort()
  const args = ['--agent', `127.0.0.1:${agentPort}`, '--agent-up-for', upFor]
  const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory, args })
  t.teardown(daemon.stop)
  return { daemon, agentPort, says: sayingOn(agentPort) }
}

const name = 'haproxy follows the agents of a primary and a standby'
t.test(name, haproxyProgram.options, async t => {
  const { primary: s1, standby: s2 } = await startPair(t, 18)
  const [first, second] = [await watch(t, s1, 'primary'), await watch(t, s2, 'primary')]
  const reader = await watch(t, s2, 'standby')
  const anybody = await watch(t, s2, 'any')
  const places: readonly (readonly [number, Cluster, Daemon, number])[] = [
    [0, s1, first.daemon, first.agentPort],
    [1, s2, second.daemon, second.agentPort],
  ]
  const ports = new Map([[5999, await freePort()]])
  for (const [index, { port }, daemon, agentPort] of places) {
    ports
      .set(5500 + index, port)
      .set(5400 + index, daemon.port)
      .set(5410 + index, agentPort)
  }
  await first.says(/^up\n$/)
  await second.says(/^down #standby\n$/)
  const haproxy = await start(t, replacePorts(example, ports))

  await t.test('the primary is up, and the standby down by that name', async t => {
    await haproxy.sees('the primary up', shows('s1', /^UP/))
    await haproxy.sees('the standby down', shows('s2', /^DOWN/))
    await haproxy.sees('its role', shows('s2', /standby/, 'agent'))
    await reader.says(/^up\n$/)
    await anybody.says(/^up\n$/)
    t.pass('and whoever wants standbys has one')
  })

  await t.test('a server that is stopped is down, with the reason, on an open port', async t => {
    await s1.stop()
    await first.says(/^down #no postmaster\.pid in /)
    await haproxy.sees('the primary down', shows('s1', /^DOWN/))
    await haproxy.sees('why', shows('s1', /no postmaster\.pid|no server is running/, 'agent'))
    t.equal(await first.daemon.ask(), 'refused')
  })

  await t.test('a promoted standby is up', async t => {
    await s2.promote('pg_ctl')
    await second.says(/^up\n$/)
    await reader.says(/^down #primary\n$/)
    await anybody.says(/^up\n$/)
    await haproxy.sees('the new primary', shows('s2', /^UP/))
    t.pass()
  })

  await t.test('a daemon that is gone is noticed by the check beside the agent', async t => {
    await second.daemon.stop()
    await haproxy.sees('nobody to ask', shows('s2', /^DOWN/))
    t.pass()
  })
})

/** Daemons beside both that ask each other. The standby may be a megabyte behind. */
const startPeers = async (t: Test, { primary, standby }: Pair) => {
  const [one, other] = [await freePort(), await freePort()]
  const start = async (cluster: Cluster, http: number, peer: number) => {
    const agentPort = await freePort()
    const agent = ['--agent', `127.0.0.1:${agentPort}`, '--agent-up-for', 'any']
    const daemon = await startDaemon({
      dataDirectory: cluster.dataDirectory,
      args: [...peerArgs(http, [peer]), ...agent, '--agent-lag', '1MB'],
    })
    t.teardown(daemon.stop)
    return { daemon, agentPort, says: sayingOn(agentPort), http }
  }
  return { first: await start(primary, one, other), second: await start(standby, other, one) }
}

const walReceiverOf = async (http: number): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${http}/status`)
  const { children } = (await response.json()) as {
    readonly children: { readonly walreceiver: { readonly pid: number } | null }
  }
  return children.walreceiver?.pid ?? 0
}

const limited = 'haproxy leaves out a standby that is too far behind, until it has caught up'
t.test(limited, haproxyProgram.options, async t => {
  const pair = await startPair(t, 18)
  const { first, second } = await startPeers(t, pair)
  await first.says(/^up\n$/)
  await second.says(/^up\n$/)
  const haproxy = await start(
    t,
    `${defaults}
listen readers
    bind 127.0.0.1:${await freePort()}
    default-server check inter 100ms fall 1 rise 1 agent-check agent-inter 100ms
    server s1 127.0.0.1:${first.daemon.port} agent-port ${first.agentPort}
    server s2 127.0.0.1:${second.daemon.port} agent-port ${second.agentPort}
`,
  )
  await haproxy.sees('the standby up', shows('s2', /^UP/))

  t.comment('its WAL receiver is stopped, and the primary writes')
  const receiver = await walReceiverOf(second.http)
  t.ok(receiver > 1)
  process.kill(receiver, 'SIGSTOP')
  try {
    const session = await pair.primary.session()
    await session.query('create table filler (text text)')
    await session.query(`insert into filler select repeat('x', 1000) from generate_series(1, 8000)`)
    await session.close()
    await second.says(/^down #standby with a lag of \d+ bytes, more than 1048576\n$/)
    await haproxy.sees('the standby down', shows('s2', /^DOWN/))
    await haproxy.sees('why', shows('s2', /standby with a lag of \d+ bytes/, 'agent'))
    await first.says(/^up\n$/)
    await second.daemon.answers('STANDBY')
  } finally {
    process.kill(receiver, 'SIGCONT')
  }
  await second.says(/^up\n$/)
  await haproxy.sees('the standby up again', shows('s2', /^UP/))

  t.comment('the primary can no longer be asked')
  await first.daemon.stop()
  await second.says(/^down #standby with an unknown lag\n$/)
})
