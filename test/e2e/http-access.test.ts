/** Which pages are shown on which port, and under which names. */
import { hostname } from 'node:os'
import t from 'tap'
import { freePort } from '../harness/free-port.ts'
import { startHttpDaemon } from '../harness/http-daemon.ts'
import { launchDaemon } from '../harness/daemon.ts'
import { forgeDataDirectory, startStandIn } from '../harness/stand-in.ts'
import { hear } from '../harness/tcp-client.ts'

t.setTimeout(120_000)

const checks = ['/', '/primary', '/read-only', '/health', '/readiness', '/liveness']
const documents = ['/status', '/metrics', '/history']

/** Status line and body. */
const get = async (port: number, path: string, host: string | null): Promise<string> => {
  const line = host === null ? '' : `Host: ${host}\r\n`
  const { bytes } = await hear({ port }, Buffer.from(`GET ${path} HTTP/1.1\r\n${line}\r\n`))
  const [head = '', body = ''] = bytes.toString().split('\r\n\r\n')
  return `${/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]} ${body}`
}

t.test('a port for health checks shows nothing else', async t => {
  const { directory } = await startStandIn(t, 'primary')
  const health = await freePort()
  const { daemon, http } = await startHttpDaemon(t, directory, port => [
    '--http',
    `127.0.0.1:${port}`,
    '--http-health',
    `127.0.0.1:${health}`,
  ])
  await daemon.said(new RegExp(`listening .*port=${health}\\b`))
  await daemon.answers('MASTER')
  for (const path of checks) t.equal(await get(health, path, 'x.example'), '200 MASTER\n', path)
  for (const path of documents) {
    t.equal(await get(health, path, null), '403 health checks only on this port (--http-health)\n')
    t.match(await get(http, path, null), /^200 /)
  }
  t.match(await get(health, '/nowhere', null), /^404 /)
})

t.test('other pages are shown under names of this host alone', async t => {
  const { directory } = await startStandIn(t, 'primary')
  const { daemon, http } = await startHttpDaemon(t, directory, port => [
    '--http',
    `127.0.0.1:${port}`,
    '--http-host',
    'db1.example.com,.svc',
  ])
  await daemon.answers('MASTER')
  const ours = [
    '127.0.0.1',
    `[::1]:${http}`,
    'localhost',
    hostname(),
    'db1.example.com',
    'pg.a.svc',
  ]
  for (const path of documents) {
    for (const host of ours) t.match(await get(http, path, host), /^200 /, `${path} as ${host}`)
    for (const host of ['rebound.example.org', `${hostname()}.example.org`, 'db2.example.com'])
      t.match(await get(http, path, host), /^421 [^\n]*--http-host[^\n]*\n$/, `${path} as ${host}`)
  }
  for (const path of checks)
    t.equal(await get(http, path, 'rebound.example.org'), '200 MASTER\n', path)
})

t.test('a port in use is reported with the option that named it', async t => {
  const dataDirectory = forgeDataDirectory(t)
  const { http } = await startHttpDaemon(t, dataDirectory)
  const args = ['--http-health', `127.0.0.1:${http}`]
  const daemon = await launchDaemon({ dataDirectory, args })
  t.match(await daemon.ended(), { code: 3 })
  t.match(daemon.log().at(-1), /^hint: .*choose another port with --http-health$/)
})
