import t from 'tap'
import type { MonotonicMs } from '../../src/facts/units.ts'
import type { Clock } from '../../src/observe/system/clock.ts'
import { createLease, graceMs } from '../../src/observe/lease.ts'
import { createManualClock, settle } from '../harness/manual-clock.ts'

const leaseMs = 1500

const setUp = (manual = createManualClock()) => {
  const calls: string[] = []
  const lease = createLease({
    clock: manual.clock,
    leaseMs,
    lookAgain: () => calls.push('look'),
    expired: () => calls.push('expired'),
  })
  const renew = (agoMs = 0): void => lease.renew((manual.now() - agoMs) as MonotonicMs)
  return { ...manual, lease, calls, renew }
}

/** Whether a promise has been resolved by now. */
const isOver = async (promise: Promise<void> | null): Promise<boolean> => {
  let over = false
  void promise?.then(() => {
    over = true
  })
  await settle()
  return over
}

t.test('it expires if no check ends in time, and reports that once', async t => {
  const { lease, calls, renew, advance } = setUp()
  renew()
  advance(1000)
  renew(10)
  advance(leaseMs - 10)
  t.strictSame(calls, [])
  advance(1)
  t.strictSame(calls, ['expired'])
  t.equal(lease.overslept(), false)
  advance(60_000)
  t.equal(lease.overslept(), false, 'that is long ago, and was told in time')
  t.strictSame(calls, ['expired'])
  t.equal(lease.waking(), null)
})

t.test('a timer that comes early has no effect, and is set again', async t => {
  const manual = createManualClock()
  const { after } = manual.clock
  let earlyMs = 2
  const hasty: Clock = {
    ...manual.clock,
    after: (ms, action) => {
      const timer = after(ms - earlyMs, action)
      earlyMs = 0
      return timer
    },
  }
  const { lease, calls, renew, advance } = setUp({ ...manual, clock: hasty })
  renew()
  advance(leaseMs)
  t.strictSame(calls, [])
  advance(1)
  t.strictSame(calls, ['expired'])
  t.equal(lease.overslept(), false)
})

t.test('before the first check nothing can have expired', async t => {
  const { lease, oversleep } = setUp()
  oversleep(60_000)
  t.equal(lease.overslept(), false)
})

t.test('a process that did not run when it ended checks first', async t => {
  const { lease, calls, renew, oversleep } = setUp()
  renew()
  oversleep(10_000)
  t.equal(lease.overslept(), true)
  const waking = lease.waking()
  t.equal(lease.overslept(), true, 'asked again')
  t.strictSame(calls, ['look'])
  renew()
  t.equal(await isOver(waking), true)
  t.equal(lease.waking(), null)
})

t.test('also when the timer is first to notice', async t => {
  const { lease, calls, renew, oversleep, advance } = setUp()
  renew()
  oversleep(10_000)
  advance(0)
  t.strictSame(calls, ['look'])
  t.equal(lease.overslept(), true)
})

t.test('a timer that is a little late is no sleep', async t => {
  const { lease, calls, renew, oversleep, advance } = setUp()
  renew()
  oversleep(leaseMs + 50)
  t.equal(lease.overslept(), false)
  advance(0)
  t.strictSame(calls, ['expired'])
})

t.test('the check that was under way at the suspension does not count', async t => {
  const { lease, calls, renew, oversleep } = setUp()
  renew()
  oversleep(10_000)
  t.equal(lease.overslept(), true)
  const waking = lease.waking()
  renew(9000)
  t.strictSame(calls, ['look', 'look'])
  t.equal(await isOver(waking), false)
  renew()
  t.equal(await isOver(waking), true)
})

t.test('a check that takes longer than the lease is no suspension', async t => {
  const { lease, calls, renew, advance, pending } = setUp()
  renew()
  advance(5000)
  t.strictSame(calls, ['expired'])
  renew(5000)
  t.equal(lease.overslept(), false)
  t.equal(pending(), 0)
  renew(10)
  advance(leaseMs)
  t.strictSame(calls, ['expired', 'expired'], 'the next one in time counts again')
})

t.test('no client waits longer than the grace period', async t => {
  const { lease, calls, renew, oversleep, advance } = setUp()
  renew()
  oversleep(10_000)
  t.equal(lease.overslept(), true)
  const waking = lease.waking()
  advance(graceMs - 1)
  t.equal(await isOver(waking), false)
  advance(1)
  t.equal(await isOver(waking), true)
  t.strictSame(calls, ['look', 'expired'])
  t.equal(lease.overslept(), false)
})

t.test('closed, it holds no timer', async t => {
  const { lease, renew, pending } = setUp()
  lease.close()
  renew()
  lease.close()
  t.equal(pending(), 0)
})
