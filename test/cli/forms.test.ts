import { join } from 'node:path'
import t from 'tap'
import { endpoint, ipAddress, network, onOff, oneOf, path } from '../../src/cli/forms.ts'
import { shellCommand, whole } from '../../src/cli/forms.ts'

t.test('a whole number has digits only, and limits', async t => {
  const { read, wanted } = whole(50, 60_000)
  for (const text of ['50', '0500', '60000']) t.equal(read(text), Number(text), text)
  for (const text of ['49', '60001', '-500', '+500', '5e2', '500.0', ' 500', '500 ms', '', 'x']) {
    t.equal(read(text), null, text)
  }
  t.equal(wanted, 'a whole number from 50 to 60000')
})

t.test('a path is made absolute, and the root directory is one', async t => {
  t.equal(path.read('/var/lib/../lib/data/'), '/var/lib/data')
  t.equal(path.read('data'), join(process.cwd(), 'data'))
  t.equal(path.read('/'), '/')
})

t.test(
  'an empty path, as from an unset variable, is not taken for the current directory',
  async t => {
    t.equal(path.read(''), null)
  },
)

t.test('one of several words, in their own spelling', async t => {
  const { read, wanted } = oneOf(['refuse', 'close', 'reply'])
  t.equal(read('close'), 'close')
  for (const text of ['Close', 'clos', 'close ', '']) t.equal(read(text), null, text)
  t.equal(wanted, 'refuse, close or reply')
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
