import { execFileSync } from 'node:child_process'
import { renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decodeText, openDataDirectory as open } from '../../../src/observe/files/data-directory.ts'
import type { UnixMs } from '../../../src/facts/units.ts'
import { nextFileTime } from '../../harness/file-times.ts'
import { createManualClock } from '../../harness/manual-clock.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

/** What t.testdir makes a directory of. */
type TestFiles = {
  [name: string]: string | Buffer | ReturnType<typeof t.fixture<'symlink'>> | TestFiles
}

const openDataDirectory = (path: string) => open(path, createManualClock().clock)
const sightOf = async (path: string) => (await openDataDirectory(path).sight()).directory
const signalFilesOf = async (path: string) => (await openDataDirectory(path).sight()).signalFiles

const cluster = (files: TestFiles = {}) =>
  t.testdir({ PG_VERSION: '15\n', global: { pg_control: Buffer.alloc(8192, 7) }, ...files })

t.test('a data directory is seen with version, owner and inode', async t => {
  const path = cluster()
  const { dev, ino, uid } = statSync(path)
  t.strictSame(await sightOf(path), {
    kind: 'present',
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
  t.match(await sightOf(join(path, 'current')), {
    symlink: true,
    version: '16',
    inode: `${target.dev}:${target.ino}`,
  })
})

t.test('a missing path, or one that is no directory, is reported as such', async t => {
  const path = t.testdir({ file: '', empty: {} })
  t.strictSame(await sightOf(join(path, 'nowhere')), { kind: 'absent' })
  t.strictSame(await sightOf(join(path, 'file', 'below')), { kind: 'absent' })
  t.strictSame(await sightOf(join(path, 'file')), { kind: 'not a directory' })
  t.match(await sightOf(join(path, 'empty')), { kind: 'present', version: null })
})

t.test('a link that leads to itself cannot be read', async t => {
  const path = t.testdir({ loop: t.fixture('symlink', 'loop') })
  t.strictSame(await sightOf(join(path, 'loop')), {
    kind: 'unreadable',
    code: 'ELOOP',
    owner: null,
  })
})

t.test('a PG_VERSION that cannot be read makes the directory unreadable', async t => {
  const path = t.testdir({ PG_VERSION: {} })
  t.match(await sightOf(path), {
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
  t.match(raw, { kind: 'present', inode: `${dev}:${ino}`, modified: 1_700_000_000_250 })
  t.equal(raw.kind === 'present' && decodeText(raw.bytes), '4711\n/pgdata\n')
  t.strictSame(await openDataDirectory(cluster()).lockFile(), { kind: 'absent' })
})

t.test('a lock file that cannot be read is unreadable, not absent', async t => {
  const path = cluster({ 'postmaster.pid': t.fixture('symlink', 'postmaster.pid') })
  t.strictSame(await openDataDirectory(path).lockFile(), { kind: 'unreadable', code: 'ELOOP' })
})

t.test('no more of the control file is read than can be decoded', async t => {
  const raw = await openDataDirectory(cluster()).controlFile()
  t.equal(raw.kind === 'present' && raw.bytes.length, 512)
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
  t.strictSame(await signalFilesOf(cluster()), none)
  const all = cluster({
    'standby.signal': '',
    'recovery.signal': '',
    backup_label: 'START WAL LOCATION',
    'recovery.conf': "standby_mode = 'on'\n",
  })
  t.strictSame(await signalFilesOf(all), {
    standbySignal: true,
    recoverySignal: true,
    backupLabel: true,
    recoveryConf: { standbyMode: true },
  })
})

t.test('a recovery.conf that cannot be read asks for recovery, but not for a standby', async t => {
  const path = cluster({ 'recovery.conf': {} })
  t.match(await signalFilesOf(path), { recoveryConf: { standbyMode: false } })
})

t.test('a signal file that cannot be checked is assumed to exist', async t => {
  const path = cluster({ 'standby.signal': t.fixture('symlink', 'standby.signal') })
  t.match(await signalFilesOf(path), { standbySignal: true })
})

t.test('files are opened by path at each read, so that a clone is noticed', async t => {
  const path = cluster({ 'postmaster.pid': '1\n' })
  const directory = openDataDirectory(path)
  await directory.lockFile()
  writeFileSync(join(path, 'new'), '2\n')
  execFileSync('mv', [join(path, 'new'), join(path, 'postmaster.pid')])
  const raw = await directory.lockFile()
  t.equal(raw.kind === 'present' && decodeText(raw.bytes), '2\n')
})

t.test('each signal file is noticed when it comes, and when it goes', async t => {
  for (const name of ['standby.signal', 'recovery.signal', 'backup_label', 'recovery.conf']) {
    const path = cluster()
    const directory = openDataDirectory(path)
    const before = await directory.sight()
    writeFileSync(join(path, name), '')
    t.notSame((await directory.sight()).signalFiles, before.signalFiles, name)
    rmSync(join(path, name))
    t.strictSame((await directory.sight()).signalFiles, before.signalFiles, name)
  }
})

t.test('a file edited in place is read again, whatever its times are', async t => {
  const path = cluster({ 'recovery.conf': '#tandby_mode = on\n', 'postmaster.pid': '1\n' })
  const directory = openDataDirectory(path)
  const overwrite = (name: string, text: string) => {
    const { atime, mtime } = statSync(join(path, name))
    writeFileSync(join(path, name), text, { flag: 'r+' })
    utimesSync(join(path, name), atime, mtime)
  }
  t.match((await directory.sight()).signalFiles, { recoveryConf: { standbyMode: false } })
  t.match(await directory.lockFile(), { bytes: Buffer.from('1\n') })
  overwrite('recovery.conf', 'standby_mode = on\n')
  overwrite('postmaster.pid', '2\n')
  overwrite('PG_VERSION', '16\n')
  overwrite('global/pg_control', 'x')
  t.match(await directory.sight(), {
    signalFiles: { recoveryConf: { standbyMode: true } },
    directory: { version: '16' },
  })
  t.match(await directory.lockFile(), { bytes: Buffer.from('2\n') })
  const controlFile = await directory.controlFile()
  t.match(controlFile.kind === 'present' && controlFile.bytes[0], 'x'.charCodeAt(0))
})

t.test('so is one that comes to a directory that has not changed for long', async t => {
  const { clock } = createManualClock()
  const path = cluster()
  const directory = open(path, { ...clock, unix: () => Number.MAX_SAFE_INTEGER as UnixMs })
  const before = await directory.sight()
  t.equal((await directory.sight()).signalFiles, before.signalFiles, 'not read again')
  for (const name of ['standby.signal', 'recovery.signal', 'backup_label', 'recovery.conf']) {
    await nextFileTime(join(path, 'global'))
    writeFileSync(join(path, name), '')
    t.notSame((await directory.sight()).signalFiles, before.signalFiles, name)
    await nextFileTime(join(path, 'global'))
    rmSync(join(path, name))
    t.strictSame((await directory.sight()).signalFiles, before.signalFiles, name)
  }
})

t.test('a link that leads nowhere is read each time, however old it is', async t => {
  const { clock } = createManualClock()
  const path = cluster({ elsewhere: {}, 'standby.signal': t.fixture('symlink', 'elsewhere/file') })
  const directory = open(path, { ...clock, unix: () => Number.MAX_SAFE_INTEGER as UnixMs })
  t.match((await directory.sight()).signalFiles, { standbySignal: false })
  writeFileSync(join(path, 'elsewhere', 'file'), '')
  t.match((await directory.sight()).signalFiles, { standbySignal: true })
})

t.test('a signal file that is a link is there if what it leads to is', async t => {
  for (const name of ['standby.signal', 'recovery.conf']) {
    const path = cluster({ elsewhere: {}, [name]: t.fixture('symlink', 'elsewhere/file') })
    const directory = openDataDirectory(path)
    const before = await directory.sight()
    t.match(before.signalFiles, { standbySignal: false, recoveryConf: null })
    writeFileSync(join(path, 'elsewhere', 'file'), '')
    t.notSame((await directory.sight()).signalFiles, before.signalFiles, name)
  }
})

t.test('another directory put in its place is noticed, and so is a link', async t => {
  const path = t.testdir({ one: { PG_VERSION: '15\n' }, other: { PG_VERSION: '16\n' } })
  const one = join(path, 'one')
  const directory = openDataDirectory(one)
  const { ino } = statSync(one)
  t.match((await directory.sight()).directory, { inode: new RegExp(`:${ino}$`), version: '15' })
  renameSync(one, join(path, 'away'))
  t.match((await directory.sight()).directory, { kind: 'absent' })
  renameSync(join(path, 'other'), one)
  t.match((await directory.sight()).directory, { version: '16', symlink: false })
  renameSync(one, join(path, 'other'))
  symlinkSync('away', one)
  t.match((await directory.sight()).directory, { version: '15', symlink: true })
})

t.test('a PG_VERSION that could not be read is tried again', async t => {
  const path = cluster({ PG_VERSION: {} })
  const directory = openDataDirectory(path)
  t.match(await directory.sight(), { directory: { kind: 'unreadable' } })
  rmSync(join(path, 'PG_VERSION'), { recursive: true })
  writeFileSync(join(path, 'PG_VERSION'), '17\n')
  t.match((await directory.sight()).directory, { version: '17' })
})

/** Whether it is there without another turn of the event loop. */
const isSynchronous = async (reading: Promise<unknown>): Promise<boolean> => {
  let isThere = false
  void reading.then(() => {
    isThere = true
  })
  for (let microtasks = 0; microtasks < 50; microtasks += 1) await Promise.resolve()
  return isThere
}

t.test('a local disk that answers quickly is read synchronously', async t => {
  const path = cluster({ 'postmaster.pid': '1\n', 'standby.signal': '' })
  const directory = openDataDirectory(path)
  t.equal(await isSynchronous(directory.lockFile()), false, 'not before it has answered')
  const sighting = directory.sight()
  t.equal(await isSynchronous(sighting), false, 'its own status is always waited for')
  await sighting
  t.equal(await isSynchronous(directory.lockFile()), true)
  t.equal(await isSynchronous(directory.controlFile()), true)
})

t.test('any other disk is read without blocking', async t => {
  const { clock, advance } = createManualClock()
  const slow = open(cluster({ 'postmaster.pid': '1\n' }), clock)
  await slow.sight()
  t.equal(await isSynchronous(slow.lockFile()), true)
  const sighting = slow.sight()
  advance(21)
  await sighting
  t.equal(await isSynchronous(slow.lockFile()), false, 'a slow one')
  await slow.sight()
  t.equal(await isSynchronous(slow.lockFile()), true, 'which is quick again')
  const procfs = openDataDirectory('/proc/self')
  t.match((await procfs.sight()).directory, { kind: 'present', version: null })
  t.equal(await isSynchronous(procfs.lockFile()), false, 'what is no disk')
  const nowhere = openDataDirectory(join(cluster(), 'nowhere'))
  await nowhere.sight()
  t.equal(await isSynchronous(nowhere.lockFile()), false, 'what is not there')
})

t.test('a link to a file is followed without blocking', async t => {
  const path = cluster({ file: '1\n', 'postmaster.pid': t.fixture('symlink', 'file') })
  const directory = openDataDirectory(path)
  await directory.sight()
  t.equal(await isSynchronous(directory.lockFile()), false)
  t.match(await directory.lockFile(), { kind: 'present', bytes: Buffer.from('1\n') })
})

t.test('nothing is known of it in a shortage, and all is as before afterwards', async t => {
  const path = cluster({ 'recovery.conf': "standby_mode = 'on'\n", 'postmaster.pid': '1\n' })
  const directory = openDataDirectory(path)
  const EMFILE = { code: 'EMFILE' }
  await withoutDescriptors(async () => {
    await t.rejects(directory.sight(), EMFILE)
    await t.rejects(directory.lockFile(), { code: 'EMFILE' })
    await t.rejects(directory.controlFile(), EMFILE)
  })
  t.match(await directory.sight(), {
    directory: { kind: 'present', version: '15' },
    signalFiles: { recoveryConf: { standbyMode: true } },
  })
  t.match(await directory.lockFile(), { kind: 'present' })
  t.match(await directory.controlFile(), { kind: 'present' })
})
