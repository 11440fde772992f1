import t from 'tap'
import {
  createServiceNotifier,
  pauseMs,
  triesMax,
} from '../../../src/cli/daemon/service-notifier.ts'
import type { Notification } from '../../../src/cli/system/systemd.ts'
import type { Event } from '../../../src/facts/report/event.ts'
import type { Verdict } from '../../../src/facts/decide/verdict.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'

const primary = (because = 'x'): Verdict => ({
  kind: 'available',
  role: 'primary',
  rule: 'in production',
  settled: true,
  because,
})
const standby: Verdict = {
  kind: 'available',
  role: 'standby',
  rule: 'in archive recovery',
  settled: true,
  because: 'x',
}
const unavailable: Verdict = {
  kind: 'unavailable',
  rule: 'not yet checked',
  settled: false,
  because: 'nobody has looked yet',
}

/** systemd-notify that answers when the test says so; null for success. */
const setUp = ({ wanted = true } = {}) => {
  const { timers, advance, pending } = createManualTimers()
  const told: string[] = []
  const events: Event[] = []
  let answer = deferred<string | null>()
  const notify = (notification: Notification): Promise<string | null> => {
    told.push(notification.kind === 'ready' ? notification.statusLine : notification.kind)
    answer = deferred()
    return answer.promise
  }
  const report = (event: Event): void => {
    events.push(event)
  }
  const status = createServiceNotifier({ notify: wanted ? notify : null, timers, report })
  /** Lets the one under way end, without the pause after it. */
  const answered = async (failure: string | null): Promise<void> => {
    answer.resolve(failure)
    await settle()
  }
  const end = async (failure: string | null): Promise<void> => {
    await answered(failure)
    advance(pauseMs)
  }
  const follow = (verdict: Verdict): void => status.follow(null, verdict)
  return { ...status, follow, of: status.follow, told, events, answered, end, pending, advance }
}

t.test('no notification is sent before all is open, and then the current state', async t => {
  const { ready, follow, told } = setUp()
  follow(unavailable)
  follow(primary('two'))
  t.strictSame(told, [])
  ready()
  t.strictSame(told, ['primary: two'])
})

t.test('no notification is sent if none is expected', async t => {
  const { ready, reloading, follow, told, pending } = setUp({ wanted: false })
  follow(primary())
  ready()
  reloading()
  t.strictSame(told, [])
  t.equal(pending(), 0)
})

t.test('only changes are sent, one at a time, and the last of those that queued up', async t => {
  const { ready, follow, told, end, events } = setUp()
  follow(primary('one'))
  ready()
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
  follow(unavailable)
  t.equal(told.length, 3)
  t.strictSame(events, [])
})

t.test('there is a pause after each', async t => {
  const { ready, follow, told, end, advance } = setUp()
  follow(primary('one'))
  ready()
  await end(null)
  follow(primary('two'))
  await end(null)
  follow(primary('three'))
  advance(0)
  t.equal(told.length, 3)
})

t.test('for several clusters the number in each role is sent', async t => {
  const { ready, of, told, end } = setUp()
  for (const name of ['a', 'b', 'c']) of(name, unavailable)
  ready()
  of('b', primary())
  await end(null)
  of('a', null)
  of('b', standby)
  await end(null)
  of('b', null)
  await end(null)
  of('c', null)
  await end(null)
  t.strictSame(told, [
    '3 clusters, 3 unavailable',
    '3 clusters, 1 primary, 2 unavailable',
    '2 clusters, 1 standby, 1 unavailable',
    'c: unavailable: nobody has looked yet',
    '0 clusters',
  ])
})

t.test('begin and end of a reload are sent at once, though nothing changed', async t => {
  const { ready, reloading, follow, told, answered, end } = setUp()
  follow(primary('one'))
  ready()
  await end(null)
  reloading()
  follow(primary('two'))
  follow(primary('one'))
  await answered(null)
  t.strictSame(told, ['primary: one', 'reloading'], 'to be ready would end it')
  ready()
  t.strictSame(told, ['primary: one', 'reloading', 'primary: one'])
})

t.test('a reload that ended before it could be sent is sent all the same', async t => {
  const { ready, reloading, follow, told, answered, end, events } = setUp()
  follow(primary('one'))
  ready()
  for (let reloads = 0; reloads < 2; reloads += 1) {
    reloading()
    ready()
  }
  t.strictSame(told, ['primary: one'], 'one after the other')
  await end(null)
  await answered('no such socket')
  t.strictSame(told, ['primary: one', 'reloading', 'primary: one'])
  await end(null)
  t.equal(told.length, 3)
  t.strictSame(events, [{ kind: 'notify failed', because: 'no such socket', awaited: true }])
})

t.test('no text of others can break out of its line', async t => {
  const { ready, follow, told } = setUp()
  follow(primary('a\nMAINPID=1'))
  ready()
  t.strictSame(told, [String.raw`primary: a\u000aMAINPID=1`])
})

t.test('a failure is logged, and tried again, but not for ever', async t => {
  const { ready, told, end, events, pending, follow } = setUp()
  follow(primary())
  ready()
  for (let tries = 0; tries < triesMax; tries += 1) await end('no such socket')
  t.equal(told.length, triesMax)
  t.equal(events.length, triesMax)
  t.strictSame(events[0], { kind: 'notify failed', because: 'no such socket', awaited: true })
  t.match(events[1], { awaited: false })
  t.equal(pending(), 0)
  follow(unavailable)
  t.equal(told.length, triesMax + 1, 'there is something else to tell')
  await end(null)
  follow(primary())
  await end('no such socket')
  t.equal(told.length, triesMax + 3, 'and tried again as before')
  t.match(events.at(-1), { awaited: false }, 'systemd waits for nothing')
})

t.test('the end waits for nothing', async t => {
  const { ready, follow, told, end, pending, destroy, events } = setUp()
  follow(primary('one'))
  ready()
  destroy()
  await end('too late')
  follow(primary('two'))
  t.equal(told.length, 1)
  t.equal(pending(), 0)
  t.strictSame(events, [])
  const reloading = setUp()
  reloading.follow(primary('one'))
  reloading.destroy()
  reloading.reloading()
  reloading.ready()
  t.strictSame(reloading.told, [], 'nor does a reload begin or end')
  const paused = setUp()
  paused.follow(primary('one'))
  paused.ready()
  await paused.answered(null)
  paused.follow(primary('two'))
  t.equal(paused.pending(), 1)
  paused.destroy()
  t.equal(paused.pending(), 0)
})
