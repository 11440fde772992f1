import { join } from 'node:path'
import t from 'tap'
import { endpoint, ipAddress, network, onOff, oneOf, path, whole } from '../../src/cli/forms.ts'

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
  for (const text of ['localhost', '*', '127.0.0', '[::1]', '127.0.0.1:5400', '']) {
    t.equal(ipAddress.read(text), null, text)
  }
})

t.test('a place to listen on is an address with a port, or a port for all addresses', async t => {
  const places = {
    '127.0.0.1:5410': { address: '127.0.0.1', port: 5410 },
    '[::1]:5410': { address: '::1', port: 5410 },
    '[fe80::1%eth0]:5410': { address: 'fe80::1%eth0', port: 5410 },
    '5410': { address: null, port: 5410 },
    '0': { address: null, port: 0 },
    '65535': { address: null, port: 65_535 },
  }
  for (const [text, place] of Object.entries(places)) t.strictSame(endpoint.read(text), place, text)
  const wrong =
    '65536 1.2.3.4:65536 localhost:5410 1.2.3.4 1.2.3.4: :5410 []:5410 [1.2.3.4]:5410 ::1:5410 ' +
    '[::1] [::1]5410 ::1 *:5410 1.2.3.4:x x -1 +1 1.2.3.4:-1 999999 http://1.2.3.4:5410'
  for (const text of ['', ' 5410', ...wrong.split(' ')]) t.equal(endpoint.read(text), null, text)
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
