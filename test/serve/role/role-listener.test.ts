import { once } from 'node:events'
import { type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Event } from '../../../src/facts/report/event.ts'
import { systemListen, type Listen } from '../../../src/serve/listening.ts'
import { makeReplies, type Reply } from '../../../src/serve/role/reply.ts'
import {
  createRoleListener,
  type RoleListenerOptions,
} from '../../../src/serve/role/role-listener.ts'
import { fixedShare } from '../../harness/fixed-share.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'
import { listenOnPassed } from '../../harness/passed-socket.ts'
import { connectStubborn, hear, hearOn, listenAsStranger } from '../../harness/tcp-client.ts'

const lingerMs = 1000
const replyTo = makeReplies({ newline: false, whenUnavailable: 'reply' })
const primary = replyTo({ kind: 'available', role: 'primary' })
const standby = replyTo({ kind: 'available', role: 'standby' })
const bytesOf = (reply: Reply): Buffer =>
  reply.kind === 'say' ? Buffer.from(reply.bytes) : Buffer.alloc(0)

const latest = <One>(all: readonly One[]): One => {
  const one = all.at(-1)
  if (one === undefined) throw new Error('there is none')
  return one
}

/** A listener on loopback, with a look at its servers and at our ends of the connections. */
const setup = (t: Test, options: Partial<RoleListenerOptions> = {}) => {
  const time = createManualTimers()
  const events: Event[] = []
  const servers: Server[] = []
  const ends: { readonly socket: Socket; readonly closed: Promise<void> }[] = []
  const listen: Listen = (server, listenOptions) => {
    servers.push(server)
    server.on('connection', (socket: Socket) => {
      const closed = new Promise<void>(resolve => {
        socket.on('close', () => resolve())
      })
      ends.push({ socket, closed })
    })
    systemListen(server, listenOptions)
  }
  const listener = createRoleListener({
    address: '127.0.0.1',
    port: 0,
    answer: () => primary,
    allowed: null,
    share: fixedShare(4096),
    lingerMs,
    report: event => events.push(event),
    timers: time.timers,
    listen,
    ...options,
  })
  t.teardown(listener.destroy)
  const open = async () => {
    const opened = await listener.open()
    if (!opened.ok) throw new Error(opened.fault.kind)
    return opened.fact
  }
  /** A client that stays, and our end of it. */
  const connectOne = async ({ port }: { readonly port: number }) => {
    const arrival = once(latest(servers), 'connection')
    const client = await connectStubborn({ port })
    await arrival
    return { client, ours: latest(ends) }
  }
  return { time, events, servers, ends, listener, open, connectOne }
}

t.test('every connection is answered, and the end follows', async t => {
  const { listener, open } = setup(t)
  t.strictSame(await hear(await open()), { bytes: bytesOf(primary), end: 'end' })
  t.match(listener.counters(), { primary: 1, standby: 0 })
})

t.test(
  'connections closed for others are reported with the port that the system chose',
  async t => {
    const { events, open, connectOne } = setup(t, { share: fixedShare(1) })
    const bound = await open()
    const { client } = await connectOne(bound)
    await hear(bound)
    t.match(events, [{ kind: 'connection limit reached', port: bound.port, held: 2 }])
    client.destroy()
  },
)

t.test('both families are answered on the wildcard', async t => {
  const { port } = await setup(t, { address: null }).open()
  for (const host of ['127.0.0.1', '::1']) {
    t.strictSame((await hear({ port, host })).bytes, bytesOf(primary), host)
  }
})

t.test('a port in use is a fault; once it is free the listener opens', async t => {
  const { server, port } = await listenAsStranger()
  const { listener, events } = setup(t, { port })
  t.strictSame(await listener.open(), {
    ok: false,
    fault: { kind: 'port in use', address: '127.0.0.1', port },
  })
  server.close()
  t.strictSame(await listener.open(), { ok: true, fact: { address: '127.0.0.1', port } })
  t.strictSame(events, [])
})

t.test('the system listens where nothing else is handed in', async t => {
  const { timers } = createManualTimers()
  const listener = createRoleListener({
    address: '127.0.0.1',
    port: 0,
    answer: () => standby,
    allowed: null,
    share: fixedShare(10),
    lingerMs,
    report: () => undefined,
    timers,
  })
  t.teardown(listener.destroy)
  t.match(await listener.open(), { ok: true })
})

t.test('after close no client is accepted, from that moment on', async t => {
  const { listener, open } = setup(t)
  const bound = await open()
  listener.close()
  t.match(await hear(bound), { end: 'ECONNREFUSED' })
  listener.close()
})

t.test('a client that was answered before the close may read the answer afterwards', async t => {
  const { listener, open, connectOne } = setup(t)
  const { client } = await connectOne(await open())
  listener.close()
  t.strictSame(await hearOn(client.end()), { bytes: bytesOf(primary), end: 'end' })
})

t.test('destroy also cuts off clients that linger, and leaves no timer', async t => {
  const { time, listener, open, connectOne } = setup(t, { share: fixedShare(1) })
  const bound = await open()
  const { client, ours } = await connectOne(bound)
  await hear(bound)
  t.equal(time.pending(), 2, 'one for the sweep, one for the news of the drop')
  listener.destroy()
  t.ok(ours.socket.destroyed)
  t.equal(time.pending(), 0)
  t.match(await hear(bound), { end: 'ECONNREFUSED' })
  client.destroy()
})

t.test('it opens again on the same port, also beside clients that linger', async t => {
  const { listener, open } = setup(t)
  const first = await open()
  const guest = await connectStubborn(first)
  for (let count = 0; count < 20; count += 1) {
    t.strictSame((await hear(first)).bytes, bytesOf(primary))
    listener.close()
    t.strictSame(await open(), first)
  }
  guest.destroy()
})

t.test('opening what is open or being opened gives the same outcome', async t => {
  const { servers, listener } = setup(t)
  const opening = listener.open()
  t.equal(listener.open(), opening)
  const opened = await opening
  t.equal(await listener.open(), opened)
  t.equal(servers.length, 1)
})

t.test('a close overtakes the opening under way, at any moment of it', async t => {
  for (let ticks = 0; ticks < 12; ticks += 1) {
    const { listener, servers } = setup(t)
    const opening = listener.open()
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve()
    listener.close()
    const outcome = await opening
    t.notOk(servers[0]?.listening, `closed after ${ticks} ticks`)
    if (ticks < 3) t.match(outcome, { ok: false, fault: { kind: 'closed' } })
  }
})

t.test('the last of many quick changes of mind counts', async t => {
  for (let ticks = 0; ticks < 6; ticks += 1) {
    const { listener, open, servers } = setup(t)
    const bound = await open()
    listener.close()
    const overtaken: Promise<unknown>[] = []
    for (let count = 0; count < 5; count += 1) {
      overtaken.push(listener.open())
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve()
      listener.close()
    }
    t.strictSame(await open(), bound, 'we never find our own port in use')
    for (const outcome of await Promise.all(overtaken)) {
      t.match(outcome, { ok: false, fault: { kind: 'closed' } })
    }
    t.equal(servers.filter(server => server.listening).length, 1)
    t.strictSame((await hear(bound)).bytes, bytesOf(primary))
  }
})

t.test('an error before it listens is the outcome of opening, not news', async t => {
  const { events, listener } = setup(t, { address: '192.0.2.1' })
  t.match(await listener.open(), { ok: false, fault: { kind: 'no such address' } })
  t.strictSame(events, [])
  t.match(listener.counters(), { acceptFailed: 0 })
})

t.test('a server that begins to listen after its close is closed again', async t => {
  const asked: (() => Server)[] = []
  const { listener } = setup(t, {
    listen: (server, options) => {
      asked.push(() => server.listen(options))
    },
  })
  const opening = listener.open()
  await Promise.resolve()
  listener.close()
  t.match(await opening, { ok: false, fault: { kind: 'closed' } })
  const [listenLate] = asked
  if (listenLate === undefined) throw new Error('not asked to listen')
  const server = listenLate()
  await once(server, 'listening')
  t.notOk(server.listening)
})

t.test('a socket that was passed is listened on, and named in what goes wrong', async t => {
  const { open } = setup(t, { address: null, passed: 3, listen: listenOnPassed })
  t.match(await hear(await open()), { end: 'end' })
  const { listener } = setup(t, { address: null, passed: 999_999 })
  t.match(await listener.open(), { ok: false, fault: { kind: 'other', passed: 999_999 } })
})
