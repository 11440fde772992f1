import { EventEmitter } from 'node:events'
import t from 'tap'
import { awaitStopSignal, hearReload, type SignalSource } from '../../src/cli/stop-signals.ts'

const setUp = () => {
  const source = new EventEmitter()
  return { source, stopped: awaitStopSignal(source as unknown as SignalSource) }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`the first ${signal} is told by its name instead of ending the process`, async t => {
    const { source, stopped } = setUp()
    t.equal(source.emit(signal, signal), true, 'somebody listens')
    t.equal(await stopped, signal)
  })

  t.test(`after ${signal} nobody listens any more: the next signal ends the process`, async t => {
    const { source } = setUp()
    source.emit(signal, signal)
    t.equal(source.listenerCount('SIGTERM'), 0)
    t.equal(source.listenerCount('SIGINT'), 0)
  })
}

t.test('no other signal is touched', async t => {
  const { source } = setUp()
  t.strictSame(source.eventNames(), ['SIGTERM', 'SIGINT'])
})

t.test('SIGHUP is heard each time', async t => {
  const source = new EventEmitter()
  let heard = 0
  hearReload(source as unknown as SignalSource, () => {
    heard += 1
  })
  source.emit('SIGHUP')
  source.emit('SIGHUP')
  t.equal(heard, 2)
  t.strictSame(source.eventNames(), ['SIGHUP'])
})
