/** HTTPS with real clients: curl, haproxy and Prometheus, and certificates of every kind. */
import { once } from 'node:events'
import { chmodSync, chownSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createAuthority, openssl, type Certificate } from '../harness/certificates.ts'
import { launchDaemon, startDaemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { haproxyFor, leadsTo, replacePorts } from '../harness/haproxy.ts'
import { startHttpDaemon } from '../harness/http-daemon.ts'
import { needProgram, needRoot } from '../harness/needs.ts'
import { runProgram } from '../harness/programs.ts'
import { prometheusFor } from '../harness/prometheus.ts'
import { readExample } from '../harness/repository.ts'
import { forgeDataDirectory, makeServerFolder, startStandIn } from '../harness/stand-in.ts'
import { hearOn } from '../harness/tcp-client.ts'
import { connectTls } from '../harness/tls-client.ts'
import { until } from '../harness/until.ts'

t.setTimeout(300_000)

const curl = needProgram('curl')
const haproxyProgram = needProgram('haproxy')
const prometheus = needProgram('prometheus')
const root = needRoot()

const makePapers = async (t: Test) => {
  const folder = makeServerFolder(t)
  const authority = await createAuthority(folder, 'ca')
  return { folder, authority, server: await authority.issue('server') }
}

const tlsArgs = ({ cert, key }: Certificate, clientCa?: string): readonly string[] => [
  '--http-cert',
  cert,
  '--http-key',
  key,
  ...(clientCa === undefined ? [] : ['--http-client-ca', clientCa]),
]

/** A daemon beside what looks like a primary. */
const start = async (t: Test, args: readonly string[]) => {
  const { directory } = await startStandIn(t, 'primary')
  const started = await startHttpDaemon(t, directory, http => [
    '--http',
    `127.0.0.1:${http}`,
    ...args,
  ])
  await started.daemon.answers('MASTER')
  return started
}

const whole = [curl, openssl].find(({ options }) => options.skip !== false)?.options ?? curl.options

t.test('curl, with and without a certificate', whole, async t => {
  const { folder, authority, server } = await makePapers(t)
  const stranger = await createAuthority(folder, 'stranger')
  const client = await authority.issue('client')
  const { http, daemon } = await start(t, tlsArgs(server, authority.cert))
  /** The status code, or the code that curl exits with. */
  const ask = async (path: string, ...args: readonly string[]): Promise<string> => {
    const print = ['-sS', '-o', '/dev/null', '-w', '%{http_code}']
    const url = `https://127.0.0.1:${http}${path}`
    const all = [...print, '--cacert', authority.cert, ...args, url]
    return runProgram({ program: curl.get(), args: all, cwd: '/' }).catch(
      (failure: unknown) => /curl: \((\d+)\)/.exec(String(failure))?.[1] ?? String(failure),
    )
  }
  const shows = ({ cert, key }: Certificate) => ['--cert', cert, '--key', key]
  for (const path of ['/', '/primary', '/read-only', '/health', '/readiness', '/liveness']) {
    for (const method of [[], ['-I'], ['-X', 'OPTIONS']])
      t.equal(await ask(path, ...method), '200', `${method.join(' ')} ${path}`)
  }
  t.equal(await ask('/replica'), '503')
  for (const path of ['/status', '/metrics', '/history']) {
    t.equal(await ask(path), '403', `${path} without a certificate`)
    t.equal(await ask(path, ...shows(await stranger.issue('other'))), '403', `of a stranger`)
    t.equal(await ask(path, ...shows(client)), '200', `${path} with one`)
    t.equal(await ask(path, ...shows(client), '-H', 'Host: rebound.example.org'), '421')
  }
  t.equal(await ask('/primary', '--cacert', stranger.cert), '60', 'another authority')
  t.equal(await ask('/primary', '--tls-max', '1.2'), '200')
  const ciphers = ['--ciphers', 'DEFAULT@SECLEVEL=0']
  t.equal(await ask('/primary', '--tlsv1.0', '--tls-max', '1.1', ...ciphers), '35')
  t.equal(await ask('/primary', '--http2'), '200')
  const plain = ['-sS', `http://127.0.0.1:${http}/primary`]
  await t.rejects(runProgram({ program: curl.get(), args: plain, cwd: '/' }), /curl: \(52\)/)
  await daemon.said(/ info: TLS handshake failed port=\d+ .*because=/)
  t.equal(await daemon.ask(), 'MASTER')
})

/** Its exit code, and what it says when it does not start. */
const refusal = async (args: readonly string[], dataDirectory: string): Promise<string> => {
  const daemon = await launchDaemon({ dataDirectory, args: ['--http', '127.0.0.1:0', ...args] })
  const { code } = await daemon.ended()
  return [code, ...daemon.log().filter(line => /^(?:pg-replstatus|hint): /.test(line))].join('\n')
}

t.test('an unusable file is reported in one line, with a hint', openssl.options, async t => {
  const { folder, authority, server } = await makePapers(t)
  const dataDirectory = forgeDataDirectory(t)
  const told = (args: readonly string[]) => refusal(args, dataDirectory)
  const line = (message: string, hint: string): RegExp =>
    new RegExp(`^3\npg-replstatus: error: ${message}\nhint: ${hint}$`)
  const late = await authority.issue('late', { days: -1 })
  t.match(await told(tlsArgs(late)), line('the certificate in .* expired at .*', 'renew it'))
  const { key } = await authority.issue('other')
  t.match(await told(tlsArgs({ ...server, key })), line('the private key in .* match .*', '.+'))
  const cert = join(folder, 'missing.crt')
  t.match(await told(tlsArgs({ ...server, cert })), line(`could not read ${cert}: ENOENT`, '.+'))
  t.match(
    await told(['--http-cert', server.cert]),
    line('.* has no private key in PEM format', '.*--http-key'),
  )
  t.match(await told(['--http-key', server.key]), line('--http-key requires http-cert', '.+'))
  t.match(
    await told(tlsArgs(server, server.key)),
    line('.*server\\.key has no certificate in PEM format', '.+'),
  )
})

const rootAndOpenssl = root.options.skip === false ? openssl.options : root.options

t.test('files are read after root has been given up', rootAndOpenssl, async t => {
  const { server } = await makePapers(t)
  const dataDirectory = forgeDataDirectory(t)
  chownSync(server.key, 0, 0)
  t.match(
    await refusal(tlsArgs(server), dataDirectory),
    `3\npg-replstatus: error: could not read ${server.key}: EACCES`,
  )
})

t.test('what will not do for long, or is no secret, is a warning', openssl.options, async t => {
  const { authority } = await makePapers(t)
  const { cert, key } = await authority.issue('soon', { days: 13 })
  chmodSync(key, 0o644)
  const { daemon } = await start(t, tlsArgs({ cert, key }))
  const log = daemon.log().join('\n')
  t.match(log, /notice: certificate file=.*soon\.crt expires=\d{4}-/)
  t.match(log, /warning: certificate because="the certificate in .* expires at .*" hint="renew it"/)
  t.match(log, /warning: certificate because="every user can read .*soon\.key" hint="chmod o= /)
})

const shownOn = async (port: number): Promise<string> => {
  const socket = connectTls(port)
  await once(socket, 'secureConnect')
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  await hearOn(socket)
  return String(CN)
}

t.test('SIGHUP has the files read again, and bad ones change nothing', openssl.options, async t => {
  const { folder, authority, server } = await makePapers(t)
  const [cert, key] = [join(folder, 'live.crt'), join(folder, 'live.key')]
  const install = (from: Certificate): void => {
    copyFileSync(from.cert, cert)
    copyFileSync(from.key, key)
    chmodSync(key, 0o644)
  }
  const next = await authority.issue('next')
  const reload = async (daemon: Awaited<ReturnType<typeof startDaemon>>): Promise<string> => {
    const before = daemon.log().length
    daemon.kill('SIGHUP')
    const isOver = () =>
      daemon
        .log()
        .slice(before)
        .some(line => / reloaded /.test(line))
    await until(isOver, { what: 'a reload' })
    return daemon.log().slice(before).join('\n')
  }
  const check = async (daemon: Awaited<ReturnType<typeof startDaemon>>, port: number) => {
    t.equal(await shownOn(port), 'server')
    install(next)
    t.match(await reload(daemon), /notice: certificate .*file=.*live\.crt/)
    t.equal(await shownOn(port), 'next')
    install({ cert: next.cert, key: server.key })
    t.match(await reload(daemon), /error: certificate refused .*because=".* match .*" hint=/)
    t.equal(await shownOn(port), 'next', 'as before')
    t.match(await reload(daemon), /reloaded started=0 changed=0 stopped=0 unchanged=1/)
    install(server)
    await reload(daemon)
  }
  install(server)
  const { daemon, http } = await start(t, tlsArgs({ cert, key }))
  await check(daemon, http)

  const { directory } = await startStandIn(t, 'primary')
  const config = join(folder, 'x.conf')
  const [port, https] = [await freePort(), await freePort()]
  writeFileSync(
    config,
    `bind = 127.0.0.1\nhttp-cert = ${cert}\nhttp-key = ${key}\n` +
      `[main]\npgdata = ${directory}\nport = ${port}\nhttp = 127.0.0.1:${https}\n`,
  )
  const several = await startDaemon({ config, port })
  t.teardown(several.stop)
  await several.answers('MASTER')
  await several.said(new RegExp(`listening .*port=${https}\\b`))
  await check(several, https)
})

const haproxyAndOpenssl =
  haproxyProgram.options.skip === false ? openssl.options : haproxyProgram.options

t.test('haproxy checks by TLS, and trusts its authority alone', haproxyAndOpenssl, async t => {
  const { folder, authority, server } = await makePapers(t)
  const stranger = await createAuthority(folder, 'stranger')
  const { daemon, http } = await start(t, tlsArgs(server, authority.cert))
  const ports = new Map([
    [5999, await freePort()],
    [5998, await freePort()],
    [5500, daemon.port],
    [5501, daemon.port],
    [8000, http],
    [8001, http],
  ])
  const byTls = (ca: string): string =>
    replacePorts(readExample('haproxy-http.cfg'), ports).replaceAll(
      / check port \d+/g,
      found => `${found} check-ssl verify required ca-file ${ca}`,
    )
  const program = haproxyProgram.get()
  const good = await haproxyFor(t, { program, config: byTls(authority.cert) })
  await good.sees('the primary', rows =>
    rows
      .filter(({ section }) => section === 'read-write')
      .every(({ check }) => check.startsWith('L7OK')),
  )
  const bad = await haproxyFor(t, { program, config: byTls(stranger.cert) })
  await bad.sees('a failed handshake', rows => rows.every(({ check }) => check.startsWith('L6')))
  await bad.sees('no server', leadsTo('read-write'))
  t.match(await daemon.said(/TLS handshake failed/), /unknown ca/)
})

const prometheusAndOpenssl =
  prometheus.options.skip === false ? openssl.options : prometheus.options

t.test('Prometheus scrapes with a certificate, and not without', prometheusAndOpenssl, async t => {
  const { authority } = await makePapers(t)
  const server = await authority.issue('soon', { days: 13 })
  const client = await authority.issue('client', { usage: 'clientAuth' })
  const { http } = await start(t, tlsArgs(server, authority.cert))
  // By name, which is in the certificate as well.
  const instance = `localhost:${http}`
  const program = prometheus.get()
  const ca = authority.cert
  const trusted = await prometheusFor(t, { program, targets: [instance], tls: { ca, ...client } })
  await trusted.tells('pg_replstatus_role == 1', [{ instance, role: 'primary' }])
  const left = 'pg_replstatus_http_certificate_expiry_time_seconds - time()'
  await trusted.tells(`${left} > 12.9 * 86400 and ${left} < 13.1 * 86400`, [{ instance }])
  await trusted.tells('ALERTS', [{ instance, alertname: 'PgReplstatusCertificateExpires' }])
  const untrusted = await prometheusFor(t, { program, targets: [instance], tls: { ca } })
  await untrusted.tells('up == 0', [{ instance }])
})
