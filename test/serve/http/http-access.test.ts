import t from 'tap'
import { refuseAccess, type Access } from '../../../src/serve/http/http-access.ts'

const open: Access = { healthOnly: false, ownNames: [] }
const codeFor = (host: string | null, ...ownNames: readonly string[]): number | null =>
  refuseAccess({ host, certificateFault: null }, { ...open, ownNames })?.statusCode ?? null

t.test('an address, a name without a domain, and no name at all are ours', async t => {
  for (const host of [
    null,
    '',
    '192.0.2.1',
    '127.0.0.1:8008',
    '[::1]',
    '[2001:db8::1]:8008',
    'localhost:8008',
    'db1',
    'DB1:80',
    'db1.',
  ])
    t.equal(codeFor(host), null, String(host))
})

t.test('a name with a domain has to be known', async t => {
  const rebound = ['evil.example', 'db1.evil.example:8008', '127.0.0.1.evil.example', 'a.b.']
  for (const host of rebound) t.equal(codeFor(host, 'db1.example.com'), 421, host)
  for (const host of ['db1.example.com', 'DB1.Example.COM:8008', 'db1.example.com.'])
    t.equal(codeFor(host, 'db1.example.com'), null, host)
  t.equal(codeFor('xdb1.example.com', 'db1.example.com'), 421)
  t.equal(codeFor('db1.example.com.evil.example', 'db1.example.com'), 421)
})

t.test('a domain with a dot in front is every name in it', async t => {
  t.equal(codeFor('db1.example.com', '.example.com'), null)
  t.equal(codeFor('a.b.example.com', '.example.com'), null)
  t.equal(codeFor('example.com', '.example.com'), 421)
  t.equal(codeFor('evilexample.com', '.example.com'), 421)
})

t.test('what is no host is not ours', async t => {
  for (const host of ['[db1]', '[127.0.0.1]', 'db1:x', 'a:1:2', 'user@db1:1:', '[::1', '::1'])
    t.equal(codeFor(host), 421, host)
})

t.test('each refusal names the option that is behind it', async t => {
  const requester = { host: 'evil.example', certificateFault: 'CERT_HAS_EXPIRED' }
  t.match(refuseAccess(requester, { ...open, healthOnly: true }), {
    statusCode: 403,
    body: /^[^\n]*\(--http-health\)\n$/,
  })
  t.match(refuseAccess(requester, open), {
    statusCode: 403,
    body: /^[^\n]*\(--http-client-ca\): CERT_HAS_EXPIRED\n$/,
  })
  t.match(refuseAccess({ ...requester, certificateFault: null }, open), {
    statusCode: 421,
    body: /^[^\n]*--http-host[^\n]*\n$/,
  })
})
