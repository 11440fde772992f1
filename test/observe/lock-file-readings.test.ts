import t from 'tap'
import type { UnixMs } from '../../src/facts/units.ts'
import type { RawFile } from '../../src/observe/disk.ts'
import { createLockFileDecoder, isMixed, sameFile } from '../../src/observe/lock-file-readings.ts'

type SeenFile = Extract<RawFile, { kind: 'seen' }>

const lockFile = (status: string, changes: Partial<SeenFile> = {}): SeenFile => ({
  kind: 'seen',
  bytes: Buffer.from(`1\n/pgdata\n2\n3\n\n*\n 4 5\n${status}\n`),
  inode: '1:2',
  modified: 7 as UnixMs,
  ...changes,
})

t.test('a reading is decoded, with its time', async t => {
  const decoded = createLockFileDecoder()
  t.match(decoded(lockFile('ready   ')), { kind: 'seen', fact: { status: 'ready' }, modified: 7 })
  t.match(decoded(lockFile('readyXXX')), { kind: 'fault', modified: 7 })
  t.strictSame(decoded({ kind: 'absent' }), { kind: 'absent' })
})

t.test('the same reading is decoded once', async t => {
  const decoded = createLockFileDecoder()
  const raw = lockFile('ready   ')
  const sighting = decoded(raw)
  t.equal(decoded(raw), sighting)
  t.not(decoded({ ...raw }), sighting)
  t.match(decoded(lockFile('stopping')), { fact: { status: 'stopping' } })
})

t.test('a status word caught half-written is told from other damage', async t => {
  const decoded = createLockFileDecoder()
  t.ok(isMixed(decoded(lockFile('stoppiny'))))
  t.notOk(isMixed(decoded(lockFile('stopping'))))
  t.notOk(isMixed(decoded(lockFile('', { bytes: new Uint8Array() }))))
})

t.test('readings are the same when nothing of the file differs', async t => {
  const one = lockFile('ready   ')
  t.ok(sameFile(one, one))
  t.ok(sameFile(one, lockFile('ready   ')))
  t.notOk(sameFile(one, lockFile('stopping')))
  t.notOk(sameFile(one, lockFile('ready   ', { inode: '1:3' })))
  t.notOk(sameFile(one, lockFile('ready   ', { modified: 8 as UnixMs })))
  t.notOk(sameFile(one, { kind: 'absent' }))
  t.ok(sameFile({ kind: 'absent' }, { kind: 'absent' }))
})
