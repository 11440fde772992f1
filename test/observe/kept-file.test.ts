import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decodeText } from '../../src/observe/data-directory.ts'
import { createKeptFile } from '../../src/observe/kept-file.ts'
import { untilFileTimesMove } from '../harness/file-times.ts'
import { createManualClock } from '../harness/manual-clock.ts'

const setUp = () => {
  const { clock, advance } = createManualClock()
  const path = join(t.testdir({ file: 'one' }), 'file')
  const file = createKeptFile(
    { path, bytesMax: 10 },
    { clock, keeps: () => true, pace: () => 'waiting' },
  )
  const content = async () => {
    const raw = await file.read()
    return raw.kind === 'seen' ? decodeText(raw.bytes) : raw.kind
  }
  /** Reads it until it is kept. */
  const settle = async () => {
    await file.read()
    advance(1000)
    const raw = await file.read()
    untilFileTimesMove()
    return raw
  }
  return { path, file, content, settle, advance }
}

t.test('a file that stands still is read twice, and then known', async t => {
  const { file, settle, advance } = setUp()
  const first = await file.read()
  t.equal(file.presumed(), null)
  advance(1)
  t.not(await file.read(), first)
  const kept = await settle()
  t.equal(await file.read(), kept)
  t.equal(file.presumed(), kept)
})

t.test('rewritten in place, with the same size, it is read again', async t => {
  const { path, content, settle } = setUp()
  await settle()
  writeFileSync(path, 'two')
  t.equal(await content(), 'two')
})

t.test('rewritten again and again within one tick, it is always read', async t => {
  const { path, content, settle } = setUp()
  await settle()
  for (let round = 100; round < 300; round += 1) {
    writeFileSync(path, String(round))
    t.equal(await content(), String(round))
  }
})

t.test('a time of modification set back does not hide that it was rewritten', async t => {
  const { path, content, settle } = setUp()
  const { atime, mtime } = statSync(path)
  utimesSync(path, atime, mtime)
  await settle()
  writeFileSync(path, 'two')
  utimesSync(path, atime, mtime)
  t.equal(await content(), 'two')
})

t.test('replaced by another file of the same size and time, it is read again', async t => {
  const { path, content, settle } = setUp()
  const { atime, mtime } = statSync(path)
  utimesSync(path, atime, mtime)
  await settle()
  writeFileSync(`${path}.new`, 'two')
  utimesSync(`${path}.new`, atime, mtime)
  renameSync(`${path}.new`, path)
  t.equal(await content(), 'two')
})

t.test('removed and made again, it is absent meanwhile', async t => {
  const { path, file, content, settle } = setUp()
  await settle()
  rmSync(path)
  t.equal(await content(), 'absent')
  t.strictSame(file.presumed(), { kind: 'absent' })
  writeFileSync(path, 'two')
  t.equal(await content(), 'two')
})

t.test('an event makes it be read again, whatever its stamp says', async t => {
  const { file, settle } = setUp()
  const kept = await settle()
  file.forget()
  t.equal(file.presumed(), null)
  t.not(await file.read(), kept)
})

t.test('what may be asked at once is there before the event loop turns', async t => {
  const { clock, advance } = createManualClock()
  const path = join(t.testdir({ file: 'one' }), 'file')
  const keeping = { clock, keeps: () => true, pace: () => 'at once' as const }
  const file = createKeptFile({ path, bytesMax: 10 }, keeping)
  const soon = async (): Promise<string> => {
    const raw = file.read()
    const turned = new Promise<null>(resolve => void setImmediate(resolve, null))
    const first = await Promise.race([raw, turned])
    if (first === null) return 'too late'
    return first.kind === 'seen' ? decodeText(first.bytes) : first.kind
  }
  t.equal(await soon(), 'one')
  advance(1000)
  t.equal(await soon(), 'one')
  untilFileTimesMove()
  t.not(file.presumed(), null)
  t.equal(await soon(), 'one', 'proven by its status')
  writeFileSync(path, 'two')
  t.equal(await soon(), 'two')
  rmSync(path)
  t.equal(await soon(), 'too late', 'what nothing is known of has time')
  await file.read()
  t.equal(await soon(), 'absent', 'there is still none')
  writeFileSync(path, 'three')
  t.equal(await soon(), 'three')
})
