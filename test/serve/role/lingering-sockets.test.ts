import { once } from 'node:events'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import {
  createLingeringSockets,
  discardedBytesMax,
} from '../../../src/serve/role/lingering-sockets.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'
import { connectStubborn, hear, listenAsStranger } from '../../harness/tcp-client.ts'

const lingerMs = 1000

/** Unlike once(), it does not mind an error on the way. */
const closing = (socket: Socket): Promise<void> =>
  new Promise(resolve => {
    socket.on('close', () => resolve())
  })

/** A port whose clients are all said one byte and then left to linger. */
const setup = async (t: Test) => {
  const time = createManualTimers()
  const lingering = createLingeringSockets({ timers: time.timers, lingerMs })
  const arrived: Socket[] = []
  const { server, port } = await listenAsStranger(socket => {
    socket.end('x')
    lingering.add(socket)
    arrived.push(socket)
    server.emit('arrived')
  })
  t.teardown(() => {
    server.close()
    lingering.destroyAll()
  })
  /** A client that stays, and the socket at our end. */
  const connectOne = async () => {
    const arrival = once(server, 'arrived')
    const client = await connectStubborn({ port })
    await arrival
    const ours = arrived.at(-1)
    if (ours === undefined) throw new Error('nobody arrived')
    return { client, ours, left: closing(ours) }
  }
  return { time, lingering, port, connectOne }
}

t.test('a client that closes leaves nothing behind but one sweep', async t => {
  const { time, lingering, connectOne } = await setup(t)
  const { client, left } = await connectOne()
  client.end()
  await left
  t.equal(time.pending(), 1)
  time.advance(lingerMs)
  t.equal(time.pending(), 0)
  t.strictSame(lingering.counters(), { reset: 0, destroyed: 0 })
})

t.test('a client that stays is cut off after one to two linger times', async t => {
  const { time, lingering, connectOne } = await setup(t)
  const first = await connectOne()
  time.advance(lingerMs - 1)
  const second = await connectOne()
  time.advance(lingerMs)
  t.notOk(first.ours.destroyed)
  time.advance(1)
  t.ok(first.ours.destroyed)
  t.ok(second.ours.destroyed)
  await Promise.all([first.left, second.left])
  t.strictSame(lingering.counters(), { reset: 0, destroyed: 2 })
  first.client.destroy()
  second.client.destroy()
})

t.test('a socket is never cut off before its linger time', async t => {
  const { time, connectOne } = await setup(t)
  const first = await connectOne()
  time.advance(lingerMs)
  const second = await connectOne()
  time.advance(lingerMs)
  t.ok(first.ours.destroyed)
  t.notOk(second.ours.destroyed, 'came after the sweep before')
  time.advance(lingerMs)
  t.ok(second.ours.destroyed)
  first.client.destroy()
  second.client.destroy()
})

t.test('one timer serves all sockets, and stops when none is left', async t => {
  const { time, connectOne } = await setup(t)
  t.equal(time.pending(), 0)
  const guests = [await connectOne(), await connectOne(), await connectOne()]
  t.equal(time.pending(), 1)
  time.advance(lingerMs)
  t.equal(time.pending(), 1)
  time.advance(lingerMs)
  t.equal(time.pending(), 0)
  for (const { client } of guests) client.destroy()
  const late = await connectOne()
  t.equal(time.pending(), 1, 'wakes up for the next')
  late.client.destroy()
})

t.test('a reset is counted and harms no other client', async t => {
  const { lingering, connectOne, port } = await setup(t)
  const { client, left } = await connectOne()
  client.resetAndDestroy()
  await left
  t.strictSame(lingering.counters(), { reset: 1, destroyed: 0 })
  t.equal((await hear({ port })).bytes.toString(), 'x')
})

t.test('a client that sends without end is cut off before its time', async t => {
  const { lingering, connectOne } = await setup(t)
  const { client, ours, left } = await connectOne()
  client.write(Buffer.alloc(discardedBytesMax))
  await once(client, 'drain')
  client.write(Buffer.alloc(1024))
  await left
  t.ok(ours.bytesRead > discardedBytesMax)
  t.strictSame(lingering.counters(), { reset: 0, destroyed: 1 })
  client.destroy()
})

t.test('all can be cut off at once, young and old, and no timer stays', async t => {
  const { time, lingering, connectOne } = await setup(t)
  const old = await connectOne()
  time.advance(lingerMs)
  const young = await connectOne()
  lingering.destroyAll()
  t.equal(time.pending(), 0)
  await Promise.all([old.left, young.left])
  lingering.destroyAll()
  t.strictSame(lingering.counters(), { reset: 0, destroyed: 0 }, 'that is no deadline')
  old.client.destroy()
  young.client.destroy()
})
