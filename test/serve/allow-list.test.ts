import t from 'tap'
import { createAllowList, type Network } from '../../src/serve/allow-list.ts'

/** `192.0.2.0/24` and the like. */
const listOf = (...texts: readonly string[]) => {
  const networks = texts.map((text): Network => {
    const [address = '', prefix = ''] = text.split('/')
    return { address, prefix: Number(prefix) }
  })
  const allowed = createAllowList(networks)
  if (allowed === null) throw new Error('no list')
  return allowed
}

t.test('without a network every client is allowed, and no address is examined', async t => {
  t.equal(createAllowList([]), null)
})

const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['192.0.2.0/24', ['192.0.2.0', '192.0.2.255'], ['192.0.1.255', '192.0.3.0', '::1']],
  ['192.0.2.77/24', ['192.0.2.1'], ['192.0.3.1']],
  ['192.0.2.77/32', ['192.0.2.77'], ['192.0.2.76', '192.0.2.78']],
  ['10.0.0.0/9', ['10.127.255.255'], ['10.128.0.0']],
  ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255'], ['::1', '2001:db8::1']],
  ['2001:db8::/32', ['2001:db8::', '2001:db8:ffff::1'], ['2001:db9::', '192.0.2.1']],
  ['2001:db8::1/128', ['2001:db8::1', '2001:DB8:0::1'], ['2001:db8::2']],
  ['::1/128', ['::1'], ['::2', '127.0.0.1', '0.0.0.1']],
  ['fe80::/10', ['fe80::1', 'febf::1'], ['fec0::1']],
  ['::/0', ['::1', '2001:db8::1', 'ffff::', '192.0.2.1'], []],
  ['::ffff:192.0.2.0/120', ['192.0.2.1'], ['192.0.3.1', '::1']],
  ['::ffff:c000:200/120', ['192.0.2.1'], ['192.0.3.1', '::1']],
  ['::FFFF:192.0.2.1/128', ['192.0.2.1'], ['192.0.2.2']],
  ['::ffff:0.0.0.0/96', ['192.0.2.1', '0.0.0.0'], ['::1', '2001:db8::1']],
]
for (const [network, inside, host] of cases) {
  t.test(`${network}: which clients are in it, also by IPv4 within IPv6`, async t => {
    const allowed = listOf(network)
    const mapped = (addresses: readonly string[]) =>
      addresses.filter(address => !address.includes(':')).map(address => `::ffff:${address}`)
    for (const address of [...inside, ...mapped(inside)]) t.equal(allowed(address), true, address)
    for (const address of [...host, ...mapped(host)]) {
      t.equal(allowed(address), false, address)
    }
  })
}

t.test('a network of IPv6 that holds more than all of IPv4 is both', async t => {
  const allowed = listOf('::ffff:0.0.0.0/90')
  t.equal(allowed('::1'), false)
  t.equal(allowed('::ffbf:0:1'), false)
  t.equal(allowed('::ffc0:0:1'), true)
  t.equal(allowed('192.0.2.1'), true)
})

t.test('of several networks any will do', async t => {
  const allowed = listOf('192.0.2.0/24', '198.51.100.7/32', '2001:db8::/32')
  for (const address of ['192.0.2.9', '::ffff:198.51.100.7', '2001:db8::9']) {
    t.equal(allowed(address), true, address)
  }
  for (const address of ['198.51.100.8', '127.0.0.1', '::1']) {
    t.equal(allowed(address), false, address)
  }
})

t.test('the zone of an address is no part of it', async t => {
  const allowed = listOf('fe80::/10', '::ffff:192.0.2.0/120')
  for (const address of ['fe80::1%eth0', 'FE80::1%2', 'febf::1%lo']) t.equal(allowed(address), true)
  for (const address of ['fec0::1%eth0', '::1%eth0', 'fd00::fe80:1%eth0']) {
    t.equal(allowed(address), false, address)
  }
})

t.test('what is no address is never in, and breaks nothing', async t => {
  const allowed = listOf('0.0.0.0/0', '::/0', 'fe80::/10')
  const malformed = [
    '',
    'x',
    'localhost',
    '192.0.2.256',
    '192.0.2',
    '0xc0.0.2.1',
    '192.0.2.1%eth0',
    '192.0.2.1/24',
    '::ffff:192.0.2.256',
    '::ffff:192.0.2.1.1',
    'fe80::1/64',
    ':::',
    '1:2:3:4:5:6:7:8:9',
  ]
  for (const address of malformed) t.equal(allowed(address), false, address)
})

t.test('a client that has gone, or has an unreadable address, is not allowed', async t => {
  const allowed = listOf('0.0.0.0/0', '::/0')
  t.equal(allowed(undefined), false)
})
