import { join } from 'node:path'
import t from 'tap'
import { refusalToServe, wrongDirectories } from '../../../src/cli/daemon/may-start.ts'
import type { Cluster } from '../../../src/cli/options/option-values.ts'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import { directory, noon, primaryEvidence } from '../../harness/evidence.ts'
import { fakeHost, noAccounts, passTimeUntil } from '../../harness/fake-host.ts'
import { serveDefaults } from '../../harness/serve-options.ts'

const refused = (changes: Partial<Evidence>, wait = false) =>
  refusalToServe(primaryEvidence(changes), { userName: user => `user id ${user}`, wait })
const bare = (path: string): Partial<Evidence> => ({
  path,
  directory: directory(null),
  lockFile: { kind: 'absent' },
  controlFile: { kind: 'absent' },
})

t.test('a cluster is served', async t => {
  t.equal(await refused({}), null)
})

t.test('a directory that does not exist is waited for on request only', async t => {
  t.match(await refused({ directory: { kind: 'absent' } }), {
    kind: 'no such directory',
    hint: /^specify the data directory .*; if it is created later, use --wait$/,
  })
  t.equal(await refused({ directory: { kind: 'absent' } }, true), null)
})

t.test('an empty one is waited for, and one that vanished meanwhile', async t => {
  const path = t.testdir({ data: {} })
  t.equal(await refused(bare(join(path, 'data'))), null)
  t.equal(await refused(bare(join(path, 'gone'))), null)
})

t.test('and one that is being filled by initdb, pg_basebackup or tar', async t => {
  for (const entry of ['base', 'global', 'pg_wal', 'pg_xlog']) {
    t.equal(await refused(bare(t.testdir({ [entry]: {} }))), null, entry)
  }
  for (const entry of ['backup_label', 'PG_VERSION']) {
    t.equal(await refused(bare(t.testdir({ [entry]: '', 'some.file': '' }))), null, entry)
  }
})

t.test('directories of a checked file that are wrong for every user are reported', async t => {
  const clusters = ['a', 'b'].map((name): Cluster => {
    const options = { ...serveDefaults, pgdata: `/${name}`, wait: name === 'b' }
    return { name, options, given: new Map() }
  })
  const errorsFor = async (found: Partial<Evidence>) => {
    const fake = fakeHost(primaryEvidence(found))
    const errors = wrongDirectories(clusters, { host: fake.host, accounts: noAccounts })
    return (await passTimeUntil(errors, fake)).map(({ message }) => message)
  }
  t.match(await errorsFor({ directory: { kind: 'absent' } }), [/^cluster a: .*does not exist$/])
  t.equal((await errorsFor({ directory: { kind: 'not a directory' } })).length, 2)
  const unreadable = { kind: 'unreadable', code: 'EACCES', owner: 101 } as const
  t.strictSame(await errorsFor({ directory: unreadable }), [])
  t.strictSame(await errorsFor({}), [])
})

t.test('a directory of other things is an error', async t => {
  const path = t.testdir({ 'postgresql.conf': '', 'pg_hba.conf': '' })
  t.match(await refused(bare(path)), {
    kind: 'not a data directory',
    message: `${path} is not a data directory: it has no valid PG_VERSION`,
  })
})

t.test('so is all else that no waiting mends', async t => {
  const unreadable = { kind: 'unreadable', code: 'EACCES', owner: 101 } as const
  const fault = { kind: 'wrong byte order' } as const
  t.match(await refused({ directory: { kind: 'not a directory' } }), { kind: 'not a directory' })
  t.match(await refused({ directory: unreadable }), { kind: 'no permission', hint: /user id 101/ })
  t.match(
    await refused({
      controlFile: { kind: 'invalid', fault: { source: 'native', fault }, modified: noon },
    }),
    { kind: 'unsupported control file' },
  )
})
