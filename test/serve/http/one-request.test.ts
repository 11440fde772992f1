import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import { createHeaderReader, readOneRequest } from '../../../src/serve/http/one-request.ts'
import { hearOn } from '../../harness/tcp-client.ts'
import { until } from '../../harness/until.ts'

const get = 'GET /one HTTP/1.1\r\n\r\n'

/** Where a header in these pieces ends: in which of them, and behind which byte. */
const endIn = (...pieces: readonly string[]): readonly [number, number] | null => {
  const read = createHeaderReader()
  for (const [index, piece] of pieces.entries()) {
    const end = read(Buffer.from(piece))
    if (end !== null) return [index, end]
  }
  return null
}

t.test('a header ends with its first empty line', async t => {
  t.strictSame(endIn(get), [0, get.length])
  t.strictSame(endIn(`${get}${get}`), [0, get.length])
  t.strictSame(endIn('GET / HTTP/1.0\n\nmore'), [0, 16])
  t.strictSame(endIn('GET / HTTP/1.0\r\nHost: x\r\n\r\n'), [0, 27])
  t.equal(endIn('GET / HTTP/1.0\r\nHost: x\r\n'), null)
})

t.test('empty lines before the request are none', async t => {
  t.strictSame(endIn(`\r\n\r\n\n${get}`), [0, 5 + get.length])
})

t.test('however it is cut into pieces', async () => {
  const text = `\r\n${get}${get}`
  fc.assert(
    fc.property(fc.integer({ min: 0, max: text.length }), at => {
      const [index, end] = endIn(text.slice(0, at), text.slice(at)) ?? [-1, -1]
      return (index === 0 ? 0 : at) + end === 2 + get.length
    }),
  )
})

const serve = async (t: Test) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(String(request.url))
    response.end('answer')
  })
  const sockets: Socket[] = []
  server.on('connection', readOneRequest)
  server.on('connection', socket => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const isRead = (bytes: number): Promise<void> =>
    until(() => sockets.some(({ bytesRead }) => bytesRead >= bytes), {
      what: 'a piece',
      everyMs: 1,
    })
  return { asked, server, port, isRead }
}

t.test('of requests sent at once, one is parsed', async t => {
  const { asked, server, port } = await serve(t)
  const client = connect({ port, host: '127.0.0.1' })
  client.end(
    'GET /first HTTP/1.1\r\nHost: x\r\n\r\n' + 'GET /next HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5000),
  )
  const { bytes } = await hearOn(client)
  t.match(bytes.toString(), /^HTTP\/1\.1 200 OK[^]*answer$/)
  t.strictSame(asked, ['/first'])
  server.closeAllConnections()
})

t.test('what comes later is not either, and the end is noticed', async t => {
  const { asked, port, isRead } = await serve(t)
  const client = connect({ port, host: '127.0.0.1' })
  const hearing = hearOn(client)
  const piece = 'GET /first HTTP/1.1\r\nHo'
  client.write(piece)
  await isRead(piece.length)
  client.write('st: x\r\n\r\n')
  await once(client, 'data')
  client.end('GET /next HTTP/1.1\r\nHost: x\r\n\r\n')
  t.match((await hearing).end, 'end')
  t.strictSame(asked, ['/first'])
})
