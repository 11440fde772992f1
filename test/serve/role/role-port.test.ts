import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { Event } from '../../../src/facts/report/event.ts'
import type { Availability } from '../../../src/facts/decide/verdict.ts'
import { makeReplies, type WhenUnavailable } from '../../../src/serve/role/reply.ts'
import { retryMs } from '../../../src/serve/role/reopening.ts'
import { describeListenFault } from '../../../src/serve/endpoint.ts'
import { createRoleListener } from '../../../src/serve/role/role-listener.ts'
import { createRolePort } from '../../../src/serve/role/role-port.ts'
import { fixedShare } from '../../harness/fixed-share.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'
import { connectStubborn, hear, listenAsStranger } from '../../harness/tcp-client.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

const primary: Availability = { kind: 'available', role: 'primary' }
const unavailable: Availability = { kind: 'unavailable' }

type Setup = {
  readonly whenUnavailable?: WhenUnavailable
  readonly addresses?: readonly string[]
  readonly port?: number
}

/** A port on loopback that answers by the verdict it was last told. */
const setup = (t: Test, options: Setup = {}) => {
  const { whenUnavailable = 'refuse', addresses = ['127.0.0.1'], port = 0 } = options
  const time = createManualTimers()
  const events: Event[] = []
  let current: Availability = unavailable
  const replyTo = makeReplies({ newline: false, whenUnavailable })
  const listeners = addresses.map(address =>
    createRoleListener({
      address,
      port,
      answer: () => replyTo(current),
      allowed: null,
      share: fixedShare(100),
      lingerMs: 1000,
      report: () => undefined,
      timers: time.timers,
    }),
  )
  const rolePort = createRolePort({
    purpose: 'role',
    listeners,
    whenUnavailable,
    timers: time.timers,
    report: event => events.push(event),
  })
  t.teardown(rolePort.destroy)
  const become = (availability: Availability): void => {
    current = availability
    rolePort.follow(availability)
  }
  const start = async (availability: Availability) => {
    current = availability
    const started = await rolePort.start(availability)
    if (!started.ok) throw new Error(started.fault.kind)
    return started.fact.map(bound => ({ host: bound.address, port: bound.port }))
  }
  const startOne = async (availability: Availability) => {
    const [where] = await start(availability)
    if (where === undefined) throw new Error('no listener')
    return where
  }
  /** Waits until every opening under way has ended. */
  const settle = () => Promise.all(listeners.map(listener => listener.open()))
  return { time, events, listeners, rolePort, become, start, startOne, settle }
}

t.test('with refuse the port is open only while there is a role', async t => {
  const { become, startOne, settle, events } = setup(t)
  const where = await startOne(primary)
  for (let count = 0; count < 5; count += 1) {
    t.match(await hear(where), { bytes: { length: 6 }, end: 'end' })
    become(unavailable)
    t.match(await hear(where), { end: 'ECONNREFUSED' })
    become(primary)
    await settle()
  }
  t.strictSame(events, [])
})

t.test('with close and reply the port stays open', async t => {
  const lengths = { close: 0, reply: 11 }
  for (const whenUnavailable of ['close', 'reply'] as const) {
    const { become, startOne } = setup(t, { whenUnavailable })
    const where = await startOne(unavailable)
    const expected = { bytes: { length: lengths[whenUnavailable] }, end: 'end' }
    t.match(await hear(where), expected)
    become(primary)
    t.match(await hear(where), { bytes: { length: 6 }, end: 'end' })
    become(unavailable)
    t.match(await hear(where), expected)
  }
})

t.test('a start without a role checks the port and closes it again', async t => {
  const { become, startOne, settle } = setup(t)
  const where = await startOne(unavailable)
  t.ok(where.port > 0)
  t.match(await hear(where), { end: 'ECONNREFUSED' })
  become(primary)
  await settle()
  t.match(await hear(where), { bytes: { length: 6 } })
})

t.test('a port in use at the start is a fault, with or without a role', async t => {
  const { server, port } = await listenAsStranger()
  t.teardown(() => server.close())
  for (const availability of [primary, unavailable]) {
    const { time, events, rolePort } = setup(t, { port })
    t.strictSame(await rolePort.start(availability), {
      ok: false,
      fault: { kind: 'port in use', address: '127.0.0.1', port },
    })
    t.strictSame(events, [])
    t.equal(time.pending(), 0, 'and nothing is tried again')
  }
})

t.test('one address that fails at the start closes the others too', async t => {
  const { server, port } = await listenAsStranger()
  t.teardown(() => server.close())
  const { rolePort, become } = setup(t, { port, addresses: ['::1', '127.0.0.1'] })
  t.match(await rolePort.start(primary), { ok: false, fault: { kind: 'port in use' } })
  t.match(await hear({ port, host: '::1' }), { end: 'ECONNREFUSED' })
  become(unavailable)
  become(primary)
  t.match(await hear({ port, host: '::1' }), { end: 'ECONNREFUSED' }, 'and for good')
})

t.test('several addresses open and close together', async t => {
  const { become, start, settle } = setup(t, { addresses: ['127.0.0.1', '::1'] })
  const places = await start(primary)
  t.equal(places.length, 2)
  for (const place of places) t.match(await hear(place), { bytes: { length: 6 } })
  become(unavailable)
  for (const place of places) t.match(await hear(place), { end: 'ECONNREFUSED' })
  become(primary)
  await settle()
  for (const place of places) t.match(await hear(place), { bytes: { length: 6 } })
})

t.test('a port taken meanwhile is reported once and reopened as soon as it is free', async t => {
  const { time, events, become, startOne, listeners } = setup(t)
  const where = await startOne(primary)
  become(unavailable)
  const { server } = await listenAsStranger(socket => socket.destroy(), where.port)
  become(primary)
  const taken = { kind: 'port in use', address: '127.0.0.1', port: where.port } as const
  for (let count = 0; count < 3; count += 1) {
    t.match(await listeners[0]?.open(), { ok: false, fault: taken })
    t.equal(time.pending(), 1)
    t.strictSame(events, [{ kind: 'port blocked', because: describeListenFault(taken).message }])
    time.advance(retryMs)
  }
  // The retry under way still finds it taken or already free; either way it ends well.
  server.close()
  await once(server, 'close')
  await listeners[0]?.open()
  time.advance(retryMs)
  t.match(await listeners[0]?.open(), { ok: true })
  t.match(events[1], { kind: 'listening', port: where.port })
  t.equal(events.length, 2)
  t.match(await hear(where), { bytes: { length: 6 } })
})

t.test('losing the role ends the retries', async t => {
  const { time, become, startOne, listeners } = setup(t)
  const where = await startOne(primary)
  become(unavailable)
  const { server } = await listenAsStranger(undefined, where.port)
  t.teardown(() => server.close())
  become(primary)
  await listeners[0]?.open()
  t.equal(time.pending(), 1)
  become(unavailable)
  t.equal(time.pending(), 0)
})

t.test('the latest verdict counts when the start is done, not the one it began with', async t => {
  const lost = setup(t)
  const losing = lost.startOne(primary)
  lost.become(unavailable)
  t.match(await hear(await losing), { end: 'ECONNREFUSED' })

  const won = setup(t)
  const winning = won.startOne(unavailable)
  won.become(primary)
  t.match(await hear(await winning), { bytes: { length: 6 } })
})

t.test('a close during the start leaves nothing open', async t => {
  const { rolePort, become, settle } = setup(t)
  const starting = rolePort.start(primary)
  rolePort.close()
  t.match(await starting, { ok: false, fault: { kind: 'closed' } })
  become(primary)
  t.match((await settle())[0], { ok: true }, 'the port is free')
})

t.test('a close in the last moment of the start is not undone by it', async t => {
  const { rolePort, listeners } = setup(t)
  const starting = rolePort.start(primary)
  const opened = await listeners[0]?.open()
  rolePort.close()
  await starting
  if (opened?.ok !== true) throw new Error('not opened')
  t.match(await hear({ port: opened.fact.port }), { end: 'ECONNREFUSED' })
})

t.test('after close no verdict opens the port again', async t => {
  const { rolePort, become, startOne } = setup(t)
  const where = await startOne(primary)
  rolePort.close()
  become(unavailable)
  become(primary)
  t.match(await hear(where), { end: 'ECONNREFUSED' })
})

t.test('destroy cuts off clients that linger', async t => {
  const { time, rolePort, startOne } = setup(t)
  const where = await startOne(primary)
  const guest = await connectStubborn(where)
  t.match(await hear(where), { bytes: { length: 6 } })
  rolePort.destroy()
  t.equal(time.pending(), 0)
  guest.destroy()
})

t.test('a port that cannot be opened for lack of a descriptor is opened later', async t => {
  const { time, become, startOne, settle, events } = setup(t)
  const where = await startOne(primary)
  become(unavailable)
  await withoutDescriptors(async () => {
    become(primary)
    await settle()
  })
  t.match(events, [{ kind: 'port blocked', because: /EMFILE/ }])
  t.match(await hear(where), { end: 'ECONNREFUSED' })
  time.advance(retryMs)
  await settle()
  t.match(await hear(where), { bytes: { length: 6 }, end: 'end' })
  t.match(events.at(-1), { kind: 'listening' })
})
