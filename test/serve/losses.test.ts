import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { createLosses, type ConnectEvent } from '../../src/serve/losses.ts'
import { quietMs } from '../../src/serve/seldom.ts'
import { createManualTimers } from '../harness/manual-timers.ts'

const on = { address: '127.0.0.1', port: 5400 }

const setup = async (t: Test) => {
  const time = createManualTimers()
  const events: ConnectEvent[] = []
  const losses = createLosses({
    connectionsMax: 2,
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
  t.strictSame(losses.counters(), { dropped: 4, acceptFailed: 0 })
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
  t.strictSame(losses.counters(), { dropped: 0, acceptFailed: 3 })
})

t.test('an error before it listens is not a loss', async t => {
  const { events, losses, server } = await setup(t)
  server.close()
  server.emit('error', new Error('in use'))
  t.strictSame(events, [])
  t.strictSame(losses.counters(), { dropped: 0, acceptFailed: 0 })
})
