import t from 'tap'
import type { Availability } from '../../src/facts/verdict.ts'
import { createTally } from '../../src/serve/tally.ts'

const primary: Availability = { kind: 'available', role: 'primary' }
const standby: Availability = { kind: 'available', role: 'standby' }
const unavailable: Availability = { kind: 'unavailable' }
const look = (lookMs = 1) => ({ lookMs })

t.test('a role that changes is counted, the first one is no change', async t => {
  const { follow, read } = createTally()
  follow(unavailable, null)
  follow(standby, look())
  t.equal(read().roleChanges, 0)
  follow(standby, look())
  t.equal(read().roleChanges, 0)
  follow(primary, look())
  follow(unavailable, look())
  follow(unavailable, look())
  t.equal(read().roleChanges, 2)
})

t.test('looks are counted up to each bound that they keep', async t => {
  const { follow, read } = createTally()
  t.match(read(), { looks: 0, lookSeconds: 0 })
  for (const lookMs of [0.25, 0.3, 3, 9999]) follow(primary, look(lookMs))
  const { looks, lookSeconds, lookBuckets } = read()
  t.equal(looks, 4)
  t.equal(lookSeconds.toFixed(5), '10.00255')
  const counts = new Map(lookBuckets.map(({ bound, count }) => [bound, count]))
  t.equal(counts.get(0.000_25), 1)
  t.equal(counts.get(0.0005), 2)
  t.equal(counts.get(0.0025), 2)
  t.equal(counts.get(0.005), 3)
  t.equal(counts.get(2.5), 3)
  const bounds = lookBuckets.map(({ bound }) => bound)
  t.strictSame(
    bounds,
    bounds.toSorted((one, other) => one - other),
  )
})

t.test('a verdict that changes between looks is none', async t => {
  const { follow, read } = createTally()
  const seen = look()
  follow(primary, seen)
  follow(unavailable, seen)
  t.match(read(), { looks: 1, roleChanges: 1 })
})
