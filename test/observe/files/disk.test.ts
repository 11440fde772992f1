import { execFileSync } from 'node:child_process'
import { statSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import type { UnixMs } from '../../../src/facts/units.ts'
import {
  fileSystemOf,
  inodeOf,
  isMissing,
  linkStatusAtOnce,
  linkStatusOf,
  namesIn,
  readBytes,
  readRegularFile,
  sameFile,
  statusOf,
  type RawFile,
} from '../../../src/observe/files/disk.ts'
import { createReadAtOnce } from '../../../src/observe/files/read-at-once.ts'
import { asOrdinaryUser } from '../../harness/ordinary-user.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

const readBytesAtOnce = createReadAtOnce({ unix: () => Date.now() as UnixMs })

const folder = () =>
  t.testdir({
    file: 'eight by',
    link: t.fixture('symlink', 'file'),
    loop: t.fixture('symlink', 'loop'),
    empty: {},
  })

t.test('a status is that of what a link leads to, unless the link is asked for', async t => {
  const path = join(folder(), 'link')
  const target = await statusOf(path)
  t.ok(!isMissing(target) && target.isFile() && target.size === 8n)
  for (const link of [await linkStatusOf(path), linkStatusAtOnce(path)])
    t.ok(!isMissing(link) && link.isSymbolicLink())
})

t.test('a missing file is absent, and an inaccessible one unreadable', async t => {
  const path = folder()
  t.strictSame(await statusOf(join(path, 'nothing')), { kind: 'absent' })
  t.strictSame(await linkStatusOf(join(path, 'file', 'below')), { kind: 'absent' })
  t.strictSame(await statusOf(join(path, 'loop')), { kind: 'unreadable', code: 'ELOOP' })
})

t.test('synchronous or not, the same is found', async t => {
  const path = folder()
  execFileSync('mkfifo', [join(path, 'fifo')])
  for (const name of ['file', 'nothing', 'file/below', 'empty', 'fifo']) {
    const { raw } = await readBytes(join(path, name), 5)
    t.strictSame(readBytesAtOnce(join(path, name), 5), raw, name)
  }
  const below = join(path, 'loop', 'below')
  t.strictSame(linkStatusAtOnce(join(path, 'nothing')), await linkStatusOf(join(path, 'nothing')))
  t.strictSame(linkStatusAtOnce(below), { kind: 'unreadable', code: 'ELOOP' })
  t.strictSame(await linkStatusOf(below), { kind: 'unreadable', code: 'ELOOP' })
})

t.test('reading at once leaves no trace of itself', async t => {
  const path = join(folder(), 'file')
  utimesSync(path, 1_600_000_000, 1_700_000_000)
  readBytesAtOnce(path, 5)
  t.equal(statSync(path).atimeMs, 1_600_000_000_000)
})

t.test('neither a link nor a file of others is read synchronously', async t => {
  const path = folder()
  for (const name of ['link', 'loop']) t.equal(readBytesAtOnce(join(path, name), 5), null, name)
  await asOrdinaryUser(async own => {
    t.equal(readBytesAtOnce('/etc/passwd', 5), null)
    t.strictSame(readBytesAtOnce('/etc/shadow', 5), { kind: 'unreadable', code: 'EACCES' })
    writeFileSync(join(own, 'file'), 'eight by')
    t.match(readBytesAtOnce(join(own, 'file'), 5), { kind: 'present', bytes: Buffer.from('eight') })
  })
})

t.test('a file is read as far as wanted, with its time, inode and status', async t => {
  const path = join(folder(), 'file')
  utimesSync(path, 1_700_000_000, 1_700_000_000.25)
  const { raw, status } = await readBytes(path, 5)
  t.match(raw, {
    kind: 'present',
    bytes: Buffer.from('eight'),
    inode: inodeOf(statSync(path, { bigint: true })),
    modified: 1_700_000_000_250,
  })
  t.equal(status?.mtimeNs, 1_700_000_000_250_000_000n)
})

t.test('inodes above 2^53 are distinguished', async t => {
  const inodes = [2n ** 63n + 1n, 2n ** 63n + 2n, 2n ** 53n].map(ino => inodeOf({ dev: 1n, ino }))
  t.strictSame(inodes, ['1:9223372036854775809', '1:9223372036854775810', '1:9007199254740992'])
})

t.test('what cannot be read has no status', async t => {
  const path = folder()
  execFileSync('mkfifo', [join(path, 'fifo')])
  for (const [name, raw] of [
    ['nothing', { kind: 'absent' }],
    ['loop', { kind: 'unreadable', code: 'ELOOP' }],
    ['empty', { kind: 'unreadable', code: 'not a regular file' }],
    ['fifo', { kind: 'unreadable', code: 'not a regular file' }],
  ] as const) {
    t.strictSame(await readBytes(join(path, name), 5), { raw, status: null }, name)
  }
})

t.test('a link is refused where it is not to be followed', async t => {
  const path = folder()
  const refused = { raw: { kind: 'unreadable', code: 'ELOOP' }, status: null } as const
  t.strictSame(await readBytes(join(path, 'link'), 5, 'refused'), refused)
  t.match(await readBytes(join(path, 'file'), 5, 'refused'), { raw: { kind: 'present' } })
})

t.test('of what others put there, a regular file alone is opened', async t => {
  const path = folder()
  execFileSync('mkfifo', [join(path, 'fifo')])
  for (const name of ['file', 'link'])
    t.match(await readRegularFile(join(path, name), 5), {
      kind: 'present',
      bytes: Buffer.from('eight'),
    })
  const special = { kind: 'unreadable', code: 'not a regular file' } as const
  for (const name of ['fifo', 'empty', '/dev/zero'])
    t.strictSame(await readRegularFile(resolve(path, name), 5), special, name)
  t.strictSame(await readRegularFile(join(path, 'nothing'), 5), { kind: 'absent' })
  const loop = { kind: 'unreadable', code: 'ELOOP' } as const
  t.strictSame(await readRegularFile(join(path, 'loop'), 5), loop)
})

t.test('readings are the same when nothing of the file differs', async t => {
  type SeenFile = Extract<RawFile, { kind: 'present' }>
  const reading = (changes: Partial<SeenFile> = {}): RawFile => {
    const inode = '1:2'
    return {
      kind: 'present',
      bytes: Buffer.from('ready'),
      inode,
      modified: 7 as UnixMs,
      ...changes,
    }
  }
  t.ok(sameFile(reading(), reading()))
  t.notOk(sameFile(reading(), reading({ bytes: Buffer.from('stopp') })))
  t.notOk(sameFile(reading(), reading({ inode: '1:3' })))
  t.notOk(sameFile(reading(), reading({ modified: 8 as UnixMs })))
  t.notOk(sameFile(reading(), { kind: 'absent' }))
  t.ok(sameFile({ kind: 'absent' }, { kind: 'absent' }))
})

t.test('a directory has names in it, and what is none has not', async t => {
  const path = folder()
  t.strictSame((await namesIn(path))?.toSorted(), ['empty', 'file', 'link', 'loop'])
  t.strictSame(await namesIn(join(path, 'empty')), [])
  t.equal(await namesIn(join(path, 'file')), null)
  t.equal(await namesIn(join(path, 'nothing')), null)
})

t.test('a file system has a type', async t => {
  const procfs = 0x9fa0
  t.equal(await fileSystemOf('/proc'), procfs)
  t.not(await fileSystemOf(folder()), procfs)
  t.equal(await fileSystemOf(join(folder(), 'nothing')), null)
})

t.test('a shortage is thrown, for it is no property of the disk', async t => {
  const path = folder()
  const file = join(path, 'file')
  const EMFILE = { code: 'EMFILE' }
  await withoutDescriptors(async () => {
    await t.rejects(readBytes(file, 8), EMFILE)
    t.throws(() => readBytesAtOnce(file, 8), EMFILE)
    await t.rejects(namesIn(path), EMFILE)
  })
  t.match((await readBytes(file, 8)).raw, { kind: 'present' })
})
