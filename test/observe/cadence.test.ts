import t from 'tap'
import { createRateLimit, nextLookMs, pollMs, type Outlook } from '../../src/observe/cadence.ts'

const settled: Outlook = {
  settled: true,
  unsettledLooks: 0,
  unsettledForMs: 0,
  endsWithoutEvent: false,
  polling: false,
}
const unsettled = (unsettledLooks: number, unsettledForMs = 100): Outlook => ({
  ...settled,
  settled: false,
  unsettledLooks,
  unsettledForMs,
})

t.test('settled evidence waits for the tick', async t => {
  t.equal(nextLookMs(settled, 500), 500)
})

t.test('without file events the tick is a poll, unless it is quicker anyway', async t => {
  t.equal(nextLookMs({ ...settled, polling: true }, 500), pollMs)
  t.equal(nextLookMs({ ...settled, polling: true }, 60), 60)
})

t.test('a transient state is checked again after milliseconds, at growing intervals', async t => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 60].map(looks => nextLookMs(unsettled(looks), 500))
  t.strictSame(waits, [1, 2, 4, 8, 16, 20, 20, 20, 20])
})

t.test('after ten seconds it is rather a state than a passage', async t => {
  t.equal(nextLookMs(unsettled(300, 10_000), 500), 20)
  t.equal(nextLookMs(unsettled(300, 10_001), 500), 250)
  t.equal(nextLookMs(unsettled(300, 10_001), 60), 60)
})

t.test('but what ends without an event is waited for no longer than at first', async t => {
  t.equal(nextLookMs({ ...unsettled(300, 3_600_000), endsWithoutEvent: true }, 500), 20)
})

t.test('in a storm that continues, there are twenty checks a second', async t => {
  const { began, waitMs, reset } = createRateLimit()
  let now = 0
  const looksIn = (ms: number): number => {
    const end = now + ms
    let looks = 0
    for (; now < end; now += 2) {
      if (waitMs(now) > 0) continue
      began(now)
      looks += 1
    }
    return looks
  }
  t.equal(looksIn(50), 25, 'at first as fast as they are asked for')
  looksIn(1000)
  t.equal(looksIn(1000), 20)
  t.ok(waitMs(now) <= 50)
  reset()
  t.equal(looksIn(20), 10, 'what is no part of the storm need not wait')
  now += 2000
  t.equal(looksIn(50), 25, 'nor does the first of the next')
})
