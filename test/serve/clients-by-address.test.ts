import { Socket } from 'node:net'
import * as fc from 'fast-check'
import t from 'tap'
import { createClientsByAddress, clientAddress } from '../../src/serve/clients-by-address.ts'
import { socketFrom } from '../harness/socket-from.ts'

t.test('the address with most connections is the largest, its oldest one first', async t => {
  const crowds = createClientsByAddress()
  const [a, b, c, d] = ['192.0.2.1', '192.0.2.2', '192.0.2.2', '192.0.2.1'].map(socketFrom)
  const others = [a, b, c] as readonly Socket[]
  for (const socket of others) crowds.add(socket)
  t.equal(crowds.largest().address, '192.0.2.2')
  t.strictSame([...crowds.largest().sockets], [b, c])
  crowds.add(d as Socket)
  t.equal(crowds.largest().address, '192.0.2.2', 'it has had two for longer')
  crowds.delete(b as Socket)
  t.equal(crowds.largest().address, '192.0.2.1')
  crowds.delete(b as Socket)
  crowds.delete(a as Socket)
  crowds.delete(d as Socket)
  t.strictSame([...crowds.largest().sockets], [c])
})

t.test('of addresses with as many, the one that has had them for longest', async t => {
  const crowds = createClientsByAddress()
  const sockets = [1, 2, 3].map(last => socketFrom(`192.0.2.${last}`))
  for (const socket of sockets) crowds.add(socket)
  for (const socket of sockets) {
    t.strictSame([...crowds.largest().sockets], [socket])
    crowds.delete(socket)
  }
  t.throws(() => crowds.largest())
})

t.test('whatever comes and goes, the numbers are those of a new count', async () => {
  const address = fc.integer({ min: 0, max: 4 }).map(last => `192.0.2.${last}`)
  const step = fc.record({ address, leaves: fc.nat({ max: 3 }) })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), steps => {
      const crowds = createClientsByAddress()
      const here: { readonly address: string; readonly socket: Socket }[] = []
      for (const { address: from, leaves } of steps) {
        const socket = socketFrom(from)
        here.push({ address: from, socket })
        crowds.add(socket)
        // One of four leaves the oldest but this many.
        const [gone] = leaves < 3 && here.length > leaves + 1 ? here.splice(leaves, 1) : []
        if (gone !== undefined) crowds.delete(gone.socket)
        const held = (one: string): readonly Socket[] =>
          here.filter(each => each.address === one).map(each => each.socket)
        const most = Math.max(...here.map(each => held(each.address).length))
        const largest = crowds.largest()
        if (largest.sockets.size !== most) return false
        const expected = held(largest.address)
        if (![...largest.sockets].every((each, index) => each === expected[index])) return false
      }
      return true
    }),
  )
})

t.test('of IPv6 the network counts, since a host can have any address in it', async t => {
  const network = '2001:db8:1:2::/64'
  for (const address of ['2001:db8:1:2::7', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::'])
    t.equal(clientAddress(address), network)
  t.equal(clientAddress('2001:db8:1:3::7'), '2001:db8:1:3::/64')
  t.equal(clientAddress('::1'), '0:0:0:0::/64')
  t.equal(clientAddress('fe80::1%eth0'), 'fe80:0:0:0::/64')
})

t.test(
  'IPv4 is whole, also on a socket for both; a client that has gone has no address',
  async t => {
    t.equal(clientAddress('192.0.2.1'), '192.0.2.1')
    t.equal(clientAddress('::ffff:192.0.2.1'), '::ffff:192.0.2.1')
    t.equal(clientAddress(undefined), '')
  },
)
