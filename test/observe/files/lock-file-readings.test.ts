import t from 'tap'
import type { UnixMs } from '../../../src/facts/units.ts'
import type { RawFile } from '../../../src/observe/files/disk.ts'
import { isMixed, sightLockFile } from '../../../src/observe/files/lock-file-readings.ts'

type SeenFile = Extract<RawFile, { kind: 'present' }>

const lockFile = (status: string, changes: Partial<SeenFile> = {}): SeenFile => ({
  kind: 'present',
  bytes: Buffer.from(`1\n/pgdata\n2\n3\n\n*\n 4 5\n${status}\n`),
  inode: '1:2',
  modified: 7 as UnixMs,
  ...changes,
})

t.test('a reading is decoded, with its time', async t => {
  const ready = { kind: 'present', fact: { status: 'ready' }, modified: 7 }
  t.match(sightLockFile(lockFile('ready   ')), ready)
  t.match(sightLockFile(lockFile('readyXXX')), { kind: 'invalid', modified: 7 })
  t.strictSame(sightLockFile({ kind: 'absent' }), { kind: 'absent' })
})

t.test('a status word read half-written is distinguished from other damage', async t => {
  t.ok(isMixed(sightLockFile(lockFile('stoppiny'))))
  t.notOk(isMixed(sightLockFile(lockFile('stopping'))))
  t.notOk(isMixed(sightLockFile(lockFile('', { bytes: new Uint8Array() }))))
})
