import { EventEmitter } from 'node:events'
import t from 'tap'
import { claimRecordSignal } from '../../src/cli/record-signal.ts'
import type { SignalSource } from '../../src/cli/stop-signals.ts'

t.test('the signal does what it is told to, and nothing before', async t => {
  const source = new EventEmitter()
  const whenAsked = claimRecordSignal(source as unknown as SignalSource)
  t.strictSame(source.eventNames(), ['SIGUSR1'])
  t.equal(source.emit('SIGUSR1', 'SIGUSR1'), true, 'somebody listens')
  let asked = 0
  whenAsked(() => {
    asked += 1
  })
  source.emit('SIGUSR1', 'SIGUSR1')
  source.emit('SIGUSR1', 'SIGUSR1')
  t.equal(asked, 2)
})
