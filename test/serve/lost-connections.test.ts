import { createServer, Socket, type Server } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { Event } from '../../src/facts/report/event.ts'
import {
  createLostConnections,
  reportPauseMs,
  type ConnectionOptions,
} from '../../src/serve/lost-connections.ts'
import { fixedShare } from '../harness/fixed-share.ts'
import { createManualTimers } from '../harness/manual-timers.ts'

const port = 5400

const setup = async (t: Test, allowed: ConnectionOptions['allowed'] = null) => {
  const time = createManualTimers()
  const events: Event[] = []
  const lost = createLostConnections({
    share: fixedShare(2),
    allowed,
    report: event => events.push(event),
    timers: time.timers,
  })
  const server: Server = createServer()
  lost.watch(server, () => port)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { time, events, lost, server }
}

/** A connection as the server receives it. */
const knock = (server: Server, address?: string): Socket => {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: address })
  server.emit('connection', socket)
  return socket
}

t.test('a connection closed for a new one is counted, and reported once a minute', async t => {
  const { time, events, lost, server } = await setup(t)
  const sockets = [1, 2, 3, 4].map(() => knock(server, '192.0.2.1'))
  t.strictSame(
    sockets.map(({ destroyed }) => destroyed),
    [true, true, false, false],
  )
  const displaced = {
    kind: 'connection limit reached',
    port,
    connectionsMax: 2,
    held: 3,
  } as const
  t.strictSame(events, [{ ...displaced, from: '192.0.2.1' }])
  time.advance(reportPauseMs)
  knock(server, '192.0.2.1')
  t.equal(events.length, 2)
  t.strictSame(lost.counters(), { dropped: 3, acceptFailed: 0, refused: 0 })
})

t.test('so is a connection that the system cannot accept', async t => {
  const { time, events, lost, server } = await setup(t)
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  server.emit('error', new Error('out of order'))
  lost.resetReports()
  t.equal(time.pending(), 0)
  server.emit('error', new Error('out of order'))
  t.strictSame(events, [
    { kind: 'connections lost', port, because: 'accept failed (EMFILE)' },
    { kind: 'connections lost', port, because: 'accept failed (out of order)' },
  ])
  t.strictSame(lost.counters(), { dropped: 0, acceptFailed: 3, refused: 0 })
})

t.test('an error before it listens is not a loss', async t => {
  const { events, lost, server } = await setup(t)
  server.close()
  server.emit('error', new Error('in use'))
  t.strictSame(events, [])
  t.strictSame(lost.counters(), { dropped: 0, acceptFailed: 0, refused: 0 })
})

t.test('a client that is not allowed is disconnected before later listeners see it', async t => {
  const guests = new Set(['127.0.0.1'])
  const { time, events, lost, server } = await setup(t, address => guests.has(address ?? ''))
  const heard: boolean[] = []
  server.on('connection', socket => heard.push(socket.destroyed))
  for (const address of ['127.0.0.1', '192.0.2.1', '192.0.2.2']) knock(server, address)
  t.strictSame(heard, [false, true, true])
  const refused = { kind: 'connections refused', port } as const
  t.strictSame(events, [{ ...refused, from: '192.0.2.1', refused: 1 }])
  time.advance(reportPauseMs)
  knock(server)
  t.strictSame(events[1], { ...refused, from: null, refused: 3 })
  t.strictSame(lost.counters(), { dropped: 0, acceptFailed: 0, refused: 3 })
})

t.test('a failed handshake is reported, unless the client closed the connection', async t => {
  const { events, server } = await setup(t)
  const fail = (code: string, more: object = {}): void => {
    const socket = new Socket()
    Object.defineProperty(socket, 'remoteAddress', { value: '192.0.2.1' })
    server.emit(
      'tlsClientError',
      Object.assign(new Error('openssl says'), { code, ...more }),
      socket,
    )
  }
  fail('ECONNRESET')
  server.emit('tlsClientError', new Error('gone'), new Socket())
  t.strictSame(events, [])
  fail('ERR_SSL_HTTP_REQUEST', { reason: 'http request' })
  fail('ERR_SSL_HTTP_REQUEST', { reason: 'http request' })
  t.strictSame(events, [
    { kind: 'handshake failed', port, from: '192.0.2.1', because: 'http request' },
  ])
})

t.test(
  'without a reason the message is reported, and no address if the client has gone',
  async t => {
    const { events, server } = await setup(t)
    const error = Object.assign(new Error('TLS handshake timeout'), {
      code: 'ERR_TLS_HANDSHAKE_TIMEOUT',
    })
    server.emit('tlsClientError', error, new Socket())
    t.strictSame(events, [
      { kind: 'handshake failed', port, from: null, because: 'TLS handshake timeout' },
    ])
  },
)

t.test('one kind of event does not suppress another', async t => {
  const { events, server } = await setup(t, address => address !== '192.0.2.9')
  for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.9', '192.0.2.9']) {
    knock(server, address)
  }
  t.strictSame(
    events.map(({ kind }) => kind),
    ['connection limit reached', 'connections refused'],
  )
})
