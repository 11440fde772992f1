import { createServer, Socket, type Server } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { createLosses, type ConnectEvent, type LossesOptions } from '../../src/serve/losses.ts'
import { quietMs } from '../../src/serve/seldom.ts'
import { createManualTimers } from '../harness/manual-timers.ts'

const on = { address: '127.0.0.1', port: 5400 }

const setup = async (t: Test, allowed: LossesOptions['allowed'] = null) => {
  const time = createManualTimers()
  const events: ConnectEvent[] = []
  const losses = createLosses({
    connectionsMax: 2,
    allowed,
    report: event => events.push(event),
    timers: time.timers,
  })
  const server: Server = createServer()
  losses.watch(server, () => on)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { time, events, losses, server }
}

t.test('whoever comes on top of the limit is counted, and told once a minute', async t => {
  const { time, events, losses, server } = await setup(t)
  t.equal(server.maxConnections, 2)
  for (let count = 0; count < 3; count += 1) server.emit('drop')
  t.strictSame(events, [{ kind: 'connects dropped', on, connectionsMax: 2 }])
  time.advance(quietMs)
  server.emit('drop')
  t.equal(events.length, 2)
  t.strictSame(losses.counters(), { dropped: 4, acceptFailed: 0, refused: 0 })
})

t.test('so is a connect that the system can not accept', async t => {
  const { time, events, losses, server } = await setup(t)
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  server.emit('error', new Error('out of order'))
  losses.forgetNews()
  t.equal(time.pending(), 0)
  server.emit('error', new Error('out of order'))
  t.strictSame(events, [
    { kind: 'accept failed', on, code: 'EMFILE' },
    { kind: 'accept failed', on, code: 'out of order' },
  ])
  t.strictSame(losses.counters(), { dropped: 0, acceptFailed: 3, refused: 0 })
})

t.test('an error before it listens is not a loss', async t => {
  const { events, losses, server } = await setup(t)
  server.close()
  server.emit('error', new Error('in use'))
  t.strictSame(events, [])
  t.strictSame(losses.counters(), { dropped: 0, acceptFailed: 0, refused: 0 })
})

t.test('who may not ask is gone before others hear of him', async t => {
  const guests = new Set(['127.0.0.1'])
  const { time, events, losses, server } = await setup(t, address => guests.has(address ?? ''))
  const heard: boolean[] = []
  server.on('connection', socket => heard.push(socket.destroyed))
  const knock = (address: string | undefined): void => {
    const socket = new Socket()
    Object.defineProperty(socket, 'remoteAddress', { value: address })
    server.emit('connection', socket)
  }
  for (const address of ['127.0.0.1', '192.0.2.1', '192.0.2.2']) knock(address)
  t.strictSame(heard, [false, true, true])
  const refused = { kind: 'connects refused', on } as const
  t.strictSame(events, [{ ...refused, from: '192.0.2.1', refused: 1 }])
  time.advance(quietMs)
  knock(undefined)
  t.strictSame(events[1], { ...refused, from: null, refused: 3 })
  t.strictSame(losses.counters(), { dropped: 0, acceptFailed: 0, refused: 3 })
})
