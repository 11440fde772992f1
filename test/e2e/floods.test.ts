/**
 * What a load balancer is told beside a client that floods a port: all of its checks are answered,
 * whatever the flood does, and wherever it comes from.
 *
 * No server runs: what is told is the same each time, and takes the same way.
 */
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { descriptorsOf, residentMibOf } from '../bench/accounting.ts'
import { createAuthority, openssl } from '../harness/certificates.ts'
import { makeFolder } from '../harness/cluster-files.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import {
  buildFlood,
  check,
  checkRegularly,
  startFlood,
  type Check,
  type Flood,
} from '../harness/flood.ts'
import { freePort } from '../harness/free-port.ts'
import { guardFolder } from '../harness/guard.ts'
import { needProgram } from '../harness/needs.ts'
import { serverUser } from '../harness/server-user.ts'
import { makeServerFolder } from '../harness/stand-in.ts'
import { clientHello } from '../harness/tls-client.ts'
import { until } from '../harness/until.ts'

t.setTimeout(300_000)

const compiler = needProgram('cc')

/** A hundred changes, half of them with this path in the reason, are more than a kernel buffers. */
const longName = join(
  ...Array.from({ length: 60 }, () => 'a-data-directory-in-a-far-away-place-whose-path-is-long'),
)

/** A data directory without a server. */
const makeDirectory = async (t: Test): Promise<string> => {
  const user = serverUser()
  const folder = await makeFolder(user)
  t.teardown(guardFolder(folder).finish)
  const directory = join(folder, longName)
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'PG_VERSION'), '15\n')
  for (const path of [directory, join(directory, 'PG_VERSION')])
    await chown(path, user.uid, user.gid)
  return directory
}

const start = async (t: Test, args: readonly string[] = []) => {
  const http = await freePort()
  const daemon = await startDaemon({
    dataDirectory: await makeDirectory(t),
    args: ['--when-unavailable', 'reply', '--http', `127.0.0.1:${http}`, ...args],
  })
  t.teardown(daemon.stop)
  await daemon.said(new RegExp(`listening .*port=${http}\\b`))
  return { daemon, http }
}

const get = (path: string): string => `GET ${path} HTTP/1.0\r\n\r\n`

const attackSecondsMax = 60
const checks = 100
const betweenChecksMs = 15
const settledAfterMs = 250

/** Where the attack and the checks come from: from two addresses, or both from behind one. */
const places = [
  { where: 'from another address', source: '127.0.0.1', from: '127.0.0.2' },
  { where: 'from the same address', source: '127.0.0.1', from: '127.0.0.1' },
  { where: 'from a thousand addresses', source: '127.1.0.1', sources: 1000, from: '127.0.0.2' },
] as const

/** Resolves when the flood has taken all the connections that it gets. */
const taken = async ({ pid }: Daemon, idle: number): Promise<void> => {
  let most = idle
  let since = performance.now()
  const settled = (): boolean => {
    const open = descriptorsOf(pid)
    if (open > most) [most, since] = [open, performance.now()]
    return most > idle && performance.now() - since > settledAfterMs
  }
  await until(settled, { what: 'the flood to take what it gets', everyMs: 25 })
}

/** Checks beside the attack; gives back what is wrong with the answers. */
const besides = async (
  daemon: Daemon,
  attack: Omit<Flood, 'seconds'>,
  ...all: readonly (Check & { readonly wanted: RegExp })[]
): Promise<readonly string[]> => {
  const program = await buildFlood()
  const idle = descriptorsOf(daemon.pid)
  const flooding = startFlood(program, { ...attack, seconds: attackSecondsMax })
  await taken(daemon, idle)
  const told = await Promise.all(
    all.map(async one => {
      const words = await checkRegularly(one, checks, betweenChecksMs)
      return words.filter(said => !one.wanted.test(said))
    }),
  )
  const { connected } = await flooding.end()
  return connected < checks ? [`only ${connected} connections of the flood`] : told.flat()
}

t.test('connections kept open on the role port', compiler.options, async t => {
  const { daemon } = await start(t)
  const { port } = daemon
  for (const { where, from, ...attacker } of places) {
    const attack = { port, ...attacker, atOnce: 8000, perSecond: 2700, holdMs: 2000 } as const
    const wrong = await besides(
      daemon,
      { ...attack, manner: 'hold' },
      { port, from, wanted: /^UNAVAILABLE$/ },
    )
    t.strictSame(wrong, [], where)
  }
  t.match(daemon.log().join('\n'), / warning: connection limit reached port=\d+ limit=4096 /)
})

t.test('HTTP connections that ask for nothing', compiler.options, async t => {
  const { daemon, http: port } = await start(t)
  for (const { where, from, ...attacker } of places) {
    const attack = { port, ...attacker, atOnce: 600, perSecond: 3000, holdMs: 60_000 } as const
    const one = { port, from, request: get('/liveness'), wanted: /^HTTP\/1\.1 200 / }
    t.strictSame(await besides(daemon, { ...attack, manner: 'read' }, one), [], where)
  }
})

t.test('HTTP requests that come in drips', compiler.options, async t => {
  const { daemon, http: port } = await start(t)
  const request = get('/liveness').slice(0, -1)
  for (const { where, from, ...attacker } of places) {
    const attack = { port, ...attacker, atOnce: 600, perSecond: 2000, holdMs: 60_000 } as const
    const one = { port, from, request: get('/primary'), wanted: /^HTTP\/1\.1 503 / }
    t.strictSame(await besides(daemon, { ...attack, manner: 'drip', request }, one), [], where)
  }
})

t.test('HTTP requests without end on one connection', compiler.options, async t => {
  const { daemon, http: port } = await start(t)
  const request = 'GET / HTTP/1.1\r\n\r\n'
  for (const { where, from, ...attacker } of places) {
    const attack = { port, ...attacker, atOnce: 100, perSecond: 100, holdMs: 2000 } as const
    const one = { port, from, request: get('/liveness'), wanted: /^HTTP\/1\.1 200 / }
    t.strictSame(await besides(daemon, { ...attack, manner: 'pile', request }, one), [], where)
  }
  t.strictSame(
    daemon.log().filter(line => /the last check is/.test(line)),
    [],
    'looks go on meanwhile',
  )
})

const secure = compiler.options.skip === false ? openssl.options : compiler.options

t.test('TLS handshakes that are begun and not ended', secure, async t => {
  const authority = await createAuthority(makeServerFolder(t), 'ca')
  const { cert, key } = await authority.issue('server')
  const { daemon, http: port } = await start(t, ['--http-cert', cert, '--http-key', key])
  for (const { where, from, ...attacker } of places) {
    const request = await clientHello()
    // From so many addresses the oldest goes, whoever it is: a check has to be over by then.
    const perSecond = 'sources' in attacker ? 500 : 10_000
    const attack = { port, ...attacker, atOnce: 600, perSecond, holdMs: 60_000 } as const
    const one = { port, from, request: get('/liveness'), tls: true, wanted: /^HTTP\/1\.1 200 / }
    // Both are asked at once.
    const role = { port: daemon.port, from, wanted: /^UNAVAILABLE$/ }
    const wrong = await besides(daemon, { ...attack, manner: 'read', request }, one, role)
    t.strictSame(wrong, [], where)
  }
  t.match(daemon.log().join('\n'), / warning: connection limit reached port=\d+ limit=512 /)
})

t.test('HTTP connections that do not read the answer', compiler.options, async t => {
  const { daemon, http: port } = await start(t)
  for (let changes = 0; changes < 100; changes += 1) {
    const before = daemon.log().length
    daemon.kill('SIGUSR2')
    await until(() => daemon.log().length > before, { what: 'a change', everyMs: 1 })
  }
  const history = await check({ port, from: '127.0.0.1', request: get('/history') })
  t.ok(history.length > 150_000, `${history.length} bytes`)
  const before = descriptorsOf(daemon.pid)
  for (const { where, from, ...attacker } of places) {
    const request = get('/history')
    const attack = {
      port,
      ...attacker,
      atOnce: 700,
      perSecond: 700,
      holdMs: 60_000,
      request,
    } as const
    const one = { port, from, request: get('/liveness'), wanted: /^HTTP\/1\.1 200 / }
    t.strictSame(await besides(daemon, { ...attack, manner: 'deaf' }, one), [], where)
  }
  t.ok(residentMibOf(daemon.pid) < 133, `${residentMibOf(daemon.pid)} MiB`)
  const isBack = (): boolean => descriptorsOf(daemon.pid) <= before
  await until(isBack, { what: 'all of them to be gone', limitMs: 10_000 })
})
