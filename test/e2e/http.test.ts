/**
 * HTTP beside real servers: what every path answers, what haproxy makes of it, and that nothing
 * that is sent to the port disturbs it.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { daemonProgram } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { haproxyFor, leadsTo, replacePorts } from '../harness/haproxy.ts'
import { startHttpDaemon, type HttpDaemon } from '../harness/http-daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { startPair } from '../harness/pair.ts'
import { runProgram } from '../harness/programs.ts'
import { readExample } from '../harness/repository.ts'
import { hear, hearOn } from '../harness/tcp-client.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const haproxyProgram = needProgram('haproxy')
const curlProgram = needProgram('curl')

const startStreaming = async (t: Test): Promise<readonly [Cluster, Cluster]> => {
  const { primary, standby } = await startPair(t, 18)
  const [writer, reader] = [await primary.session(), await standby.session()]
  const streams = async (): Promise<boolean> => {
    // The title tells nothing before something has come.
    await writer.query('select pg_switch_wal()')
    const [row] = await reader.query('select pid from pg_stat_wal_receiver')
    const pid = Number(row?.['pid'])
    return pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(' streaming ')
  }
  await until(streams, { what: 'the standby to stream', everyMs: 100 })
  await writer.close()
  await reader.close()
  return [primary, standby]
}

const ask = async ({ http }: HttpDaemon, path: string, method = 'GET') => {
  const response = await fetch(`http://127.0.0.1:${http}${path}`, { method })
  return { code: response.status, body: await response.text() }
}

/** For a primary, a standby, and a server that is stopped. */
const codes: Readonly<Record<string, readonly [number, number, number]>> = {
  '/': [200, 503, 503],
  '/primary': [200, 503, 503],
  '/read-write': [200, 503, 503],
  '/master': [200, 503, 503],
  '/leader': [200, 503, 503],
  '/replica': [503, 200, 503],
  '/replica?replication_state=streaming': [503, 200, 503],
  '/replica?lag=10MB': [503, 503, 503],
  '/read-only': [200, 200, 503],
  '/health': [200, 200, 503],
  '/readiness': [200, 200, 503],
  '/liveness': [200, 200, 200],
  '/status': [200, 200, 200],
  '/patroni': [404, 404, 404],
}
const words = ['MASTER\n', 'STANDBY\n', 'UNAVAILABLE\n']

t.test('every path, asked of a primary, a standby and a stopped server', async t => {
  const [primary, standby] = await startStreaming(t)
  const probes = [
    await startHttpDaemon(t, primary.dataDirectory),
    await startHttpDaemon(t, standby.dataDirectory),
  ] as const
  await probes[0].daemon.answers('MASTER')
  await probes[1].daemon.answers('STANDBY')
  const askAll = async (t: Test, probe: HttpDaemon, at: 0 | 1 | 2) => {
    for (const [path, expected] of Object.entries(codes)) {
      const { code, body } = await ask(probe, path)
      t.equal(code, expected[at], path)
      if (code !== 404 && path !== '/status') t.equal(body, words[at], path)
      for (const method of ['HEAD', 'OPTIONS']) {
        t.strictSame(await ask(probe, path, method), { code, body: '' }, `${method} ${path}`)
      }
      t.match(await ask(probe, path, 'POST'), { code: code === 404 ? 404 : 405 })
    }
  }
  await t.test('a primary', t => askAll(t, probes[0], 0))
  await t.test('a standby', t => askAll(t, probes[1], 1))

  await t.test('curl gets the same', curlProgram.options, async t => {
    const run = (args: readonly string[]) =>
      runProgram({ program: curlProgram.get(), args: ['-sS', ...args], cwd: '/' })
    const url = `http://127.0.0.1:${probes[0].http}`
    t.equal(await run(['-f', `${url}/primary`]), 'MASTER\n')
    t.match(await run(['-I', '--http1.0', `${url}/replica`]), /^HTTP\/1\.1 503 /)
    t.match(await run(['-X', 'OPTIONS', '-i', `${url}/`]), /^HTTP\/1\.1 200 /)
    t.match(await run(['-i', '-d', 'x'.repeat(100_000), `${url}/`]), /^HTTP\/1\.1 405 /)
    await t.rejects(run(['-f', `${url}/replica`]), /503/)
  })

  await t.test('the status is what the command prints', async t => {
    const args = ['status', '--json', '-D', primary.dataDirectory]
    const printed = await runProgram({ program: daemonProgram(), args, cwd: '/' })
    // Each looks by itself, and reckons from ticks since boot by itself.
    const ofTheLook = /"(?:checked_at|check_ms|started_at)": .*\n/g
    const { body } = await ask(probes[0], '/status')
    t.match(body, ofTheLook)
    t.equal(body.replaceAll(ofTheLook, ''), printed.replaceAll(ofTheLook, ''))
  })

  await t.test('nothing that is sent to the port disturbs it', async t => {
    const { http, daemon } = probes[0]
    const get = 'GET / HTTP/1.1\r\n\r\n'
    const talks = [
      ...Array.from({ length: 200 }, (_, length) => randomBytes(length)),
      get.repeat(10_000),
      'X'.repeat(1_000_000),
      `GET /${'x'.repeat(100_000)}\r\n`,
      '\r\n',
      `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(100_000)}\r\n`,
      'POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n',
    ].map(talk => Buffer.from(talk))
    // Meanwhile some say next to nothing, and are cut off in time.
    const slow = Array.from({ length: 50 }, () => {
      const socket = connect({ port: http, host: '127.0.0.1' })
      socket.write('GET / HT')
      return hearOn(socket)
    })
    await Promise.all(talks.map(talk => hear({ port: http }, talk)))
    t.strictSame(await ask(probes[0], '/primary'), { code: 200, body: 'MASTER\n' })
    t.equal(await daemon.ask(), 'MASTER')
    for (const { bytes } of await Promise.all(slow)) t.match(bytes.toString(), /^HTTP\/1\.1 408 /)
    t.strictSame(await ask(probes[0], '/primary'), { code: 200, body: 'MASTER\n' })
    t.notMatch(daemon.log().join('\n'), /error|warning/i)
  })

  await t.test('a stopped server', async t => {
    await primary.stop()
    await probes[0].daemon.answers('refused')
    await askAll(t, probes[0], 2)
  })
})

t.test('a port in use is reported with the option that named it', async t => {
  const cluster = await createCluster({ major: 18 })
  t.teardown(cluster.destroy)
  const { http } = await startHttpDaemon(t, cluster.dataDirectory)
  const args = ['-D', cluster.dataDirectory, '--port', String(await freePort())]
  await t.rejects(
    runProgram({ program: daemonProgram(), args: [...args, '--http', String(http)], cwd: '/' }),
    /address already in use\nhint: another program .* choose another port with --http/,
  )
})

const config = readExample('haproxy-http.cfg')

t.test('haproxy follows a stop and a promotion by HTTP', haproxyProgram.options, async t => {
  const [primary, standby] = await startStreaming(t)
  const [first, second] = [
    await startHttpDaemon(t, primary.dataDirectory),
    await startHttpDaemon(t, standby.dataDirectory),
  ]
  await first.daemon.answers('MASTER')
  await second.daemon.answers('STANDBY')
  const ports = new Map([
    [5999, await freePort()],
    [5998, await freePort()],
    [5500, primary.port],
    [5501, standby.port],
    [8000, first.http],
    [8001, second.http],
  ])
  const haproxy = await haproxyFor(t, {
    program: haproxyProgram.get(),
    config: replacePorts(config, ports),
  })

  await haproxy.sees('the primary', leadsTo('read-write', 's1'))
  await haproxy.sees('the standby', leadsTo('read-only', 's2'))
  const rows = await haproxy.servers()
  const check = (section: string, server: string): string | undefined =>
    rows.find(row => row.section === section && row.server === server)?.check
  t.match(check('read-write', 's1'), /L7OK/)
  t.match(check('read-write', 's2'), /L7STS/)
  await primary.stop()
  await haproxy.sees('no primary', leadsTo('read-write'))
  await standby.promote('sql')
  await haproxy.sees('the new primary', leadsTo('read-write', 's2'))
  await haproxy.sees('no standby', leadsTo('read-only'))
})
