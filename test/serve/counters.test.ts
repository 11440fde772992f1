import t from 'tap'
import type { Availability } from '../../src/facts/decide/verdict.ts'
import type { MonotonicMs } from '../../src/facts/units.ts'
import { createCounters } from '../../src/serve/counters.ts'

const primary: Availability = { kind: 'available', role: 'primary' }
const standby: Availability = { kind: 'available', role: 'standby' }
const unavailable: Availability = { kind: 'unavailable' }
let clock = 0
const check = (lookMs = 1) => {
  clock += 500
  return { lookMs, lookedAt: clock as MonotonicMs }
}

t.test('changes of the role are counted, the first role is not a change', async t => {
  const { follow, read } = createCounters()
  follow(unavailable, null)
  follow(standby, check())
  t.equal(read().roleChanges, 0)
  follow(standby, check())
  t.equal(read().roleChanges, 0)
  follow(primary, check())
  follow(unavailable, check())
  follow(unavailable, check())
  t.equal(read().roleChanges, 2)
})

t.test('checks are counted in each bucket whose bound they meet', async t => {
  const { follow, read } = createCounters()
  t.match(read(), { checks: 0, checkSeconds: 0 })
  for (const lookMs of [0.25, 0.3, 3, 9999]) follow(primary, check(lookMs))
  const { checks, checkSeconds, checkBuckets } = read()
  t.equal(checks, 4)
  t.equal(checkSeconds.toFixed(5), '10.00255')
  const counts = new Map(checkBuckets.map(({ bound, count }) => [bound, count]))
  t.equal(counts.get(0.000_25), 1)
  t.equal(counts.get(0.0005), 2)
  t.equal(counts.get(0.0025), 2)
  t.equal(counts.get(0.005), 3)
  t.equal(counts.get(2.5), 3)
  const bounds = checkBuckets.map(({ bound }) => bound)
  t.strictSame(
    bounds,
    bounds.toSorted((one, other) => one - other),
  )
})

t.test('a change of the verdict between checks is not another check', async t => {
  const { follow, read } = createCounters()
  const seen = check()
  follow(primary, seen)
  follow(unavailable, { ...seen })
  t.match(read(), { checks: 1, roleChanges: 1 })
})
