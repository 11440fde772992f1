import t from 'tap'
import { nullAfter, pause, systemClock } from '../../../src/observe/system/clock.ts'
import { createManualClock, deferred, settle } from '../../harness/manual-clock.ts'

t.test('the monotonic clock advances, and the other has the date', async t => {
  const before = systemClock.monotonic()
  const date = systemClock.unix()
  await pause(systemClock, 2)
  t.ok(systemClock.monotonic() - before >= 1)
  t.ok(Math.abs(date - Date.now()) < 60_000)
})

t.test('a cancelled timer does not fire', async t => {
  const fired: string[] = []
  systemClock.after(0, () => fired.push('cancelled')).cancel()
  systemClock.after(1, () => fired.push('cancelled')).cancel()
  await pause(systemClock, 2)
  t.strictSame(fired, [])
})

t.test('what is due at once waits for no timer', async t => {
  const fired: string[] = []
  setImmediate(() => fired.push('turn'))
  systemClock.after(0, () => fired.push('at once'))
  await settle()
  t.strictSame(fired, ['turn', 'at once'])
})

t.test('a pause lasts as long as it was asked to', async t => {
  const { clock, advance } = createManualClock()
  let over = false
  void pause(clock, 10).then(() => {
    over = true
  })
  advance(9)
  await settle()
  t.equal(over, false)
  advance(1)
  await settle()
  t.equal(over, true)
})

t.test('what takes longer than its time is nothing', async t => {
  const { clock, advance, pending } = createManualClock()
  t.equal(await nullAfter(clock, 10, Promise.resolve('in time')), 'in time')
  await t.rejects(nullAfter(clock, 10, Promise.reject(new Error('a bug'))), /a bug/)
  t.equal(pending(), 0)
  const { promise, resolve } = deferred<string>()
  const late = nullAfter(clock, 10, promise)
  advance(10)
  t.equal(await late, null)
  resolve('too late')
})
