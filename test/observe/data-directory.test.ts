import { execFileSync } from 'node:child_process'
import { statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decodeText, openDataDirectory } from '../../src/observe/data-directory.ts'

/** What t.testdir makes a directory of. */
type TestFiles = {
  [name: string]: string | Buffer | ReturnType<typeof t.fixture<'symlink'>> | TestFiles
}

const cluster = (files: TestFiles = {}) =>
  t.testdir({ PG_VERSION: '15\n', global: { pg_control: Buffer.alloc(8192, 7) }, ...files })

t.test('a data directory is seen with version, owner and inode', async t => {
  const path = cluster()
  const { dev, ino, uid } = statSync(path)
  t.strictSame(await openDataDirectory(path).sight(), {
    kind: 'seen',
    inode: `${dev}:${ino}`,
    owner: uid,
    symlink: false,
    version: '15',
  })
})

t.test('a symbolic link is seen as what it leads to, and as a link', async t => {
  const path = t.testdir({ 16: { PG_VERSION: '16\n' } })
  symlinkSync('16', join(path, 'current'))
  const target = statSync(join(path, '16'))
  t.match(await openDataDirectory(join(path, 'current')).sight(), {
    symlink: true,
    version: '16',
    inode: `${target.dev}:${target.ino}`,
  })
})

t.test('what is not there, or no directory, is said so', async t => {
  const path = t.testdir({ file: '', empty: {} })
  t.strictSame(await openDataDirectory(join(path, 'nowhere')).sight(), { kind: 'absent' })
  t.strictSame(await openDataDirectory(join(path, 'file', 'below')).sight(), { kind: 'absent' })
  t.strictSame(await openDataDirectory(join(path, 'file')).sight(), { kind: 'not a directory' })
  t.match(await openDataDirectory(join(path, 'empty')).sight(), { kind: 'seen', version: null })
})

t.test('a link that leads to itself can not be read', async t => {
  const path = t.testdir({ loop: t.fixture('symlink', 'loop') })
  t.strictSame(await openDataDirectory(join(path, 'loop')).sight(), {
    kind: 'unreadable',
    code: 'ELOOP',
    owner: null,
  })
})

t.test('a PG_VERSION that can not be read makes the directory unreadable', async t => {
  const path = t.testdir({ PG_VERSION: {} })
  t.match(await openDataDirectory(path).sight(), {
    kind: 'unreadable',
    code: 'not a regular file',
    owner: statSync(path).uid,
  })
})

t.test('the lock file is read whole, with its time and inode', async t => {
  const path = cluster({ 'postmaster.pid': '4711\n/pgdata\n' })
  const file = join(path, 'postmaster.pid')
  utimesSync(file, 1_700_000_000, 1_700_000_000.25)
  const { dev, ino } = statSync(file)
  const raw = await openDataDirectory(path).lockFile()
  t.match(raw, { kind: 'seen', inode: `${dev}:${ino}`, modified: 1_700_000_000_250 })
  t.equal(raw.kind === 'seen' && decodeText(raw.bytes), '4711\n/pgdata\n')
  t.strictSame(await openDataDirectory(cluster()).lockFile(), { kind: 'absent' })
})

t.test('a lock file that can not be had is unreadable, not absent', async t => {
  const path = cluster({ 'postmaster.pid': t.fixture('symlink', 'postmaster.pid') })
  t.strictSame(await openDataDirectory(path).lockFile(), { kind: 'unreadable', code: 'ELOOP' })
})

t.test('of the control file no more is read than anybody knows how to decode', async t => {
  const raw = await openDataDirectory(cluster()).controlFile()
  t.equal(raw.kind === 'seen' && raw.bytes.length, 512)
})

t.test('a FIFO in the place of the control file does not hold us up', async t => {
  const path = t.testdir({ global: {} })
  execFileSync('mkfifo', [join(path, 'global', 'pg_control')])
  t.strictSame(await openDataDirectory(path).controlFile(), {
    kind: 'unreadable',
    code: 'not a regular file',
  })
})

t.test('signal files are there or not', async t => {
  const none = {
    standbySignal: false,
    recoverySignal: false,
    backupLabel: false,
    recoveryConf: null,
  }
  t.strictSame(await openDataDirectory(cluster()).signalFiles(), none)
  const all = cluster({
    'standby.signal': '',
    'recovery.signal': '',
    backup_label: 'START WAL LOCATION',
    'recovery.conf': "standby_mode = 'on'\n",
  })
  t.strictSame(await openDataDirectory(all).signalFiles(), {
    standbySignal: true,
    recoverySignal: true,
    backupLabel: true,
    recoveryConf: { standbyMode: true },
  })
})

t.test('a recovery.conf that can not be read asks for recovery, but not for a standby', async t => {
  const path = cluster({ 'recovery.conf': {} })
  t.match(await openDataDirectory(path).signalFiles(), { recoveryConf: { standbyMode: false } })
})

t.test('a signal file that can not be told is believed to be there', async t => {
  const path = cluster({ 'standby.signal': t.fixture('symlink', 'standby.signal') })
  t.match(await openDataDirectory(path).signalFiles(), { standbySignal: true })
})

t.test('files are opened by path at each read, so that a clone is noticed', async t => {
  const path = cluster({ 'postmaster.pid': '1\n' })
  const directory = openDataDirectory(path)
  await directory.lockFile()
  writeFileSync(join(path, 'new'), '2\n')
  execFileSync('mv', [join(path, 'new'), join(path, 'postmaster.pid')])
  const raw = await directory.lockFile()
  t.equal(raw.kind === 'seen' && decodeText(raw.bytes), '2\n')
})
