import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  pemBytesMax,
  readCredentials,
  soonMs,
  reportCredentials,
} from '../../../src/cli/system/credential-files.ts'
import type { TlsFiles } from '../../../src/cli/options/option-values.ts'
import type { Event } from '../../../src/facts/report/event.ts'
import type { UnixMs } from '../../../src/facts/units.ts'
import { createAuthority, openssl, pem } from '../../harness/certificates.ts'
import { asOrdinaryUser } from '../../harness/ordinary-user.ts'
import { runProgram } from '../../harness/programs.ts'
import { makeServerFolder } from '../../harness/stand-in.ts'

const read = (files: Partial<TlsFiles>) =>
  readCredentials({ cert: '/x', key: null, clientCa: null, ...files }, Date.now() as UnixMs)

t.test('files are read', openssl.options, async t => {
  const folder = makeServerFolder(t)
  const authority = await createAuthority(folder, 'ca')
  const { cert, key } = await authority.issue('server')
  const clientCa = authority.cert
  t.match(await read({ cert, key, clientCa }), {
    ok: true,
    fact: { credentials: { ca: pem(clientCa).text }, exposedKey: null },
  })
  const both = join(folder, 'both.pem')
  writeFileSync(both, pem(cert).text + pem(key).text, { mode: 0o600 })
  t.match(await read({ cert: both }), { ok: true, fact: { exposedKey: null } })
  chmodSync(both, 0o644)
  t.match(await read({ cert: both }), { ok: true, fact: { exposedKey: both } })

  await t.test('what cannot be read is named', async t => {
    const why = async (files: Partial<TlsFiles>): Promise<string> => {
      const found = await read({ cert, key, ...files })
      return found.ok ? 'none' : found.fault.message
    }
    const missing = join(folder, 'missing')
    for (const name of ['cert', 'key', 'clientCa'] as const)
      t.equal(await why({ [name]: missing }), `could not read ${missing}: ENOENT`, name)
    const pipe = join(folder, 'pipe')
    await runProgram({ program: 'mkfifo', args: [pipe], cwd: folder })
    for (const path of [pipe, folder, '/dev/zero'])
      t.equal(await why({ key: path }), `could not read ${path}: not a file`)
    const long = join(folder, 'long')
    writeFileSync(long, 'x'.repeat(pemBytesMax + 1))
    t.equal(await why({ key: long }), `could not read ${long}: over ${pemBytesMax} bytes`)
    t.match(await why({ key: clientCa }), / has no private key in PEM format$/)
  })

  await t.test('also one of another user', async t => {
    await asOrdinaryUser(async directory => {
      const path = join(directory, 'key')
      writeFileSync(path, '', { mode: 0o000 })
      t.match(await read({ cert: path }), {
        ok: false,
        fault: { message: `could not read ${path}: EACCES`, hint: /the user that runs the server/ },
      })
    })
  })
})

t.test('certificates are reported, with what is wrong with them', async t => {
  const now = 1_800_000_000_000 as UnixMs
  const told = (left: number, exposedKey: string | null = null): readonly Event[] => {
    const events: Event[] = []
    const expiresAt = (now + left) as UnixMs
    reportCredentials(
      { credentials: { cert: '', key: '', ca: null, expiresAt }, exposedKey },
      { file: '/x.crt', now, report: event => void events.push(event) },
    )
    return events
  }
  const taken = { kind: 'certificate taken', file: '/x.crt', expiresAt: now + soonMs }
  t.strictSame(told(soonMs), [taken])
  t.match(told(soonMs - 1), [
    { kind: 'certificate taken' },
    {
      kind: 'certificate doubtful',
      because: 'the certificate in /x.crt expires at 2027-01-29T07:59:59.999Z',
    },
  ])
  t.match(told(soonMs, '/x.key'), [
    { kind: 'certificate taken' },
    {
      kind: 'certificate doubtful',
      because: 'every user can read the private key in /x.key',
      hint: 'chmod o= /x.key',
    },
  ])
})
