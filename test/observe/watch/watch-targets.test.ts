import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import t from 'tap'
import { meaningOf, surveyRoots, type WatchRoot } from '../../../src/observe/watch/watch-targets.ts'
import { asOrdinaryUser } from '../../harness/ordinary-user.ts'

const cluster = { global: { pg_control: 'control' } }

/** Paths below `top`, with what they wait for. */
const survey = async (top: string, directory: string) => {
  const roots = await surveyRoots(directory)
  return roots.map(({ path, waitsFor }) => [relative(top, path), waitsFor])
}

t.test('a whole data directory: itself and the control file', async t => {
  const top = t.testdir({ data: cluster })
  t.same(await survey(top, join(top, 'data')), [
    ['data', 'global'],
    ['data/global/pg_control', null],
  ])
})

t.test('a relative path, or one with slashes to spare, is made absolute', async t => {
  const top = t.testdir({ data: cluster })
  const expected = await surveyRoots(join(top, 'data'))
  t.same(await surveyRoots(`${top}//data/`), expected)
  const directory = relative(process.cwd(), join(top, 'data'))
  t.same(await surveyRoots(directory), expected)
})

t.test('without a control file: global/, as long as it is there', async t => {
  const top = t.testdir({ without: { global: {} }, empty: {}, odd: { global: { pg_control: {} } } })
  t.same(await survey(top, join(top, 'without')), [
    ['without', 'global'],
    ['without/global', 'pg_control'],
  ])
  t.same(await survey(top, join(top, 'empty')), [['empty', 'global']])
  t.same(await survey(top, join(top, 'odd')), [
    ['odd', 'global'],
    ['odd/global', 'pg_control'],
  ])
})

t.test('a missing data directory: the nearest directory above', async t => {
  const top = t.testdir({ file: 'no directory' })
  const above = [['', 'data']]
  t.same(await survey(top, join(top, 'data')), above)
  t.same(await survey(top, join(top, 'data', 'two', 'levels')), above)
  t.same(await survey(top, join(top, 'file')), [['', 'file']])
  t.same(await survey(top, join(top, 'file', 'below')), [['', 'file']])
})

t.test('a symlink: the directory it is in, and what it leads to', async t => {
  const top = t.testdir({ real: cluster })
  symlinkSync(join(top, 'real'), join(top, 'link'))
  t.same(await survey(top, join(top, 'link')), [
    ['', 'link'],
    ['link', 'global'],
    ['link/global/pg_control', null],
  ])
  symlinkSync(join(top, 'nowhere'), join(top, 'dangling'))
  t.same(await survey(top, join(top, 'dangling')), [['', 'dangling']])
})

t.test('the last resort is the root of all', async t => {
  t.same(await survey('/', '/missing/data'), [['', 'missing']])
  t.same(await survey('/', '/'), [['', 'global']])
})

t.test('neither a link to itself nor a FIFO holds it up', async t => {
  const top = t.testdir({ loop: t.fixture('symlink', 'loop'), data: { global: {} } })
  t.same(await survey(top, join(top, 'loop')), [['', 'loop']])
  execFileSync('mkfifo', [join(top, 'data', 'global', 'pg_control')])
  t.same(await survey(top, join(top, 'data')), [
    ['data', 'global'],
    ['data/global', 'pg_control'],
  ])
})

t.test('if it cannot be determined, that is reported', async t => {
  const tooLong = join(t.testdir({}), 'x'.repeat(300))
  await t.rejects(surveyRoots(tooLong), { code: 'ENAMETOOLONG' })
})

t.test('what may not be read is waited for from above', async t => {
  await asOrdinaryUser(async top => {
    const data = join(top, 'data')
    const global = join(data, 'global')
    mkdirSync(global, { recursive: true })
    writeFileSync(join(global, 'pg_control'), 'control')
    chmodSync(join(global, 'pg_control'), 0)
    t.same(await survey(top, data), [
      ['data', 'global'],
      ['data/global', 'pg_control'],
    ])
    chmodSync(global, 0)
    t.same(await survey(top, data), [['data', 'global']])
    chmodSync(data, 0)
    t.same(await survey(top, data), [['', 'data']])
    chmodSync(top, 0)
    t.same(await survey(dirname(top), data), [['', basename(top)]])
    for (const directory of [top, data, global]) chmodSync(directory, 0o700)
  })
})

const root = (path: string, waitsFor: string | null = null): WatchRoot => ({
  path,
  waitsFor,
})

t.test('an event means what it is about', async t => {
  const data = root('/srv/data', 'global')
  const controlFile = root('/srv/data/global/pg_control')
  const above = root('/srv', 'data')
  const rows: readonly (readonly [WatchRoot, string, string | null, string])[] = [
    [data, 'rename', 'standby.signal', 'check again'],
    [data, 'rename', 'recovery.signal', 'check again'],
    [data, 'change', 'recovery.conf', 'check again'],
    [data, 'change', 'postmaster.pid', 'check again'],
    [data, 'rename', 'backup_label', 'check again'],
    [data, 'change', 'PG_VERSION', 'check again'],
    [data, 'rename', 'global', 'moved'],
    [data, 'change', 'data', 'check again'],
    [data, 'rename', 'data', 'moved'],
    [data, 'change', 'logfile', 'nothing'],
    [data, 'rename', 'postmaster.opts', 'nothing'],
    [data, 'rename', null, 'check again'],
    [controlFile, 'change', 'pg_control', 'check again'],
    [controlFile, 'rename', 'pg_control', 'moved'],
    [above, 'rename', 'data', 'moved'],
    [above, 'change', 'data', 'moved'],
    [above, 'rename', 'srv', 'moved'],
    [above, 'rename', 'other', 'nothing'],
  ]
  for (const [watched, type, name, expected] of rows) {
    t.equal(meaningOf(watched, { type, name }), expected, `${type} of ${name} in ${watched.path}`)
  }
})
