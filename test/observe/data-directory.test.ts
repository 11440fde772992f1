import { execFileSync } from 'node:child_process'
import { renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decodeText, openDataDirectory as open } from '../../src/observe/data-directory.ts'
import { untilFileTimesMove } from '../harness/file-times.ts'
import { createManualClock } from '../harness/manual-clock.ts'

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
  t.match(await sightOf(join(path, 'current')), {
    symlink: true,
    version: '16',
    inode: `${target.dev}:${target.ino}`,
  })
})

t.test('what is not there, or no directory, is said so', async t => {
  const path = t.testdir({ file: '', empty: {} })
  t.strictSame(await sightOf(join(path, 'nowhere')), { kind: 'absent' })
  t.strictSame(await sightOf(join(path, 'file', 'below')), { kind: 'absent' })
  t.strictSame(await sightOf(join(path, 'file')), { kind: 'not a directory' })
  t.match(await sightOf(join(path, 'empty')), { kind: 'seen', version: null })
})

t.test('a link that leads to itself can not be read', async t => {
  const path = t.testdir({ loop: t.fixture('symlink', 'loop') })
  t.strictSame(await sightOf(join(path, 'loop')), {
    kind: 'unreadable',
    code: 'ELOOP',
    owner: null,
  })
})

t.test('a PG_VERSION that can not be read makes the directory unreadable', async t => {
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

t.test('a recovery.conf that can not be read asks for recovery, but not for a standby', async t => {
  const path = cluster({ 'recovery.conf': {} })
  t.match(await signalFilesOf(path), { recoveryConf: { standbyMode: false } })
})

t.test('a signal file that can not be told is believed to be there', async t => {
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
  t.equal(raw.kind === 'seen' && decodeText(raw.bytes), '2\n')
})

/** A directory at which was looked until all that can be kept is kept. */
const familiar = async (path: string) => {
  const { clock, advance } = createManualClock()
  const directory = open(path, clock)
  const lookAtAll = async () => ({
    sight: await directory.sight(),
    lockFile: await directory.lockFile(),
    controlFile: await directory.controlFile(),
  })
  await lookAtAll()
  advance(1000)
  const last = await lookAtAll()
  untilFileTimesMove()
  return { directory, last, lookAtAll, advance }
}

t.test('where nothing changes, the very same is found', async t => {
  const { directory, last, lookAtAll } = await familiar(cluster({ 'postmaster.pid': '1\n' }))
  const { sight, lockFile, controlFile } = await lookAtAll()
  t.equal(sight, last.sight)
  t.equal(lockFile, last.lockFile)
  t.equal(controlFile, last.controlFile)
  t.equal(directory.presumed.sight(), sight)
  t.equal(directory.presumed.lockFile(), lockFile)
})

t.test('at first nothing is presumed', async t => {
  const { presumed } = openDataDirectory(cluster())
  t.equal(presumed.sight(), null)
  t.equal(presumed.lockFile(), null)
})

t.test('each signal file is noticed when it comes, and when it goes', async t => {
  for (const name of ['standby.signal', 'recovery.signal', 'backup_label', 'recovery.conf']) {
    const path = cluster()
    const { directory, last } = await familiar(path)
    writeFileSync(join(path, name), '')
    const added = await directory.sight()
    t.notSame(added.signalFiles, last.sight.signalFiles, name)
    rmSync(join(path, name))
    t.strictSame((await directory.sight()).signalFiles, last.sight.signalFiles, name)
  }
})

t.test('a recovery.conf edited in place is read again', async t => {
  const path = cluster({ 'recovery.conf': '#tandby_mode = on\n' })
  const { directory, last } = await familiar(path)
  t.equal(await directory.sight(), last.sight)
  writeFileSync(join(path, 'recovery.conf'), 'standby_mode = on\n')
  t.match((await directory.sight()).signalFiles, { recoveryConf: { standbyMode: true } })
})

t.test('what a signal file that is a link leads to is asked each time', async t => {
  for (const name of ['standby.signal', 'recovery.conf']) {
    const path = cluster({ elsewhere: {}, [name]: t.fixture('symlink', 'elsewhere/file') })
    const { directory, last } = await familiar(path)
    t.match(last.sight.signalFiles, { standbySignal: false, recoveryConf: null })
    t.equal(directory.presumed.sight(), null)
    writeFileSync(join(path, 'elsewhere', 'file'), '')
    t.notSame((await directory.sight()).signalFiles, last.sight.signalFiles, name)
  }
})

t.test('another directory put in its place is noticed, and so is a link', async t => {
  const path = t.testdir({ one: { PG_VERSION: '15\n' }, other: { PG_VERSION: '16\n' } })
  const one = join(path, 'one')
  const { directory } = await familiar(one)
  renameSync(one, join(path, 'away'))
  t.match((await directory.sight()).directory, { kind: 'absent' })
  renameSync(join(path, 'other'), one)
  t.match((await directory.sight()).directory, { version: '16', symlink: false })
  renameSync(one, join(path, 'other'))
  symlinkSync('away', one)
  t.match((await directory.sight()).directory, { version: '15', symlink: true })
})

t.test('a directory that becomes a link to itself elsewhere is a link', async t => {
  const path = t.testdir({ there: { PG_VERSION: '15\n' } })
  symlinkSync('there', join(path, 'current'))
  const { directory, last, advance } = await familiar(join(path, 'current'))
  t.match(last.sight.directory, { symlink: true })
  rmSync(join(path, 'current'))
  renameSync(join(path, 'there'), join(path, 'current'))
  t.match((await directory.sight()).directory, { symlink: false })
  advance(1000)
  await directory.sight()
  renameSync(join(path, 'current'), join(path, 'there'))
  symlinkSync('there', join(path, 'current'))
  t.match((await directory.sight()).directory, { symlink: true })
})

t.test('a PG_VERSION that could not be read is tried again', async t => {
  const path = cluster({ PG_VERSION: {} })
  const { directory } = await familiar(path)
  t.equal(directory.presumed.sight(), null)
  rmSync(join(path, 'PG_VERSION'), { recursive: true })
  writeFileSync(join(path, 'PG_VERSION'), '17\n')
  t.match((await directory.sight()).directory, { version: '17' })
})

t.test('an event makes for another reading of what it was about', async t => {
  const all = ['sight', 'lockFile', 'controlFile'] as const
  for (const [name, about] of [
    ['postmaster.pid', ['lockFile']],
    ['pg_control', ['controlFile']],
    ['standby.signal', ['sight']],
    ['PG_VERSION', ['sight']],
    ['global', all],
    ['constructor', all],
    [null, all],
  ] as const) {
    const { directory, last, lookAtAll } = await familiar(cluster({ 'postmaster.pid': '1\n' }))
    directory.forget(name)
    const found = await lookAtAll()
    const readAgain = all.filter(which => found[which] !== last[which])
    t.strictSame(readAgain, about, String(name))
  }
})

t.test('an event about PG_VERSION is enough for it to be read again', async t => {
  const path = cluster()
  const { directory } = await familiar(path)
  writeFileSync(join(path, 'PG_VERSION'), '16\n')
  directory.forget('PG_VERSION')
  t.match((await directory.sight()).directory, { version: '16' })
})

t.test('a file system of processes keeps no times that could be relied on', async t => {
  const { directory } = await familiar('/proc/self')
  t.match((await directory.sight()).directory, { kind: 'seen', version: null })
  t.equal(directory.presumed.sight(), null)
})

t.test('after an event about a file the disk is asked at once, but not for long', async t => {
  const { clock, advance } = createManualClock()
  const path = cluster({ 'postmaster.pid': '1\n', 'standby.signal': '' })
  const directory = open(path, clock)
  /** What the directory was told of without a wait counts as well, for a second. */
  const later = () => advance(1001)
  const isSoon = async (): Promise<boolean> => {
    const look = Promise.all([directory.sight(), directory.controlFile(), directory.lockFile()])
    const turned = new Promise<null>(resolve => void setImmediate(resolve, null))
    return (await Promise.race([look, turned])) !== null
  }
  directory.forget('pg_control')
  t.equal(await isSoon(), false, 'not before it is known what it lies on')
  await directory.sight()
  later()
  directory.forget('pg_control')
  t.equal(await isSoon(), true)
  later()
  t.equal(await isSoon(), false, 'the event is over, and so is the second')
  await directory.sight()
  advance(1000)
  t.equal(await isSoon(), true, 'what was asked for a second ago is still in memory')
  later()
  directory.forget(null)
  t.equal(await isSoon(), false, 'events may have been missed')
  later()
  directory.forget('global')
  t.equal(await isSoon(), false, 'directories may have moved to another disk')
  later()
  directory.forget('standby.signal')
  t.equal(await isSoon(), true)
})
