import { join } from 'node:path'
import t from 'tap'
import {
  endpoint,
  hostName,
  ipAddress,
  network,
  onOff,
  oneOf,
  path,
  peer,
} from '../../../src/cli/options/option-forms.ts'
import { shellCommand, size, userName, whole } from '../../../src/cli/options/option-forms.ts'

t.test('a whole number has digits only, and limits', async t => {
  const { read, expected } = whole(50, 60_000)
  for (const text of ['50', '0500', '60000']) t.equal(read(text), Number(text), text)
  for (const text of ['49', '60001', '-500', '+500', '5e2', '500.0', ' 500', '500 ms', '', 'x']) {
    t.equal(read(text), null, text)
  }
  t.equal(expected, 'a whole number from 50 to 60000')
})

t.test('a path is made absolute, and the root directory is one', async t => {
  t.equal(path.read('/var/lib/../lib/data/'), '/var/lib/data')
  t.equal(path.read('data'), join(process.cwd(), 'data'))
  t.equal(path.read('/'), '/')
})

t.test('it means the same after we have gone elsewhere', async t => {
  const start = process.cwd()
  t.teardown(() => process.chdir(start))
  process.chdir('/')
  t.equal(path.read('data'), join(start, 'data'))
})

t.test('a user has a name that /etc/passwd can hold', async t => {
  for (const text of ['postgres', 'svc-pg_1.prod', 'DOMAIN\\\\pg$'])
    t.equal(userName.read(text), text)
  for (const text of ['', 'a:b', 'a b', 'a\n', ' a']) t.equal(userName.read(text), null, text)
})

t.test(
  'an empty path, as from an unset variable, is not taken for the current directory',
  async t => {
    t.equal(path.read(''), null)
  },
)

t.test('one of several words, in their own spelling', async t => {
  const { read, expected } = oneOf(['refuse', 'close', 'reply'])
  t.equal(read('close'), 'close')
  for (const text of ['Close', 'clos', 'close ', '']) t.equal(read(text), null, text)
  t.equal(expected, 'refuse, close or reply')
})

t.test('an address is not a name', async t => {
  for (const text of ['127.0.0.1', '0.0.0.0', '::', '::1', 'fe80::1%eth0']) {
    t.equal(ipAddress.read(text), text)
  }
  const spellings = {
    '0:0:0:0:0:0:0:1': '::1',
    '0::0': '::',
    '2001:DB8::0:1': '2001:db8::1',
    'FE80::0:1%eth0': 'fe80::1%eth0',
    '::ffff:127.0.0.1': '127.0.0.1',
    '::FFFF:7f00:1': '127.0.0.1',
    '::ffff:0.0.0.0': '0.0.0.0',
    '::127.0.0.1': '::127.0.0.1',
  }
  for (const [text, address] of Object.entries(spellings)) {
    t.equal(ipAddress.read(text), address, text)
    t.strictSame(endpoint.read(`[${text}]:1`), { address, port: 1 })
  }
  for (const text of ['localhost', '*', '127.0.0', '[::1]', '127.0.0.1:5400', '']) {
    t.equal(ipAddress.read(text), null, text)
  }
})

t.test('a place to listen is a port, after an address or without', async t => {
  t.strictSame(endpoint.read('8008'), { address: null, port: 8008 })
  t.strictSame(endpoint.read('0'), { address: null, port: 0 })
  t.strictSame(endpoint.read('127.0.0.1:8008'), { address: '127.0.0.1', port: 8008 })
  t.strictSame(endpoint.read('[::1]:65535'), { address: '::1', port: 65_535 })
  t.strictSame(endpoint.read('[fe80::1%eth0]:1'), { address: 'fe80::1%eth0', port: 1 })
  const wrong = [
    ': :8008 []:8008 ::1 ::1:8008 [::1] [::1]8008 [127.0.0.1]:8008 65536 -1',
    '127.0.0.1 127.0.0.1: 127.0.0.1:http 127.0.0.1:65536 127.0.0.1:8008: localhost:8008 *:8008',
  ].flatMap(texts => texts.split(' '))
  for (const text of [...wrong, '', '8008 ', '[::1]:8008\n'])
    t.equal(endpoint.read(text), null, text)
})

t.test('a name of a host has no port, and no other form than names have', async t => {
  for (const text of ['db1', 'db1.example.com', '.example.com', 'db_1-a.x'])
    t.equal(hostName.read(text), text)
  t.equal(hostName.read('DB1.Example.com'), 'db1.example.com')
  const wrong = 'db1:8008 . .. a..b db1. 127.0.0.1 ::1 [::1] *.example.com http://db1 a/b ä'
  for (const text of [...wrong.split(' '), '', 'a b', 'a\n'])
    t.equal(hostName.read(text), null, text)
})

t.test('a network has a prefix, and an address alone is one too', async t => {
  const networks = {
    '192.0.2.0/24': { address: '192.0.2.0', prefix: 24 },
    '192.0.2.7': { address: '192.0.2.7', prefix: 32 },
    '0.0.0.0/0': { address: '0.0.0.0', prefix: 0 },
    '2001:db8::/32': { address: '2001:db8::', prefix: 32 },
    '::1': { address: '::1', prefix: 128 },
    '::ffff:192.0.2.0/120': { address: '::ffff:192.0.2.0', prefix: 120 },
  }
  for (const [text, value] of Object.entries(networks)) {
    t.strictSame(network.read(text), value, text)
  }
  const wrong =
    '192.0.2.0/33 2001:db8::/129 192.0.2.0/ /24 192.0.2.0/255.255.255.0 192.0.2/24 localhost ' +
    'fe80::1%eth0 fe80::%eth0/10 192.0.2.0/-1 192.0.2.0/x [::1]/128 192.0.2.0/24/24 all 1.2.3.4/1e1'
  for (const text of ['', ...wrong.split(' ')]) t.equal(network.read(text), null, text)
})

t.test('on and off are spelt as in postgresql.conf', async t => {
  for (const text of ['on', 'ON', 'true', 'yes', '1']) t.equal(onOff.read(text), true, text)
  for (const text of ['off', 'False', 'no', '0']) t.equal(onOff.read(text), false, text)
  for (const text of ['', 'o', 'onoff', '2', 'enabled']) t.equal(onOff.read(text), null, text)
})

t.test('a command is anything that is not blank', async t => {
  t.equal(shellCommand.read(' a | b; c'), ' a | b; c')
  for (const text of ['', ' ', '\t\n']) t.equal(shellCommand.read(text), null)
})

t.test('a peer is a host with a port, and perhaps a scheme', async t => {
  const read = (text: string) => peer.read(text)
  const s2 = { host: 's2.example.com', port: 8008 }
  t.strictSame(read('s2.example.com:8008'), { text: 's2.example.com:8008', secure: false, ...s2 })
  t.match(read('http://s2.example.com:8008/'), { secure: false, ...s2 })
  t.match(read('https://s2.example.com:8008'), { secure: true, ...s2 })
  t.match(read('192.0.2.1:1'), { host: '192.0.2.1', port: 1 })
  t.match(read('[2001:db8::1]:8008'), { host: '2001:db8::1', port: 8008 })
  const others = ['s2', 's2:', ':8008', 's2:0', 's2:65536', 's2:08', '::1', '::1:8008', '']
  const urls = ['ftp://s2:1', 'http://', 'http://s2', 'http://s2:1/member', 'http://u@s2:1']
  for (const text of [...others, ...urls]) t.equal(read(text), null, text)
})

t.test('a size is spelt as in postgresql.conf', async t => {
  t.equal(size.read('10MB'), 10_485_760)
  t.equal(size.read('10mb'), null)
})
