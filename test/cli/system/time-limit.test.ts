import t from 'tap'
import { withTimeLimit, timeLimitMs } from '../../../src/cli/system/time-limit.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'

t.test('what comes in time is handed on, and the timer goes', async t => {
  const { timers, pending } = createManualTimers()
  t.equal(await withTimeLimit(Promise.resolve('an answer'), timers), 'an answer')
  t.equal(pending(), 0)
})

t.test('what never comes is given up', async t => {
  const { timers, advance, pending } = createManualTimers()
  const { promise, resolve } = deferred<string>()
  let outcome: unknown = 'waiting'
  const patient = withTimeLimit(promise, timers).then(value => {
    outcome = value
  })
  advance(timeLimitMs - 1)
  await settle()
  t.equal(outcome, 'waiting')
  advance(1)
  await patient
  t.equal(outcome, null)
  resolve('too late')
  await settle()
  t.equal(outcome, null)
  t.equal(pending(), 0)
})

t.test('an internal failure is not hidden', async t => {
  const { timers, pending } = createManualTimers()
  await t.rejects(withTimeLimit(Promise.reject(new Error('a bug')), timers), /a bug/)
  t.equal(pending(), 0)
})
