import t from 'tap'
import { createBackOff } from '../../../src/observe/watch/backoff.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'

const start = () => {
  const clock = createManualTimers()
  let tries = 0
  const action = () => {
    tries += 1
  }
  const backOff = createBackOff({ timers: clock.timers, msMin: 1000, msMax: 60_000, action })
  return { ...clock, backOff, tries: () => tries }
}

t.test('it waits twice as long each time, up to a limit', async t => {
  const { backOff, advance, tries } = start()
  for (const [index, seconds] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
    backOff.tryLater()
    advance(seconds * 1000 - 1)
    t.equal(tries(), index)
    advance(1)
    t.equal(tries(), index + 1, `after ${seconds} s`)
  }
})

t.test('after a success it begins anew', async t => {
  const { backOff, advance, tries } = start()
  backOff.tryLater()
  advance(1000)
  backOff.reset()
  backOff.tryLater()
  advance(1000)
  t.equal(tries(), 2)
})

t.test('asked twice it tries once, cancelled never', async t => {
  const { backOff, advance, pending, tries } = start()
  backOff.cancel()
  backOff.tryLater()
  backOff.tryLater()
  t.equal(pending(), 1)
  advance(2000)
  t.equal(tries(), 1)
  backOff.tryLater()
  backOff.cancel()
  t.equal(pending(), 0)
})
