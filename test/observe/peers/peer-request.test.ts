import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { LookupAddress } from 'node:dns'
import { createServer as createTcpServer, isIP, type AddressInfo, type Server } from 'node:net'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fact, fault } from '../../../src/facts/outcome.ts'
import { snapshotDocument } from '../../../src/facts/report/snapshot-json.ts'
import { memberDocument } from '../../../src/facts/report/member-json.ts'
import {
  answerBytesMax,
  answerPiecesMax,
  createClusterClient,
  createHistoryClient,
  createPeerClient,
  createResolver,
  createStatusClient,
  type Peer,
  type PeerTls,
  type Resolve,
} from '../../../src/observe/peers/peer-request.ts'
import { wireWords } from '../../../src/serve/role/reply.ts'
import { createAuthority, openssl, type Certificate } from '../../harness/certificates.ts'
import { primaryEvidence, snapshotOf } from '../../harness/evidence.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'
import { makeServerFolder } from '../../harness/stand-in.ts'
import { member } from '../../harness/standing-table.ts'

const timeoutMs = 1000

const listen = async (t: Test, server: Server): Promise<number> => {
  t.teardown(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const peerAt = (port: number, changes: Partial<Peer> = {}): Peer => ({
  text: `127.0.0.1:${port}`,
  secure: false,
  host: '127.0.0.1',
  port,
  ...changes,
})

const setUp = ({ tls = null, resolve }: { tls?: PeerTls | null; resolve?: Resolve } = {}) => {
  const { timers, advance, pending } = createManualTimers()
  const ask = createPeerClient(timers, () => tls, resolve)
  return { ask: (peer: Peer) => ask(peer, timeoutMs), advance, pending }
}

const serve = (t: Test, answer: RequestListener): Promise<number> => listen(t, createServer(answer))

/** A server that is no HTTP server, perhaps. */
const say = (t: Test, bytes: string): Promise<number> =>
  listen(
    t,
    createTcpServer(socket => {
      socket.on('error', () => undefined)
      socket.end(bytes)
    }),
  )

/** Goes on for as long as it is read. */
const flood = (t: Test, beginning: string, again: string): Promise<number> =>
  listen(
    t,
    createTcpServer(socket => {
      socket.on('error', () => undefined)
      const more = (): void => {
        while (!socket.destroyed && socket.write(again));
      }
      socket.on('drain', more)
      socket.write(beginning)
      more()
    }),
  )

t.test('the answer is what the peer reports of itself', async t => {
  const requests: unknown[] = []
  const port = await serve(t, ({ method, url, headers }, response) => {
    requests.push([method, url, headers.host])
    response.end(memberDocument(member()))
  })
  const { ask, pending } = setUp()
  t.strictSame(await ask(peerAt(port)).answer, fact(member()))
  t.strictSame(requests, [['GET', '/member', '127.0.0.1']])
  t.equal(pending(), 0)
})

const addresses = (...found: readonly string[]) =>
  fact(found.map(address => ({ address, family: isIP(address) })))

t.test('a daemon is asked for the whole cluster', async t => {
  const requests: unknown[] = []
  const answers = ['{"members": [], "scope": "5"}', '{"members": 1}']
  const port = await serve(t, ({ method, url }, response) => {
    requests.push([method, url])
    response.end(answers.shift())
  })
  const ask = createClusterClient(createManualTimers().timers)
  t.match(await ask(peerAt(port), timeoutMs).answer, fact({ members: [], scope: '5' }))
  t.strictSame(await ask(peerAt(port), timeoutMs).answer, fault('its answer is not valid: members'))
  t.strictSame(requests, [
    ['GET', '/cluster'],
    ['GET', '/cluster'],
  ])
})

t.test('over TLS it must prove its identity', openssl.options, async t => {
  const authority = await createAuthority(makeServerFolder(t), 'ca')
  const { cert, key } = await authority.issue('s2')
  const files = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  const port = await listen(t, createSecureServer(files))
  const ask = createClusterClient(createManualTimers().timers)
  t.match(await ask(peerAt(port, { secure: true }), timeoutMs).answer, {
    fault: /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
  })
})

t.test('a name is resolved, and the host is the first address', async t => {
  const hosts: unknown[] = []
  const port = await serve(t, ({ headers }, response) => {
    hosts.push(headers.host)
    response.end(memberDocument(member()))
  })
  const asked = (found: Awaited<ReturnType<Resolve>>) =>
    setUp({ resolve: () => Promise.resolve(found) }).ask(peerAt(port, { host: 's2.example.com' }))
      .answer
  t.match(await asked(addresses('127.0.0.1')), { ok: true })
  // Nobody listens at the first one.
  t.match(await asked(addresses('::1', '127.0.0.1')), { ok: true })
  t.strictSame(hosts, ['127.0.0.1', '[::1]'])
  t.strictSame(await asked(fault('ENOTFOUND')), fault('ENOTFOUND'))
})

t.test('a missing answer is reported with the reason', async t => {
  const { ask } = setUp()
  const head = 'HTTP/1.1 200 OK\r\n'
  const answers: readonly (readonly [bytes: string, fault: RegExp])[] = [
    ['', /^ECONNRESET$/],
    [wireWords.primary, /^HPE_INVALID_CONSTANT$/],
    [`${head}Content-Length: 9\r\n\r\n{}`, /^ECONNRESET$/],
    [`${head}\r\n{}`, /^its answer is not valid: instance$/],
    [`${head}\r\n${wireWords.primary}`, /^its answer is not valid: not a JSON object$/],
    ['HTTP/1.1 404 Not Found\r\n\r\nno such path\n', /^HTTP status 404: no such path$/],
    ['HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n\u001B[2J', /^HTTP status 302: \\u001b\[2J$/],
  ]
  for (const [bytes, reason] of answers) {
    t.match(await ask(peerAt(await say(t, bytes))).answer, { ok: false, fault: reason }, bytes)
  }
})

t.test('an answer without end is not read to the end, whatever it consists of', async t => {
  const head = 'HTTP/1.1 200 OK\r\n'
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`
  const tooLong = `its answer is longer than ${answerBytesMax} bytes`
  const tooMany = `its answer is in more than ${answerPiecesMax} pieces`
  const endless = [
    [`${head}\r\n`, ' ', tooLong],
    [chunked, `1000\r\n${' '.repeat(4096)}\r\n`, tooLong],
    [chunked, '1\r\n \r\n', tooMany],
    ['', 'HTTP/1.1 100 Continue\r\n\r\n', tooMany],
    ['', `HTTP/1.1 103 Early Hints\r\nLink: ${'x'.repeat(8000)}\r\n\r\n`, tooLong],
  ] as const
  const { ask, pending } = setUp()
  for (const [beginning, again, reason] of endless) {
    const port = await flood(t, beginning, again.repeat(1024))
    t.strictSame(await ask(peerAt(port)).answer, fault(reason), again.slice(0, 40))
  }
  t.equal(pending(), 0)
})

t.test('the time is limited, whatever it is spent on', async t => {
  const opened = deferred<void>()
  const port = await serve(t, (_, response) => {
    response.write('{')
    opened.resolve()
  })
  const slow = setUp()
  const { answer } = slow.ask(peerAt(port))
  await opened.promise
  slow.advance(timeoutMs)
  t.strictSame(await answer, fault('no answer within 1000 ms'))

  const resolved = deferred<ReturnType<typeof addresses>>()
  const unresolved = setUp({ resolve: () => resolved.promise })
  const asking = unresolved.ask(peerAt(port))
  unresolved.advance(timeoutMs)
  t.strictSame(await asking.answer, fault('no answer within 1000 ms'))
  resolved.resolve(addresses('127.0.0.1'))
  await settle()
})

t.test('a question can be canceled, also after the answer', async t => {
  const port = await serve(t, (_, response) => {
    response.end(memberDocument(member()))
  })
  const { ask, pending } = setUp()
  const asking = ask(peerAt(port))
  asking.cancel()
  t.strictSame(await asking.answer, fault('canceled'))
  const answered = ask(peerAt(port))
  t.match(await answered.answer, { ok: true })
  answered.cancel()
  t.equal(pending(), 0)
})

t.test('there is one query for a name at a time', async t => {
  const calls: ((error: Error | null, found: readonly LookupAddress[]) => void)[] = []
  const resolve = createResolver(((_: string, __: object, done: (typeof calls)[number]) => {
    calls.push(done)
  }) as never)
  t.strictSame(await resolve('192.0.2.1'), addresses('192.0.2.1'))
  const both = [resolve('s2'), resolve('s2')]
  t.equal(calls.length, 1)
  const found = addresses('192.0.2.2')
  calls[0]?.(null, found.fact)
  t.strictSame(await Promise.all(both), [found, found])
  const again = resolve('s2')
  calls[1]?.(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), [])
  t.strictSame(await again, fault('ENOTFOUND'))
})

t.test('the resolver of the system', async t => {
  t.match(await createResolver()('localhost'), {
    ok: true,
    fact: [{ address: /^(?:127\.0\.0\.1|::1)$/ }],
  })
})

t.test('over TLS each proves its identity', openssl.options, async t => {
  const folder = makeServerFolder(t)
  const [authority, stranger] = [
    await createAuthority(folder, 'ca'),
    await createAuthority(folder, 'stranger'),
  ]
  const text = (path: string): string => readFileSync(path, 'utf8')
  const textsOf = ({ cert, key }: Certificate) => ({ cert: text(cert), key: text(key) })
  const own = textsOf(await authority.issue('s1'))
  const foreign = textsOf(await stranger.issue('s3'))
  const ca = text(authority.cert)
  const port = await listen(
    t,
    createSecureServer(
      { ...textsOf(await authority.issue('s2')), ca, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const { authorized } = request.socket as { authorized?: boolean }
        response.end(memberDocument(member({ because: `authorized: ${authorized}` })))
      },
    ),
  )
  const asked = (tls: PeerTls | null, changes: Partial<Peer> = {}) => {
    const resolve: Resolve = () => Promise.resolve(addresses('127.0.0.1'))
    return setUp({ tls, resolve }).ask(peerAt(port, { secure: true, ...changes })).answer
  }
  const mutual = { ok: true, fact: { because: 'authorized: true' } }
  t.match(await asked({ ...own, ca }), mutual)
  t.match(await asked({ ...own, ca }, { host: 'localhost' }), mutual)
  t.match(await asked({ ...foreign, ca }), { ok: true, fact: { because: 'authorized: false' } })
  t.match(await asked({ ...own, ca }, { host: 's2.example.com' }), {
    fault: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })
  t.match(await asked({ ...own, ca: text(stranger.cert) }), {
    fault: /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
  })
  t.match(await asked({ ...own, ca: null }), {
    fault: /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
  })
  t.match(await asked(null), { fault: /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE/ })
})

t.test('a daemon of this host is asked at its socket', async t => {
  const socketPath = join(makeServerFolder(t), 'http.sock')
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`)
    response.end(snapshotDocument(snapshotOf(primaryEvidence())))
  })
  t.teardown(() => void server.close())
  server.listen(socketPath)
  await once(server, 'listening')
  const ask = createStatusClient(createManualTimers().timers)
  const peer = peerAt(0, { socketPath })
  t.match(await ask(peer, timeoutMs).answer, { ok: true, fact: { answer: 'primary' } })
  t.strictSame(asked, ['localhost /status'])
  const nowhere = peerAt(0, { socketPath: `${socketPath}.none` })
  t.match(await ask(nowhere, timeoutMs).answer, { ok: false, fault: 'ENOENT' })
})

t.test('and a daemon anywhere for its history', async t => {
  const port = await serve(t, ({ url }, response) => response.end(`{"changes": [], "x": "${url}"}`))
  const ask = createHistoryClient(createManualTimers().timers)
  t.match(await ask(peerAt(port), timeoutMs).answer, {
    ok: true,
    fact: { changes: [], document: /"x": "\/history"/ },
  })
})
