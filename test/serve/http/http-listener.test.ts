import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import {
  createHttpListener,
  httpLimits,
  type HttpListenerOptions,
} from '../../../src/serve/http/http-listener.ts'
import type { HttpAnswer, HttpRequest } from '../../../src/serve/http/http-routes.ts'
import type { UnixMs } from '../../../src/facts/units.ts'
import type { Credentials } from '../../../src/serve/http/tls-credentials.ts'
import { createAuthority, openssl, pem } from '../../harness/certificates.ts'
import { fixedShare } from '../../harness/fixed-share.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'
import { makeServerFolder } from '../../harness/stand-in.ts'
import { connectStubborn, hear, hearOn, listenAsStranger } from '../../harness/tcp-client.ts'
import { connectTls, hearTls } from '../../harness/tls-client.ts'

const hello: HttpAnswer = {
  statusCode: 200,
  headers: { 'Content-Length': 6, Connection: 'close' },
  body: 'hello\n',
}

const setup = async (t: Test, options: Partial<HttpListenerOptions> = {}) => {
  const requests: HttpRequest[] = []
  const listener = createHttpListener({
    on: { address: '127.0.0.1', port: 0 },
    credentials: null,
    answer: request => {
      requests.push(request)
      return hello
    },
    share: fixedShare(512),
    allowed: null,
    timers: createManualTimers().timers,
    report: () => undefined,
    ...options,
  })
  t.teardown(listener.destroy)
  const opened = await listener.open()
  if (!opened.ok) throw new Error(opened.fault.kind)
  const { port } = opened.fact
  /** All that comes back, to the end. */
  const say = async (bytes: string | Uint8Array): Promise<string> => {
    const heard = await hear({ port }, Buffer.from(bytes as string, 'latin1'))
    return heard.bytes.toString('latin1')
  }
  return { listener, port, requests, say }
}

const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
const isHello = /^HTTP\/1\.1 200 OK\r\n[^]*\r\nConnection: close\r\n[^]*\r\n\r\nhello\n$/

t.test('a request is answered, and the end follows', async t => {
  const { say, requests } = await setup(t)
  t.match(await say('GET /replica?x=1 HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n'), isHello)
  t.match(await say(get('/')), isHello)
  const told = {
    method: 'GET',
    target: '/replica?x=1',
    host: 'x',
    accept: 'text/html',
    certificateFault: null,
  }
  t.strictSame(requests, [told, { ...told, target: '/', accept: null }])
})

t.test('a request need not name a host, nor use the latest version', async t => {
  const { say } = await setup(t)
  t.match(await say('OPTIONS / HTTP/1.0\r\n\r\n'), isHello)
  t.match(await say('GET / HTTP/1.1\r\n\r\n'), isHello)
  t.match(await say('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'), isHello)
})

t.test('a request in pieces is one', async t => {
  const { port } = await setup(t)
  const socket = connect({ port, host: '127.0.0.1' })
  const heard = hearOn(socket)
  for (const piece of get('/primary')) {
    socket.write(piece)
    await settle()
  }
  t.match((await heard).bytes.toString(), isHello)
})

t.test('of several requests at once the first is answered, and no other asked for', async t => {
  const { say, requests } = await setup(t)
  t.match(await say(get('/1') + get('/2') + get('/3')), isHello)
  t.match(await say(get('/1') + 'GARBAGE\r\n\r\n'.repeat(100)), isHello)
  t.strictSame(
    requests.map(({ target }) => target),
    ['/1', '/1'],
  )
})

t.test('so it is while the first answer is waited for', async t => {
  const { promise, resolve } = deferred<HttpAnswer>()
  const asked: string[] = []
  const { say } = await setup(t, {
    answer: ({ target }) => {
      asked.push(target)
      setImmediate(resolve, hello)
      return promise
    },
  })
  t.match(await say(get('/1') + get('/2')), isHello)
  t.strictSame(asked, ['/1'])
})

t.test('a client that has gone before the answer does no harm', async t => {
  const { promise, resolve } = deferred<HttpAnswer>()
  const arrived = deferred<void>()
  let waits = true
  const { port, say } = await setup(t, {
    answer: () => {
      arrived.resolve()
      return waits ? promise : hello
    },
  })
  const socket = connect({ port, host: '127.0.0.1' })
  socket.write(get())
  await arrived.promise
  socket.resetAndDestroy()
  await once(socket, 'close')
  waits = false
  t.match(await say(get()), isHello, 'by now the other end has seen it')
  resolve(hello)
  t.match(await say(get()), isHello)
})

t.test('a body is neither waited for nor read', async t => {
  const { say } = await setup(t)
  t.match(await say('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n'), isHello)
  const chunked = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n'
  t.match(await say(`${chunked}\r\n5\r\nabcde\r\n`), isHello)
  t.match(await say(`${chunked}Expect: 100-continue\r\n\r\n`), isHello)
  t.match(await say('GET / HTTP/1.1\r\nHost: x\r\nExpect: the unexpected\r\n\r\n'), isHello)
})

t.test('a request that is not HTTP gets an error, and is closed', async t => {
  const { say, requests } = await setup(t)
  const bad = /^HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n\r\n$/
  const smuggled = 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'
  for (const garbage of [
    'hello\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'GET / HTTP/9.9\r\n\r\n',
    'GET / HTTP/1.1\r\nno colon\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: \0\r\n\r\n',
    `GET / HTTP/1.1\r\n${smuggled}`,
    '\0'.repeat(1000),
  ]) {
    t.match(await say(garbage), bad, JSON.stringify(garbage.slice(0, 30)))
  }
  t.strictSame(requests, [])
})

t.test('CONNECT is refused, and an upgrade is an ordinary request', async t => {
  const { say } = await setup(t)
  t.equal(await say('CONNECT db1:5432 HTTP/1.1\r\nHost: db1\r\n\r\n'), '')
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  t.match(await say(`GET / HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`), isHello)
})

t.test('a header that is too long is refused, many lines are not', async t => {
  const { say } = await setup(t)
  const tooLong = /^(?:HTTP\/1\.1 431 [^]*)?$/
  const { headerBytesMax } = httpLimits
  t.match(await say(`GET /${'x'.repeat(headerBytesMax)} HTTP/1.1\r\n\r\n`), tooLong)
  t.match(await say(`GET / HTTP/1.1\r\nX: ${'x'.repeat(headerBytesMax)}\r\n\r\n`), tooLong)
  t.match(await say(`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(headerBytesMax)}\r\n`), tooLong)
  t.match(await say(`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(3000)}\r\n`), isHello)
  t.match(await say(get()), isHello)
})

t.test('a client that is too slow with the header gets an error, and is cut off', async t => {
  const limits = { ...httpLimits, headersTimeoutMs: 20, checkEveryMs: 5 }
  const { say } = await setup(t, { limits })
  const late = /^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n\r\n$/
  t.match(await say(''), late, 'not a byte')
  t.match(await say('GET / HTTP/1.1\r\nHost:'), late, 'not the whole header')
})

/** Connected, and saying nothing for the time being. */
const connectIdle = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  return socket
}

t.test('above the limit the newest is answered, and the oldest goes', async t => {
  const { listener, port, say } = await setup(t, { share: fixedShare(2) })
  const idle = [await connectIdle(port), await connectIdle(port)]
  const heard = idle.map(hearOn)
  t.match(await say(get()), isHello)
  t.match(await heard[0], { bytes: { length: 0 } })
  t.strictSame(listener.counters(), { dropped: 1, acceptFailed: 0, refused: 0 })
  idle[1]?.write(get())
  t.match((await heard[1])?.bytes.toString('latin1'), isHello)
})

/** More than any kernel buffers. */
const large: HttpAnswer = {
  statusCode: 200,
  headers: { Connection: 'close' },
  body: Buffer.alloc(20_000_000),
}

t.test('one that has been answered is closed before one without a request', async t => {
  const { listener, port, say } = await setup(t, {
    share: fixedShare(2),
    limits: { ...httpLimits, headersTimeoutMs: 60_000 },
    answer: ({ target }) => (target === '/large' ? large : hello),
  })
  const idle = await connectIdle(port)
  const deaf = await connectIdle(port)
  deaf.write(get('/large'))
  await once(deaf, 'readable')
  t.match(await say(get()), isHello)
  t.equal(listener.counters().dropped, 1)
  const { bytes } = await hearOn(deaf)
  t.ok(bytes.length < 20_000_000, `${bytes.length} bytes`)
  const heard = hearOn(idle)
  idle.write(get())
  t.match((await heard).bytes.toString('latin1'), isHello)
})

t.test('an answer that is not read in time is cut off', async t => {
  const time = createManualTimers()
  const { port, say, listener } = await setup(t, { answer: () => large, timers: time.timers })
  const deaf = await connectIdle(port)
  deaf.write(get())
  await once(deaf, 'readable')
  t.equal((await say(get())).length > 20_000_000, true, 'who reads has it all')
  t.equal(time.pending(), 1)
  time.advance(2 * httpLimits.answerMs)
  const { bytes } = await hearOn(deaf)
  t.ok(bytes.length < 20_000_000, `${bytes.length} bytes`)
  t.equal(time.pending(), 0)
  t.strictSame(listener.counters(), { dropped: 0, acceptFailed: 0, refused: 0 })
})

t.test('no timer is left at the end', async t => {
  const time = createManualTimers()
  const { port, listener } = await setup(t, { answer: () => large, timers: time.timers })
  const deaf = await connectStubborn({ port })
  deaf.write(get())
  await once(deaf, 'readable')
  listener.destroy()
  t.equal(time.pending(), 0)
  deaf.destroy()
})

t.test('a client that never reads or never closes is not waited for', async t => {
  const { port, say } = await setup(t)
  const clients = await Promise.all(Array.from({ length: 50 }, () => connectStubborn({ port })))
  for (const client of clients) client.write(get())
  t.match(await say(get()), isHello)
  for (const client of clients) client.destroy()
})

t.test('a flood of requests and of connections is answered', async t => {
  const { say } = await setup(t)
  const answers = await Promise.all(Array.from({ length: 300 }, () => say(get())))
  t.ok(answers.every(answer => isHello.test(answer)))
  await Promise.all(Array.from({ length: 20 }, () => say(get().repeat(5000))))
  t.match(await say(get()), isHello)
})

t.test('whatever is sent, the next one is answered', async t => {
  const limits = { ...httpLimits, headersTimeoutMs: 50, checkEveryMs: 10 }
  const { say } = await setup(t, { limits })
  const words = 'GET_/_ HTTP/1.1_\r\n_\n_\r_: _Host_Content-Length_-1_0_Transfer-Encoding_chunked'
  const more =
    'Connection_upgrade_HEAD_POST_PRI * HTTP/2.0_\r\n\r\n_Expect: 100-continue_http://x_ '
  const pieces = [...words.split('_'), ...more.split('_'), get(), 'ffffffffffffffff\r\n']
  const piece = fc.constantFrom(...pieces)
  const bytes = fc.uint8Array({ maxLength: 40 }).map(all => Buffer.from(all).toString('latin1'))
  const talk = fc.array(fc.oneof(piece, bytes), { maxLength: 12 }).map(parts => parts.join(''))
  await fc.assert(
    fc.asyncProperty(fc.array(talk, { minLength: 8, maxLength: 8 }), async talks => {
      const answers = await Promise.all(talks.map(say))
      for (const answer of answers) t.match(answer, /^(?:HTTP\/1\.1 (?:200|4\d\d) [^]*)?$/)
      t.match(await say(get()), isHello)
    }),
    { numRuns: 40 },
  )
})

t.test('a port that cannot be opened is the outcome', async t => {
  const stranger = await listenAsStranger()
  t.teardown(() => stranger.server.close())
  const listener = createHttpListener({
    on: { address: '127.0.0.1', port: stranger.port },
    credentials: null,
    answer: () => hello,
    share: fixedShare(1),
    allowed: null,
    timers: createManualTimers().timers,
    report: () => undefined,
  })
  t.match(await listener.open(), { ok: false, fault: { kind: 'port in use' } })
  t.strictSame(listener.counters(), { dropped: 0, acceptFailed: 0, refused: 0 })
  listener.destroy()
})

t.test('a client that is not allowed is closed without a byte, whatever it sends', async t => {
  let open = false
  const { requests, listener, say } = await setup(t, { allowed: () => open })
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'garbage\r\n\r\n', ''])
    t.equal(await say(bytes), '')
  t.strictSame(requests, [])
  t.match(listener.counters(), { refused: 3 })
  open = true
  t.match(await say('GET / HTTP/1.1\r\n\r\n'), /hello/)
})

t.test('the end cuts off all clients', async t => {
  const { listener, port } = await setup(t)
  const socket = await connectStubborn({ port })
  const heard = hearOn(socket)
  socket.write('GET / HT')
  await settle()
  listener.destroy()
  socket.end()
  t.match((await heard).bytes.toString(), '')
  t.match(await hear({ port }), { end: 'ECONNREFUSED' })
})

t.test('the same with TLS', openssl.options, async t => {
  const authority = await createAuthority(makeServerFolder(t), 'ca')
  const files = await authority.issue('server')
  const credentials: Credentials = {
    cert: pem(files.cert).text,
    key: pem(files.key).text,
    ca: pem(authority.cert).text,
    expiresAt: 0 as UnixMs,
  }

  await t.test('a request is answered, with the certificate that its client has shown', async t => {
    const { port, requests, say } = await setup(t, { credentials })
    t.match((await hearTls(port, get())).bytes.toString(), isHello)
    t.match(requests, [{ certificateFault: 'none was sent' }])
    t.match((await hearTls(port, get('/1') + get('/2'))).bytes.toString(), isHello)
    t.strictSame(
      requests.map(({ target }) => target),
      ['/', '/1'],
      'nothing of what comes behind',
    )
    t.equal(await say(get()), '', 'plain HTTP is not')
  })

  await t.test('a renewed certificate is shown', async t => {
    const { port, listener } = await setup(t, { credentials })
    const next = await authority.issue('renewed')
    listener.renew({ ...credentials, cert: pem(next.cert).text, key: pem(next.key).text })
    const socket = connectTls(port)
    await once(socket, 'secureConnect')
    t.equal(socket.getPeerCertificate().subject.CN, 'renewed')
    socket.destroy()
  })

  await t.test('a client that is not allowed does not get to a handshake', async t => {
    const { port, listener } = await setup(t, { credentials, allowed: () => false })
    const socket = connectTls(port)
    socket.on('secureConnect', () => t.fail('it did'))
    t.equal((await hearOn(socket)).bytes.length, 0)
    t.match(listener.counters(), { refused: 1 })
  })

  await t.test('above the limit the oldest goes, one that was answered first', async t => {
    const { port, listener } = await setup(t, {
      credentials,
      share: fixedShare(2),
      answer: ({ target }) => (target === '/large' ? large : hello),
    })
    const idle = await connectIdle(port)
    const deaf = connectTls(port)
    deaf.write(get('/large'))
    await once(deaf, 'readable')
    t.match((await hearTls(port, get())).bytes.toString(), isHello)
    t.equal(listener.counters().dropped, 1)
    const { bytes } = await hearOn(deaf)
    t.ok(bytes.length < 20_000_000, `${bytes.length} bytes`)
    t.notOk(idle.destroyed)
    t.match((await hearTls(port, get())).bytes.toString(), isHello)
    t.match((await hearTls(port, get())).bytes.toString(), isHello)
    idle.destroy()
  })

  await t.test('an answer that is not read in time is cut off', async t => {
    const time = createManualTimers()
    const { port } = await setup(t, { credentials, answer: () => large, timers: time.timers })
    const deaf = connectTls(port)
    deaf.write(get())
    await once(deaf, 'readable')
    time.advance(2 * httpLimits.answerMs)
    const { bytes } = await hearOn(deaf)
    t.ok(bytes.length < 20_000_000, `${bytes.length} bytes`)
    t.equal(time.pending(), 0)
  })

  await t.test(
    'a client that is too slow is cut off, before the handshake and after it',
    async t => {
      const limits = { ...httpLimits, headersTimeoutMs: 200, checkEveryMs: 5 }
      const { port, say } = await setup(t, { credentials, limits })
      t.equal(await say(''), '')
      t.match((await hearTls(port, 'GET / HT')).bytes.toString(), /^HTTP\/1\.1 408 /)
    },
  )

  await t.test(
    'whatever is sent, within TLS or instead of it, the next one is answered',
    async t => {
      const limits = { ...httpLimits, headersTimeoutMs: 1000, checkEveryMs: 10 }
      const { port, say } = await setup(t, { credentials, limits })
      const hello3 = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
      const pieces = [
        get(),
        'GET',
        ' / ',
        'HTTP/1.1',
        '\r\n',
        '\0',
        'PRI * HTTP/2.0\r\n\r\n',
        hello3,
      ]
      const bytes = fc.uint8Array({ maxLength: 40 }).map(all => Buffer.from(all).toString('latin1'))
      const talk = fc
        .array(fc.oneof(fc.constantFrom(...pieces), bytes), { minLength: 1, maxLength: 12 })
        .map(parts => parts.join(''))
      await fc.assert(
        fc.asyncProperty(fc.array(talk, { minLength: 8, maxLength: 8 }), async talks => {
          const within = talks.map(text => hearTls(port, Buffer.from(text, 'latin1')))
          for (const { bytes: heard } of await Promise.all(within))
            t.match(heard.toString('latin1'), /^(?:HTTP\/1\.1 (?:200|4\d\d) [^]*)?$/)
          for (const heard of await Promise.all(talks.map(say))) t.notMatch(heard, 'hello')
          t.match((await hearTls(port, get())).bytes.toString(), isHello)
        }),
        { numRuns: 4 },
      )
    },
  )
})
