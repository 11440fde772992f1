import { once } from 'node:events'
import { connect, Socket, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { UnixMs } from '../../../src/facts/units.ts'
import type { Credentials } from '../../../src/serve/http/tls-credentials.ts'
import { createHttpServer } from '../../../src/serve/http/http-server.ts'
import { createAuthority, openssl, pem } from '../../harness/certificates.ts'
import { deferred } from '../../harness/manual-clock.ts'
import { makeServerFolder } from '../../harness/stand-in.ts'
import { hear, hearOn } from '../../harness/tcp-client.ts'
import { connectTls, hearTls } from '../../harness/tls-client.ts'

const limits = { headersTimeout: 20_000, connectionsCheckingInterval: 500 }
const get = 'GET / HTTP/1.0\r\n\r\n'

/** Answers with why the certificate of the client does not count. */
const start = async (t: Test, credentials: Credentials | null, options = limits) => {
  const http = createHttpServer(options, credentials)
  const accepted: Socket[] = []
  const asked: Socket[] = []
  const failures: string[] = []
  http.server.on('connection', (socket: Socket) => accepted.push(socket))
  http.server.on('tlsClientError', (error: NodeJS.ErrnoException) => failures.push(`${error.code}`))
  http.server.on('request', ({ socket }, response) => {
    asked.push(http.connectionOf(socket))
    response.end(`fault: ${http.certificateFault(socket)}`)
  })
  http.server.listen(0, '127.0.0.1')
  await once(http.server, 'listening')
  t.teardown(() => {
    http.server.close()
    http.destroyAll()
  })
  return { ...http, accepted, asked, failures, port: (http.server.address() as AddressInfo).port }
}

const faultIn = (bytes: Buffer): string => /(?<=fault: ).*$/.exec(bytes.toString())?.[0] ?? ''

t.test('plain HTTP is what it is', async t => {
  const { port, onStream, accepted, asked, renew, destroyAll } = await start(t, null)
  const streams: Socket[] = []
  onStream(socket => void streams.push(socket))
  t.equal(faultIn((await hear({ port }, Buffer.from(get))).bytes), 'null')
  t.equal(asked[0], accepted[0])
  t.equal(streams[0], accepted[0])
  renew({ cert: '', key: '', ca: null, expiresAt: 0 as UnixMs })
  const idle = connect({ port, host: '127.0.0.1' })
  await once(idle, 'connect')
  t.equal(faultIn((await hear({ port }, Buffer.from(get))).bytes), 'null')
  destroyAll()
  t.equal((await hearOn(idle)).bytes.length, 0)
})

t.test('TLS', openssl.options, async t => {
  const folder = makeServerFolder(t)
  const [authority, stranger] = [
    await createAuthority(folder, 'ca'),
    await createAuthority(folder, 'stranger'),
  ]
  const read = ({ cert, key }: { readonly cert: string; readonly key: string }) => ({
    cert: pem(cert).text,
    key: pem(key).text,
  })
  const own = read(await authority.issue('server'))
  const credentials = (ca: string | null): Credentials => ({
    ...own,
    ca,
    expiresAt: 0 as UnixMs,
  })
  const ca = pem(authority.cert).text

  await t.test('a client needs no certificate where none is wanted', async t => {
    const { port, server, onStream, accepted, asked, connectionOf } = await start(
      t,
      credentials(null),
    )
    const upper: Socket[] = []
    onStream(socket => void upper.push(socket))
    const closed = deferred<unknown>()
    server.on('connection', (socket: Socket) => socket.on('close', closed.resolve))
    t.equal(faultIn((await hearTls(port, get)).bytes), 'null')
    t.equal(asked.length, 1)
    t.equal(asked[0], accepted[0], 'what was accepted is found')
    const [gone = new Socket()] = upper
    await closed.promise
    t.equal(connectionOf(gone), gone)
  })

  await t.test('where one is wanted, it has to be a good one', async t => {
    const { port } = await start(t, credentials(ca))
    const told = async (options = {}) => faultIn((await hearTls(port, get, options)).bytes)
    const client = await authority.issue('client')
    t.equal(await told(read(client)), 'null')
    t.equal(await told(), 'none was sent')
    t.equal(await told(read(await authority.issue('old', { days: -1 }))), 'CERT_HAS_EXPIRED')
    t.match(await told(read(await stranger.issue('other'))), /^UNABLE_TO_VERIFY|^UNABLE_TO_GET/)
    const ofServer = await authority.issue('ofServer', { usage: 'serverAuth' })
    t.equal(await told(read(ofServer)), 'INVALID_PURPOSE')
    const ofClient = await authority.issue('ofClient', { usage: 'clientAuth' })
    t.equal(await told(read(ofClient)), 'null')
  })

  await t.test('a session that began without one is not resumed as if it had', async t => {
    const { port } = await start(t, credentials(ca))
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = connectTls(port, { maxVersion })
      const sessions: Buffer[] = []
      first.on('session', session => void sessions.push(session))
      first.write(get)
      t.equal(faultIn((await hearOn(first)).bytes), 'none was sent')
      const session = sessions.at(-1) ?? first.getSession()
      const second = connectTls(port, { maxVersion, ...(session === undefined ? {} : { session }) })
      const heard = hearOn(second)
      await once(second, 'secureConnect')
      t.equal(second.isSessionReused(), false, maxVersion)
      second.write(get)
      t.equal(faultIn((await heard).bytes), 'none was sent', maxVersion)
    }
  })

  await t.test('the claim of a resumed session is not trusted, should there be one', async t => {
    const http = await start(t, credentials(ca))
    // As a server is that may resume sessions.
    const server = http.server as unknown as { setSecureContext: (options: object) => void }
    server.setSecureContext({ ...own, ca })
    const first = connectTls(http.port)
    const { promise, resolve } = deferred<Buffer>()
    first.on('session', resolve)
    first.write(get)
    await hearOn(first)
    const second = connectTls(http.port, { session: await promise })
    const heard = hearOn(second)
    await once(second, 'secureConnect')
    t.equal(second.isSessionReused(), true, 'it was one')
    second.write(get)
    t.equal(faultIn((await heard).bytes), 'none was sent')
  })

  await t.test('older versions are refused, and so is renegotiation', async t => {
    const { port, failures } = await start(t, credentials(null))
    const old = connectTls(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })
    t.match((await hearOn(old)).end, /^ERR_SSL_|ECONNRESET/)
    const socket = connectTls(port, { maxVersion: 'TLSv1.2' })
    await once(socket, 'secureConnect')
    const again = new Promise<Error | null>(resolve => {
      socket.renegotiate({}, resolve)
      socket.on('error', resolve)
    })
    t.match(await again, { code: 'ERR_SSL_NO_RENEGOTIATION' })
    t.match(failures[0], /^ERR_SSL_/)
  })

  await t.test('a client that begins no handshake is cut off in time', async t => {
    const options = { ...limits, headersTimeout: 20 }
    const { port, failures } = await start(t, credentials(null), options)
    t.equal((await hear({ port })).bytes.length, 0)
    t.equal((await hear({ port }, Buffer.from([22]))).bytes.length, 0)
    t.strictSame(failures, ['ERR_TLS_HANDSHAKE_TIMEOUT', 'ERR_TLS_HANDSHAKE_TIMEOUT'])
  })

  await t.test('a new certificate is for connections from now on', async t => {
    const { port, renew } = await start(t, credentials(null))
    const before = connectTls(port)
    await once(before, 'secureConnect')
    renew({ ...credentials(null), ...read(await authority.issue('renewed')) })
    const nameOf = (socket: ReturnType<typeof connectTls>) => socket.getPeerCertificate().subject.CN
    const after = connectTls(port)
    await once(after, 'secureConnect')
    t.strictSame([nameOf(before), nameOf(after)], ['server', 'renewed'])
    before.write(get)
    t.equal(faultIn((await hearOn(before)).bytes), 'null')
    after.destroy()
  })

  await t.test('the end also cuts off clients that have not begun a handshake', async t => {
    const { port, server, destroyAll } = await start(t, credentials(null))
    const [idle, secure] = [connect({ port, host: '127.0.0.1' }), connectTls(port)]
    await once(secure, 'secureConnect')
    server.close()
    destroyAll()
    await Promise.all([hearOn(idle), hearOn(secure)])
  })

  await t.test('one that was destroyed on acceptance does no harm', async t => {
    const { server, port } = await start(t, credentials(null))
    let refuse = true
    server.prependListener('connection', (socket: Socket) => refuse && void socket.destroy())
    t.equal((await hearTls(port, get)).bytes.length, 0)
    refuse = false
    t.equal(faultIn((await hearTls(port, get)).bytes), 'null')
  })
})
