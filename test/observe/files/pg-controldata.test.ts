import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parsePgVersion } from '../../../src/facts/units.ts'
import { findControlDataProgram } from '../../../src/observe/files/pg-controldata.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

/** A folder with a pg_controldata that is a shell script. */
const folderWith = (script: string) => {
  const folder = t.testdir()
  mkdirSync(join(folder, 'bin'))
  const path = join(folder, 'bin', 'pg_controldata')
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return { path, searchPath: `:${join(folder, 'nowhere')}:${join(folder, 'bin')}` }
}
const run = (script: string) => {
  const { path } = folderWith(script)
  return findControlDataProgram(path, {}).run('/pgdata', parsePgVersion('15'))
}

t.test('it is run on the data directory, in English and in UTC', async t => {
  const outcome = await run('echo "$1 $LC_ALL $TZ"')
  t.strictSame(outcome, { ok: true, fact: '/pgdata C UTC\n' })
})

t.test('it is found on PATH if it is in no usual place', async t => {
  const { searchPath } = folderWith('echo found')
  for (const version of [parsePgVersion('0.1'), null]) {
    const found = await findControlDataProgram(null, { PATH: searchPath }).run('/pgdata', version)
    t.strictSame(found, { ok: true, fact: 'found\n' })
  }
})

t.test('a warning counts on whichever stream it comes', async t => {
  t.strictSame(await run('echo report; echo warning >&2'), { ok: true, fact: 'warning\nreport\n' })
})

const failure = (message: string | RegExp) => ({
  ok: false,
  fault: { kind: 'program failed', message },
})

t.test('if it is not found, the error names what was searched and what to do', async t => {
  const nowhere = findControlDataProgram(null, {})
  t.match(
    await nowhere.run('/pgdata', parsePgVersion('0.1')),
    failure('no pg_controldata of PostgreSQL 0.1 was found; name it with --pg-controldata'),
  )
  t.match(await nowhere.run('/pgdata', null), failure(/^no pg_controldata was found/))
})

t.test('its failure is reported by its first line on stderr', async t => {
  t.match(
    await run('echo "pg_controldata: fatal: no" >&2; echo more >&2; exit 1'),
    failure('pg_controldata: fatal: no'),
  )
})

t.test('a failure without output is reported by the command', async t => {
  t.match(await run('exit 3'), failure(/^Command failed: .*pg_controldata \/pgdata/))
  const missing = findControlDataProgram('/nowhere/pg_controldata', {})
  t.match(await missing.run('/pgdata', parsePgVersion('15')), failure(/ENOENT/))
})

t.test('one that does not come to an end is killed', async t => {
  t.match(await run('exec sleep 60'), failure('no answer within 1000 ms'))
})

t.test('so is what the system has against another process', async t => {
  const { path } = folderWith('echo report')
  // Larger than any environment may be: this is thrown.
  const large = findControlDataProgram(path, { LARGE: 'x'.repeat(10_000_000) })
  t.match(await large.run('/pgdata', parsePgVersion('15')), failure(/E2BIG/))
  const found = findControlDataProgram(path, {})
  await t.rejects(
    withoutDescriptors(() => found.run('/pgdata', parsePgVersion('15'))),
    { code: 'EMFILE' },
    'but for a shortage, which tells nothing of the cluster',
  )
  t.match(await found.run('/pgdata', parsePgVersion('15')), { ok: true })
})
