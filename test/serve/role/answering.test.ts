import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Event } from '../../../src/facts/report/event.ts'
import { createAnswering, type AnsweringOptions } from '../../../src/serve/role/answering.ts'
import { startListening, systemListen } from '../../../src/serve/listening.ts'
import type { Availability } from '../../../src/facts/decide/verdict.ts'
import { makeReplies, type Reply } from '../../../src/serve/role/reply.ts'
import { reportPauseMs } from '../../../src/serve/lost-connections.ts'
import { fixedShare } from '../../harness/fixed-share.ts'
import { deferred } from '../../harness/manual-clock.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'
import { connectStubborn, hear, hearOn } from '../../harness/tcp-client.ts'

const lingerMs = 1000
const replyTo = makeReplies({ newline: false, whenUnavailable: 'reply' })
const primary = replyTo({ kind: 'available', role: 'primary' })
const standby = replyTo({ kind: 'available', role: 'standby' })
const bytesOf = (reply: Reply): Buffer =>
  reply.kind === 'say' ? Buffer.from(reply.bytes) : Buffer.alloc(0)

const nothingCounted = {
  primary: 0,
  standby: 0,
  unavailable: 0,
  none: 0,
  refused: 0,
  dropped: 0,
  acceptFailed: 0,
  reset: 0,
  lingeringDestroyed: 0,
}

/** A server that answers on loopback, with a look at our ends of the connections. */
const setup = (t: Test, options: Partial<AnsweringOptions> = {}) => {
  const time = createManualTimers()
  const events: Event[] = []
  const answering = createAnswering({
    answer: () => primary,
    allowed: null,
    share: fixedShare(4096),
    lingerMs,
    report: event => events.push(event),
    timers: time.timers,
    ...options,
  })
  const port = 5400
  const server = answering.createServer(() => port)
  const ends: { readonly socket: Socket; readonly closed: Promise<void> }[] = []
  server.on('connection', (socket: Socket) => {
    const closed = new Promise<void>(resolve => {
      socket.on('close', () => resolve())
    })
    ends.push({ socket, closed })
  })
  t.teardown(() => {
    server.close()
    answering.destroyAll()
  })
  const open = async () => {
    const opened = await startListening(server, { address: '127.0.0.1', port: 0 }, systemListen)
    if (!opened.ok) throw new Error(opened.fault.kind)
    return opened.fact
  }
  /** A client that stays, and our end of it. */
  const connectOne = async ({ port }: { readonly port: number }) => {
    const arrival = once(server, 'connection')
    const client = await connectStubborn({ port })
    await arrival
    const ours = ends.at(-1)
    if (ours === undefined) throw new Error('nobody arrived')
    return { client, ours }
  }
  return { time, events, port, server, ends, answering, open, connectOne }
}

t.test('a primary is six bytes and the end, without any request', async t => {
  const { answering, open } = setup(t)
  const heard = await hear(await open())
  t.strictSame(heard, { bytes: bytesOf(primary), end: 'end' })
  t.equal(heard.bytes.length, 6)
  t.strictSame(answering.counters(), { ...nothingCounted, primary: 1 })
})

t.test('a standby is seven bytes and the end', async t => {
  const { answering, open } = setup(t, { answer: () => standby })
  const heard = await hear(await open())
  t.strictSame(heard, { bytes: bytesOf(standby), end: 'end' })
  t.equal(heard.bytes.length, 7)
  t.strictSame(answering.counters(), { ...nothingCounted, standby: 1 })
})

t.test('a connection without an answer ends without a byte', async t => {
  const { time, answering, open } = setup(t, { answer: () => ({ kind: 'silence' }) })
  t.strictSame(await hear(await open()), { bytes: Buffer.alloc(0), end: 'end' })
  t.strictSame(answering.counters(), { ...nothingCounted, none: 1 })
  t.equal(time.pending(), 0, 'nobody lingers')
})

t.test('the answer is computed once per connection and never kept', async t => {
  const verdicts: readonly Availability[] = [
    { kind: 'available', role: 'primary' },
    { kind: 'unavailable' },
    { kind: 'available', role: 'standby' },
    { kind: 'available', role: 'primary' },
  ]
  let asked = 0
  const answer = (): Reply => replyTo(verdicts[asked++] ?? { kind: 'unavailable' })
  const { answering, open } = setup(t, { answer })
  const bound = await open()
  t.equal(asked, 0)
  for (const [index, verdict] of verdicts.entries()) {
    t.strictSame((await hear(bound)).bytes, bytesOf(replyTo(verdict)))
    t.equal(asked, index + 1)
  }
  t.match(answering.counters(), { primary: 2, standby: 1, unavailable: 1 })
})

t.test('an answer that is to be waited for goes out when it is there', async t => {
  const { promise, resolve } = deferred<Reply>()
  const { open, answering, server, connectOne } = setup(t, { answer: () => promise })
  const where = await open()
  const gone = await connectOne(where)
  gone.client.destroy()
  await gone.ours.closed
  const arrived = once(server, 'connection')
  const heard = hear(where)
  await arrived
  t.same(answering.counters(), nothingCounted)
  resolve(standby)
  t.same((await heard).bytes, bytesOf(standby))
  t.same(answering.counters(), { ...nothingCounted, standby: 1 }, 'who has gone is not answered')
})

t.test('nor is a client let in for ever while it waits', async t => {
  const never = new Promise<Reply>(() => {})
  const { open, answering, time, connectOne } = setup(t, { answer: () => never })
  const { ours } = await connectOne(await open())
  time.advance(2 * lingerMs)
  await ours.closed
  t.equal(answering.counters().lingeringDestroyed, 1)
})

t.test('a client that sends a megabyte gets its answer, whole and with an end', async t => {
  const { answering, open } = setup(t)
  const heard = await hear(await open(), Buffer.alloc(1024 * 1024, 'GET / HTTP/1.1\r\n'))
  t.strictSame(heard, { bytes: bytesOf(primary), end: 'end' })
  t.match(answering.counters(), { reset: 0, lingeringDestroyed: 0 })
})

t.test('a client that neither reads nor closes delays no other, and is cut off', async t => {
  const { time, ends, answering, open, connectOne } = setup(t)
  const bound = await open()
  const { client, ours } = await connectOne(bound)
  t.strictSame((await hear(bound)).bytes, bytesOf(primary))
  await ends[1]?.closed
  t.notOk(ours.socket.destroyed)
  time.advance(2 * lingerMs)
  await ours.closed
  t.match(answering.counters(), { primary: 2, reset: 0, lingeringDestroyed: 1 })
  t.strictSame((await hear(bound)).bytes, bytesOf(primary))
  t.strictSame(await hearOn(client.end()), { bytes: bytesOf(primary), end: 'end' })
})

t.test('a client that talks and closes only its own side gets its answer', async t => {
  const { ends, open, answering } = setup(t)
  const bound = await open()
  const client = connect({ port: bound.port, host: bound.address, allowHalfOpen: true })
  t.strictSame(await hearOn(client.end('role?\n')), { bytes: bytesOf(primary), end: 'end' })
  await ends[0]?.closed
  t.match(answering.counters(), { primary: 1, reset: 0, lingeringDestroyed: 0 })
})

t.test('clients that reset at once are no news', async t => {
  const { events, answering, open } = setup(t)
  const bound = await open()
  for (let count = 0; count < 50; count += 1) {
    const client = connect({ port: bound.port, host: bound.address })
    await once(client, 'connect')
    client.resetAndDestroy()
  }
  t.strictSame(await hear(bound), { bytes: bytesOf(primary), end: 'end' })
  t.match(answering.counters(), { primary: 51, dropped: 0, lingeringDestroyed: 0 })
  t.strictSame(events, [])
})

t.test('a thousand simultaneous connections are all answered', async t => {
  const { answering, open } = setup(t)
  const bound = await open()
  const heard = await Promise.all(Array.from({ length: 1000 }, () => hear(bound)))
  const right = heard.filter(({ bytes, end }) => end === 'end' && bytes.equals(bytesOf(primary)))
  t.equal(right.length, 1000)
  t.match(answering.counters(), { primary: 1000, dropped: 0 })
})

t.test('above the limit the newest is answered, and the oldest goes', async t => {
  const { events, port, answering, open, connectOne } = setup(t, { share: fixedShare(2) })
  const bound = await open()
  const guests = [await connectOne(bound), await connectOne(bound), await connectOne(bound)]
  t.strictSame(
    guests.map(({ ours }) => ours.socket.destroyed),
    [true, false, false],
  )
  t.strictSame(await hear(bound), { bytes: bytesOf(primary), end: 'end' })
  t.match(answering.counters(), { primary: 4, dropped: 2, lingeringDestroyed: 0 })
  const displaced = { connectionsMax: 2, from: '127.0.0.1', held: 3 }
  t.strictSame(events, [{ kind: 'connection limit reached', port, ...displaced }])
  for (const { client } of guests) {
    t.strictSame(
      await hearOn(client.end()),
      { bytes: bytesOf(primary), end: 'end' },
      'all heard it',
    )
  }
})

t.test('a client that is not allowed is closed, counted, and reported once a minute', async t => {
  const asked: (string | undefined)[] = []
  const allowed = (address: string | undefined): boolean => {
    asked.push(address)
    return asked.length > 4
  }
  const answer = (): Reply => {
    t.equal(asked.length, 5, 'nobody asks for an answer to a stranger')
    return primary
  }
  const { time, events, port, answering, open, ends } = setup(t, { allowed, answer })
  const bound = await open()
  for (let count = 0; count < 3; count += 1) {
    t.match(await hear(bound), { bytes: { length: 0 }, end: 'end' })
  }
  const refused = { kind: 'connections refused', port, from: '127.0.0.1' } as const
  t.strictSame(events, [{ ...refused, refused: 1 }])
  time.advance(reportPauseMs)
  t.match((await hear(bound, Buffer.from('let me in'))).bytes.length, 0)
  t.strictSame(events[1], { ...refused, refused: 4 })
  t.strictSame((await hear(bound)).bytes, bytesOf(primary))
  t.strictSame(answering.counters(), { ...nothingCounted, refused: 4, primary: 1 })
  t.strictSame(new Set(asked), new Set(['127.0.0.1']))
  const refusedSockets = ends.slice(0, 4).map(({ socket }) => socket.destroyed)
  t.strictSame(refusedSockets, [true, true, true, true])
})

t.test('a client that has gone before its address is read is not reported by address', async t => {
  const allowed = (address: string | undefined): boolean => address !== undefined
  const { events, port, server, answering } = setup(t, { allowed })
  server.emit('connection', new Socket())
  t.strictSame(events, [{ kind: 'connections refused', port, from: null, refused: 1 }])
  t.match(answering.counters(), { refused: 1 })
})

t.test('there is room again when a guest has been cut off', async t => {
  const { time, open, connectOne, answering } = setup(t, { share: fixedShare(1) })
  const bound = await open()
  const { client, ours } = await connectOne(bound)
  time.advance(2 * lingerMs)
  await ours.closed
  t.strictSame((await hear(bound)).bytes, bytesOf(primary))
  t.match(answering.counters(), { dropped: 0, lingeringDestroyed: 1 })
  client.destroy()
})

t.test('a failing accept is reported once a minute, and does not end the listener', async t => {
  const { time, events, port, server, answering, open } = setup(t)
  const bound = await open()
  const fail = (error: Error): void => {
    server.emit('error', error)
  }
  const tooMany = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })
  fail(tooMany)
  fail(tooMany)
  t.strictSame(events, [{ kind: 'connections lost', port, because: 'accept failed (EMFILE)' }])
  time.advance(reportPauseMs)
  fail(new Error('out of order'))
  t.match(events[1], { kind: 'connections lost', because: 'accept failed (out of order)' })
  t.match(answering.counters(), { acceptFailed: 3 })
  t.strictSame((await hear(bound)).bytes, bytesOf(primary))
})

t.test('an error before it listens is no event of a connection', t => {
  const { events, server, answering } = setup(t)
  server.emit('error', Object.assign(new Error('no'), { code: 'EADDRINUSE' }))
  t.strictSame(events, [])
  t.strictSame(answering.counters(), nothingCounted)
  t.end()
})

t.test('events are reported again after a reset', async t => {
  const { time, events, server, answering, open } = setup(t)
  await open()
  const tooMany = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })
  server.emit('error', tooMany)
  answering.resetReports()
  t.equal(time.pending(), 0)
  server.emit('error', tooMany)
  t.equal(events.length, 2)
})
