import { EventEmitter } from 'node:events'
import t from 'tap'
import { operatorSignals, type SignalSource } from '../../../src/cli/daemon/signals.ts'

const setUp = () => {
  const source = new EventEmitter()
  return { source, signals: operatorSignals(source as unknown as SignalSource) }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`the first ${signal} does not terminate the process, the second one does`, async t => {
    const { source, signals } = setUp()
    const stopped = signals.stopRequested()
    t.equal(source.emit(signal, signal), true, 'there is a listener')
    t.equal(await stopped, signal)
    t.equal(source.listenerCount('SIGTERM'), 0)
    t.equal(source.listenerCount('SIGINT'), 0)
  })
}

t.test('SIGUSR1 has a listener from the beginning, which does nothing at first', async t => {
  const { source, signals } = setUp()
  t.strictSame(source.eventNames(), ['SIGUSR1'])
  t.equal(source.emit('SIGUSR1'), true)
  let count = 0
  signals.onHistory(() => {
    count += 1
  })
  source.emit('SIGUSR1')
  source.emit('SIGUSR1')
  t.equal(count, 2)
})

t.test('no signal is caught without a listener', async t => {
  const { source, signals } = setUp()
  void signals.stopRequested()
  t.strictSame(source.eventNames(), ['SIGUSR1', 'SIGTERM', 'SIGINT'])
})

for (const [signal, name] of [
  ['SIGHUP', 'onReload'],
  ['SIGUSR2', 'onMaintenance'],
] as const) {
  t.test(`${signal} is reported each time`, async t => {
    const { source, signals } = setUp()
    let count = 0
    signals[name](() => {
      count += 1
    })
    source.emit(signal)
    source.emit(signal)
    t.equal(count, 2)
    t.strictSame(source.eventNames(), ['SIGUSR1', signal])
  })
}
