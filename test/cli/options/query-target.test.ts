import t from 'tap'
import {
  defaultTarget,
  describeTargetFault,
  parseTarget,
  printTarget,
} from '../../../src/cli/options/query-target.ts'

t.test('a target is a host with or without a port', t => {
  const expected = {
    db1: { host: 'db1', port: 5400 },
    'db1:5401': { host: 'db1', port: 5401 },
    'db-1.example.:65535': { host: 'db-1.example.', port: 65_535 },
    '192.0.2.7:1': { host: '192.0.2.7', port: 1 },
    '::1': { host: '::1', port: 5400 },
    '2001:db8::5401': { host: '2001:db8::5401', port: 5400 },
    'fe80::1%eth0': { host: 'fe80::1%eth0', port: 5400 },
    '[::1]': { host: '::1', port: 5400 },
    '[2001:db8::1]:5401': { host: '2001:db8::1', port: 5401 },
  }
  for (const [text, target] of Object.entries(expected)) {
    t.strictSame(parseTarget(text), { ok: true, fact: target }, text)
  }
  t.strictSame(parseTarget('localhost'), { ok: true, fact: defaultTarget })
  t.end()
})

t.test('an invalid target is reported with the invalid part', t => {
  const expected = {
    '': 'bad host',
    ':5400': 'bad host',
    '[]': 'bad host',
    '[db1]:5400': 'bad host',
    '[::1': 'bad host',
    '[::1]5400': 'bad host',
    '[::1]]': 'bad host',
    'db 1': 'bad host',
    'db1/x': 'bad host',
    'user@db1': 'bad host',
    'db1\n': 'bad host',
    'db1:': 'bad port',
    'db1:0': 'bad port',
    'db1:65536': 'bad port',
    'db1:-1': 'bad port',
    'db1:1e3': 'bad port',
    'db1:5400:5400': 'bad port',
    '[::1]:': 'bad port',
    'http://db1': 'bad port',
  }
  for (const [text, kind] of Object.entries(expected)) {
    t.match(parseTarget(text), { ok: false, fault: { kind, text } }, JSON.stringify(text))
  }
  t.end()
})

t.test('a target fault names what was found and what was wanted', t => {
  const texts = {
    'db1:99999': 'invalid port "99999" in "db1:99999": must be from 1 to 65535',
    ':5400': 'invalid host "" in ":5400": must be a name or an address',
    '\u001b[1m': String.raw`invalid host "\u001b[1m" in "\u001b[1m": must be a name or an address`,
  }
  for (const [text, message] of Object.entries(texts)) {
    const target = parseTarget(text)
    t.equal(target.ok ? '' : describeTargetFault(target.fault), message)
  }
  t.end()
})

t.test('a target is printed as it may be written', t => {
  for (const text of ['db1:5400', '192.0.2.7:1', '[2001:db8::1]:5401']) {
    const target = parseTarget(text)
    t.equal(target.ok && printTarget(target.fact), text)
  }
  t.end()
})
