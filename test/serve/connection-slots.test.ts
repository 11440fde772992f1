import { Socket } from 'node:net'
import t from 'tap'
import { createConnectionSlots } from '../../src/serve/connection-slots.ts'
import { fixedShare } from '../harness/fixed-share.ts'
import { settle } from '../harness/manual-clock.ts'
import { socketFrom } from '../harness/socket-from.ts'

const flooder = '192.0.2.1'
const balancer = '192.0.2.2'

/** Each takes a place, in this order. */
const take = (places: ReturnType<typeof createConnectionSlots>, addresses: readonly string[]) =>
  addresses.map(address => {
    const socket = socketFrom(address)
    return { socket, displaced: places.take(socket) }
  })
const gone = (all: readonly { readonly socket: Socket }[]): readonly number[] =>
  all.flatMap(({ socket }, index) => (socket.destroyed ? [index] : []))

t.test('as long as there is room no connection is closed', async t => {
  const places = createConnectionSlots(fixedShare(3))
  const all = take(places, [flooder, flooder, flooder])
  t.strictSame(gone(all), [])
  t.strictSame(
    all.map(({ displaced }) => displaced),
    [null, null, null],
  )
  t.equal(places.displaced(), 0)
})

t.test('the oldest goes for the newest', async t => {
  const places = createConnectionSlots(fixedShare(3))
  const all = take(places, Array<string>(5).fill(flooder))
  t.strictSame(gone(all), [0, 1])
  t.strictSame(all.at(-1)?.displaced, { from: flooder, held: 4 })
  t.equal(places.displaced(), 2)
})

t.test('of the address that has most of them', async t => {
  const places = createConnectionSlots(fixedShare(4))
  const all = take(places, [balancer, flooder, flooder, balancer, flooder, flooder])
  t.strictSame(gone(all), [1, 2])
  t.strictSame(gone(take(places, [balancer])), [], 'a newcomer never goes')
})

t.test('those that have been answered go before those that wait', async t => {
  const places = createConnectionSlots(fixedShare(3))
  const all = take(places, [flooder, flooder, balancer])
  for (const index of [2, 1]) places.answered(all[index]?.socket as Socket)
  take(places, [balancer])
  t.strictSame(gone(all), [2])
  take(places, [balancer])
  t.strictSame(gone(all), [1, 2])
  take(places, [flooder])
  t.strictSame(gone(all), [1, 2], 'of those that wait, the balancer has most')
})

t.test('a client that leaves makes room, answered or not', async t => {
  const places = createConnectionSlots(fixedShare(2))
  const all = take(places, [flooder, flooder])
  places.answered(all[0]?.socket as Socket)
  for (const { socket } of all) socket.destroy()
  await settle()
  places.answered(all[0]?.socket as Socket)
  t.equal(places.displaced(), 0)
  t.strictSame(gone(take(places, [flooder, flooder])), [])
})

t.test('addresses are asked for only while places are scarce', async t => {
  const places = createConnectionSlots(fixedShare(4))
  const asked: string[] = []
  const newcomer = (name: string): Socket => {
    const socket = new Socket()
    const get = (): string => {
      asked.push(name)
      return flooder
    }
    Object.defineProperty(socket, 'remoteAddress', { get })
    places.take(socket)
    return socket
  }
  const first = ['a', 'b', 'c', 'd'].map(newcomer)
  t.strictSame(asked, [])
  const fifth = newcomer('e')
  t.strictSame(asked, ['a', 'b', 'c', 'd', 'e'])
  newcomer('f')
  t.strictSame(asked.slice(5), ['f'], 'each of them once')
  for (const socket of [...first, fifth]) socket.destroy()
  await settle()
  newcomer('g')
  t.strictSame(asked.slice(6), [], 'half of the places are free')
})

t.test('when there may be fewer, the rest goes at once', async t => {
  let max = 4
  let lowered = (): void => undefined
  const places = createConnectionSlots({
    max: () => max,
    onLowered: listener => {
      lowered = listener
    },
  })
  const all = take(places, [balancer, flooder, flooder, flooder])
  max = 2
  lowered()
  t.strictSame(gone(all), [1, 2])
  t.equal(places.displaced(), 2)
})
