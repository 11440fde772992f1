import t from 'tap'
import type { Event } from '../../../src/facts/report/event.ts'
import { fact, fault } from '../../../src/facts/outcome.ts'
import {
  describeListenFault,
  type BoundAddress,
  type ListenFault,
} from '../../../src/serve/endpoint.ts'
import { createReopening, retryMs } from '../../../src/serve/role/reopening.ts'
import type { RoleListener } from '../../../src/serve/role/role-listener.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'

const bound: BoundAddress = { address: '::', port: 5400 }
const inUse: ListenFault = { kind: 'port in use', address: null, port: 5400 }
const notPermitted: ListenFault = { kind: 'not permitted', address: null, port: 5400 }

const blocked = (by: ListenFault): Event => {
  return { kind: 'port blocked', because: describeListenFault(by).message }
}

type Opened = Awaited<ReturnType<RoleListener['open']>>

/** A listener whose openings end when and as the test says. */
const setup = () => {
  const time = createManualTimers()
  const events: Event[] = []
  const calls: ('open' | 'close')[] = []
  const openings: ((outcome: Opened) => void)[] = []
  const reopening = createReopening({
    purpose: 'role',
    listener: {
      open: () => {
        calls.push('open')
        return new Promise(resolve => openings.push(resolve))
      },
      close: () => {
        calls.push('close')
      },
    },
    timers: time.timers,
    report: event => events.push(event),
  })
  /** Ends the latest opening, or an earlier one. */
  const end = async (outcome: Opened, index = openings.length - 1): Promise<void> => {
    openings[index]?.(outcome)
    await Promise.resolve()
    await Promise.resolve()
  }
  return { time, events, calls, reopening, end }
}

t.test('an open port stays open until it is to be closed', t => {
  const { calls, reopening } = setup()
  reopening.setOpen(true)
  t.strictSame(calls, [])
  reopening.setOpen(false)
  reopening.setOpen(false)
  t.strictSame(calls, ['close'])
  t.end()
})

t.test('opening again is no news when it works at once', async t => {
  const { time, events, calls, reopening, end } = setup()
  reopening.setOpen(false)
  reopening.setOpen(true)
  await end(fact(bound))
  reopening.setOpen(true)
  t.strictSame(calls, ['close', 'open'])
  t.strictSame(events, [])
  t.equal(time.pending(), 0)
})

t.test(
  'a blocked port is reported once, tried every 250 ms, and reported when it is free',
  async t => {
    const { time, events, calls, reopening, end } = setup()
    reopening.setOpen(false)
    reopening.setOpen(true)
    await end(fault(inUse))
    for (let count = 0; count < 10; count += 1) {
      time.advance(retryMs - 1)
      t.equal(calls.length, 2 + count)
      time.advance(1)
      t.equal(calls.length, 3 + count)
      await end(fault(inUse))
    }
    t.strictSame(events, [blocked(inUse)])
    time.advance(retryMs)
    await end(fact(bound))
    t.strictSame(events.slice(1), [{ kind: 'listening', ...bound, purpose: 'role' }])
    t.equal(time.pending(), 0)
  },
)

t.test('another reason for being blocked is reported as well', async t => {
  const { time, events, reopening, end } = setup()
  reopening.setOpen(false)
  reopening.setOpen(true)
  for (const found of [inUse, inUse, notPermitted, notPermitted]) {
    await end(fault(found))
    time.advance(retryMs)
  }
  t.strictSame(events, [blocked(inUse), blocked(notPermitted)])
})

t.test('nothing is tried any more once it is wanted closed', async t => {
  const { time, calls, reopening, end } = setup()
  reopening.setOpen(false)
  reopening.setOpen(true)
  await end(fault(inUse))
  t.equal(time.pending(), 1)
  reopening.setOpen(false)
  t.equal(time.pending(), 0)
  time.advance(10 * retryMs)
  t.strictSame(calls, ['close', 'open', 'close'])
})

t.test('a port that is still blocked the next time is no news, that it is free is', async t => {
  const { events, reopening, end } = setup()
  for (const outcome of [fault(inUse), fault(inUse), fact(bound), fact(bound)]) {
    reopening.setOpen(false)
    reopening.setOpen(true)
    await end(outcome)
  }
  t.strictSame(events, [blocked(inUse), { kind: 'listening', ...bound, purpose: 'role' }])
})

t.test('an opening that was overtaken by a close has no effect', async t => {
  for (const outcome of [fault(inUse), fact(bound)]) {
    const { time, events, reopening, end } = setup()
    reopening.setOpen(false)
    reopening.setOpen(true)
    reopening.setOpen(false)
    await end(outcome)
    t.strictSame(events, [])
    t.equal(time.pending(), 0)
  }
})

t.test('of two openings only the later one counts, in whatever order they end', async t => {
  const { time, events, calls, reopening, end } = setup()
  reopening.setOpen(false)
  reopening.setOpen(true)
  reopening.setOpen(false)
  reopening.setOpen(true)
  await end(fault(inUse), 1)
  await end(fault({ ...inUse, kind: 'closed' }), 0)
  t.strictSame(events, [blocked(inUse)])
  t.equal(time.pending(), 1, 'one chain of retries, not two')
  time.advance(retryMs)
  t.strictSame(calls, ['close', 'open', 'close', 'open', 'open'])
})
