import t from 'tap'
import { createServiceStatus, pauseMs, triesMax } from '../../src/cli/service-status.ts'
import type { Event } from '../../src/facts/event.ts'
import type { Verdict } from '../../src/facts/verdict.ts'
import { deferred, settle } from '../harness/manual-clock.ts'
import { createManualTimers } from '../harness/manual-timers.ts'

const primary = (because = 'x'): Verdict => ({
  kind: 'available',
  role: 'primary',
  rule: 'in production',
  settled: true,
  because,
})
const unavailable: Verdict = {
  kind: 'unavailable',
  rule: 'not looked yet',
  settled: false,
  because: 'nobody has looked yet',
}

/** systemd-notify that answers when the test says so; null for success. */
const setUp = () => {
  const { timers, advance, pending } = createManualTimers()
  const told: string[] = []
  const events: Event[] = []
  let answer = deferred<string | null>()
  const notify = (status: string): Promise<string | null> => {
    told.push(status)
    answer = deferred()
    return answer.promise
  }
  const report = (event: Event): void => {
    events.push(event)
  }
  const status = createServiceStatus({ notify, timers, report })
  /** Lets the one under way end, and the pause after it. */
  const end = async (failure: string | null): Promise<void> => {
    answer.resolve(failure)
    await settle()
    advance(pauseMs)
  }
  return { ...status, told, events, end, pending, advance }
}

t.test('nothing is told before all is open, and then what holds by then', async t => {
  const { start, follow, told } = setUp()
  follow(primary('two'))
  t.strictSame(told, [])
  t.strictSame(await start(unavailable), { ok: true, fact: [] })
  t.strictSame(told, ['primary: two'])
})

t.test('the verdict at the start is told where no other came meanwhile', async t => {
  const { start, told } = setUp()
  await start(unavailable)
  t.strictSame(told, ['unavailable: nobody has looked yet'])
})

t.test('only changes are told, one at a time, and the last of those that piled up', async t => {
  const { start, follow, told, end, events } = setUp()
  await start(primary('one'))
  follow(primary('one'))
  follow(primary('two'))
  follow(primary('three'))
  t.strictSame(told, ['primary: one'])
  await end(null)
  t.strictSame(told, ['primary: one', 'primary: three'])
  await end(null)
  follow(primary('three'))
  t.equal(told.length, 2)
  follow(unavailable)
  t.equal(told.length, 3)
  t.strictSame(events, [])
})

t.test('there is a pause after each', async t => {
  const { start, follow, told, end, advance } = setUp()
  await start(primary('one'))
  await end(null)
  follow(primary('two'))
  await end(null)
  follow(primary('three'))
  advance(0)
  t.equal(told.length, 3)
})

t.test('no text of others can break out of its line', async t => {
  const { start, told } = setUp()
  await start(primary('a\nMAINPID=1'))
  t.strictSame(told, ['primary: a.MAINPID=1'])
})

t.test('a failure is logged, and tried again, but not for ever', async t => {
  const { start, told, end, events, pending, follow } = setUp()
  await start(primary())
  for (let tries = 0; tries < triesMax; tries += 1) await end('no such socket')
  t.equal(told.length, triesMax)
  t.equal(events.length, triesMax)
  t.strictSame(events[0], { kind: 'notify failed', because: 'no such socket' })
  t.equal(pending(), 0)
  follow(unavailable)
  t.equal(told.length, triesMax + 1, 'there is something else to tell')
  await end(null)
  follow(primary())
  await end('no such socket')
  t.equal(told.length, triesMax + 3, 'and tried again as before')
})

t.test('the end waits for nothing', async t => {
  const { start, follow, told, end, pending, destroy, events } = setUp()
  await start(primary('one'))
  destroy()
  await end('too late')
  follow(primary('two'))
  t.equal(told.length, 1)
  t.equal(pending(), 0)
  t.strictSame(events, [])
  const paused = setUp()
  await paused.start(primary('one'))
  await paused.end(null)
  paused.follow(primary('two'))
  await settle()
  paused.destroy()
  t.equal(paused.pending(), 0)
})
