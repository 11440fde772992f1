import t from 'tap'
import { pause, systemClock } from '../../src/observe/clock.ts'
import { createManualClock, settle } from '../harness/manual-clock.ts'

t.test('the monotonic clock goes on and the other tells the date', async t => {
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
