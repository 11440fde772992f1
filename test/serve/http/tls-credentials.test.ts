import { join } from 'node:path'
import t from 'tap'
import { judgeCredentials, type PemFiles } from '../../../src/serve/http/tls-credentials.ts'
import type { UnixMs } from '../../../src/facts/units.ts'
import { createAuthority, openssl, pem } from '../../harness/certificates.ts'
import { runProgram } from '../../harness/programs.ts'
import { makeServerFolder } from '../../harness/stand-in.ts'

const day = 86_400_000

t.test('certificates are judged', openssl.options, async t => {
  const folder = makeServerFolder(t)
  const authority = await createAuthority(folder, 'ca')
  const [server, other] = [await authority.issue('server'), await authority.issue('other')]
  const now = Date.now() as UnixMs
  const run = (...args: readonly string[]) =>
    runProgram({ program: openssl.get(), args, cwd: folder })
  const file = (path: string, text: string) => ({ path, text })
  const cert = pem(server.cert)
  const key = pem(server.key)
  const judge = (changes: Partial<PemFiles>, at: number = Date.now()) =>
    judgeCredentials({ cert, key, clientCa: null, ...changes }, at as UnixMs)
  const fault = (changes: Partial<PemFiles>, at?: number): string => {
    const judged = judge(changes, at)
    return judged.ok ? 'none' : judged.fault.message
  }

  await t.test('a certificate and its key', async t => {
    const judged = judge({})
    t.match(judged, { ok: true, fact: { cert: cert.text, key: key.text, ca: null } })
    const expiresAt = judged.ok ? judged.fact.expiresAt : 0
    t.ok(Math.abs(expiresAt - now - 30 * day) < 60_000, new Date(expiresAt).toISOString())
    const both = file('both.pem', `${key.text}${cert.text}`)
    t.match(judge({ cert: both, key: null }), { ok: true, fact: { key: both.text } })
    const crlf = file('crlf.pem', cert.text.replaceAll('\n', '\r\n'))
    t.match(judge({ cert: crlf }), { ok: true })
    const ca = pem(authority.cert)
    t.match(judge({ clientCa: ca }), { ok: true, fact: { ca: ca.text } })
  })

  await t.test('the first of a chain to expire counts', async t => {
    const short = pem((await authority.issue('short', { days: 3 })).cert)
    const judged = judge({ cert: file('chain.pem', `${cert.text}${short.text}`) })
    const expiresAt = judged.ok ? judged.fact.expiresAt : 0
    t.ok(Math.abs(expiresAt - now - 3 * day) < 60_000, new Date(expiresAt).toISOString())
  })

  await t.test('a key of another certificate, also of another in the same file', async t => {
    const wrong = `the private key in ${other.key} does not match the certificate in ${server.cert}`
    t.equal(fault({ key: pem(other.key) }), wrong)
    const misplaced = file('chain.pem', `${pem(authority.cert).text}${cert.text}`)
    t.match(fault({ cert: misplaced }), /does not match the certificate in chain\.pem$/)
  })

  await t.test('one that is not valid', async t => {
    const late = pem((await authority.issue('late', { days: -1 })).cert)
    t.match(
      fault({ cert: late, key: pem(join(folder, 'late.key')) }),
      /^the certificate in .*late\.crt expired at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    )
    t.match(fault({}, now + 31 * day), / expired at /)
    t.match(fault({}, now - day), /server\.crt is not valid before \d{4}-.*Z$/)
  })

  await t.test('what is not PEM, or only half of it', async t => {
    const garbage = file('x.pem', 'garbage')
    const noCertificate = 'x.pem has no certificate in PEM format'
    for (const text of ['', 'garbage', '-----BEGIN CERTIFICATE-----\nAA', key.text])
      t.equal(fault({ cert: file('x.pem', text) }), noCertificate)
    t.equal(fault({ clientCa: garbage }), noCertificate)
    t.equal(fault({ key: garbage }), 'x.pem has no private key in PEM format')
    t.equal(fault({ key: null }), `${server.cert} has no private key in PEM format`)
    const half = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
    t.match(fault({ cert: file('x.pem', half) }), /^could not read x\.pem: [A-Z_\d]+$/)
    const halfKey = '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n'
    t.match(fault({ key: file('x.pem', halfKey) }), /^could not read x\.pem: [A-Z_\d]+$/)
  })

  await t.test('a key with a password', async t => {
    const locked = join(folder, 'locked.key')
    await run('pkey', '-in', server.key, '-aes256', '-passout', 'pass:x', '-out', locked)
    const message = `the private key in ${locked} is encrypted, which is not supported`
    t.equal(fault({ key: pem(locked) }), message)
    await run('ec', '-in', server.key, '-aes256', '-passout', 'pass:x', '-out', locked)
    t.match(pem(locked).text, /Proc-Type: 4,ENCRYPTED/, 'the older form')
    t.equal(fault({ key: pem(locked) }), message)
  })

  await t.test('what OpenSSL does not take', async t => {
    const [weak, weakKey] = [join(folder, 'weak.crt'), join(folder, 'weak.key')]
    const make = ['req', '-x509', '-newkey', 'rsa:768', '-nodes', '-subj', '/CN=weak']
    await run(...make, '-keyout', weakKey, '-out', weak)
    t.match(
      fault({ cert: pem(weak), key: pem(weakKey) }),
      /weak\.crt cannot be used: ERR_SSL_EE_KEY_TOO_SMALL$/,
    )
  })
})
