import { execFileSync } from 'node:child_process'
import { statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  fileSystemOf,
  inodeOf,
  isMissing,
  linkStatusOf,
  namesIn,
  readBytes,
  readBytesAtOnce,
  statusOf,
} from '../../src/observe/disk.ts'

const folder = () =>
  t.testdir({
    file: 'eight by',
    link: t.fixture('symlink', 'file'),
    loop: t.fixture('symlink', 'loop'),
    empty: {},
  })

t.test('a status is that of what a link leads to, unless the link is asked for', async t => {
  const path = folder()
  for (const pace of ['waiting', 'at once'] as const) {
    const target = await statusOf(join(path, 'link'), pace)
    t.ok(!isMissing(target) && target.isFile() && target.size === 8n)
    const link = await linkStatusOf(join(path, 'link'), pace)
    t.ok(!isMissing(link) && link.isSymbolicLink())
  }
})

t.test('what is not there is absent, and what can not be had unreadable', async t => {
  const path = folder()
  t.strictSame(await statusOf(join(path, 'nothing')), { kind: 'absent' })
  t.strictSame(await linkStatusOf(join(path, 'file', 'below')), { kind: 'absent' })
  t.strictSame(await statusOf(join(path, 'loop')), { kind: 'unreadable', code: 'ELOOP' })
})

t.test('asked at once, the answer is there at once', async t => {
  const path = folder()
  t.strictSame(statusOf(join(path, 'nothing'), 'at once'), { kind: 'absent' })
  const code = 'ELOOP'
  t.strictSame(statusOf(join(path, 'loop'), 'at once'), { kind: 'unreadable', code })
  const waited = await readBytes(join(path, 'file'), 5)
  t.strictSame(readBytesAtOnce(join(path, 'file'), 5)?.raw, waited.raw)
  t.equal(readBytesAtOnce(join(path, 'file'), 5)?.status?.mtimeNs, waited.status?.mtimeNs)
})

t.test('reading at once leaves no trace of itself', async t => {
  const path = join(folder(), 'file')
  utimesSync(path, 1_600_000_000, 1_700_000_000)
  readBytesAtOnce(path, 5)
  t.equal(statSync(path).atimeMs, 1_600_000_000_000)
})

t.test('what can not be read at once is left to who has time', async t => {
  const path = folder()
  execFileSync('mkfifo', [join(path, 'fifo')])
  for (const name of ['nothing', 'loop', 'empty', 'fifo'])
    t.equal(readBytesAtOnce(join(path, name), 5), null, name)
})

t.test('a file is read as far as wanted, with its time, inode and status', async t => {
  const path = join(folder(), 'file')
  utimesSync(path, 1_700_000_000, 1_700_000_000.25)
  const { raw, status } = await readBytes(path, 5)
  t.match(raw, {
    kind: 'seen',
    bytes: Buffer.from('eight'),
    inode: inodeOf(statSync(path, { bigint: true })),
    modified: 1_700_000_000_250,
  })
  t.equal(status?.mtimeNs, 1_700_000_000_250_000_000n)
})

t.test('inodes above 2^53 are told apart', async t => {
  const inodes = [2n ** 63n + 1n, 2n ** 63n + 2n, 2n ** 53n].map(ino => inodeOf({ dev: 1n, ino }))
  t.strictSame(inodes, ['1:9223372036854775809', '1:9223372036854775810', '1:9007199254740992'])
})

t.test('what can not be read has no status', async t => {
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

t.test('what is absent is the same each time', async t => {
  const path = join(folder(), 'nothing')
  t.equal((await readBytes(path, 1)).raw, (await readBytes(path, 1)).raw)
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
