import { renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { UnixMs } from '../../../src/facts/units.ts'
import { createReadAtOnce } from '../../../src/observe/files/read-at-once.ts'
import { nextFileTime } from '../../harness/file-times.ts'

/** A file with the wall clock so long after its last change. */
const setUp = (afterMs: number) => {
  const path = join(t.testdir({ file: 'one' }), 'file')
  const now = (): UnixMs => (statSync(path).ctimeMs + afterMs) as UnixMs
  const read = createReadAtOnce({ unix: now })
  const text = (): string | null => {
    const raw = read(path, 8)
    return raw?.kind === 'present' ? Buffer.from(raw.bytes).toString() : null
  }
  return { path, text, read: () => read(path, 8) }
}

t.test('a file that was last changed more than two seconds ago is read once', async t => {
  const { read } = setUp(2001)
  t.match(read(), { kind: 'present', bytes: Buffer.from('one') })
  t.equal(read(), read(), 'the same object')
})

t.test('a file that was changed within the last two seconds is read each time', async t => {
  for (const afterMs of [2000, 0, -5000]) {
    const { read } = setUp(afterMs)
    t.not(read(), read(), 'another object')
  }
})

t.test('a change shows, also of the same size and with the time set back', async t => {
  const { path, text } = setUp(3000)
  const { atime, mtime } = statSync(path)
  t.equal(text(), 'one')
  await nextFileTime(join(path, '..'))
  writeFileSync(path, 'two')
  utimesSync(path, atime, mtime)
  t.equal(text(), 'two')
})

t.test('so does another file in its place', async t => {
  const { path, text, read } = setUp(3000)
  t.equal(text(), 'one')
  writeFileSync(`${path}.new`, 'new')
  renameSync(`${path}.new`, path)
  t.equal(text(), 'new')
  rmSync(path)
  symlinkSync('/etc/hostname', path)
  t.equal(read(), null, 'a link is not read synchronously')
})

t.test('a file that is gone is absent, and read again when it is back', async t => {
  const { path, text, read } = setUp(3000)
  t.equal(text(), 'one')
  renameSync(path, `${path}.away`)
  const absent = createReadAtOnce({ unix: () => 0 as UnixMs })
  t.strictSame(absent(path, 8), { kind: 'absent' })
  renameSync(`${path}.away`, path)
  t.equal(text(), 'one')
  rmSync(path)
  t.strictSame(read(), { kind: 'absent' })
})
