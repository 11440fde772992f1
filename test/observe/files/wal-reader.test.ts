import * as fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { TimelineId } from '../../../src/facts/units.ts'
import { findLastPage } from '../../../src/observe/files/wal-reader.ts'
import { walFolder } from '../../harness/wal-files.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

/** 16 pages in a segment, so that little has to be written. */
const geometry = { segmentSize: 0x10_0000, pageSize: 0x1_0000 }
const timeline = 1 as TimelineId

const setUp = (t: Test) => {
  const folder = t.testdir({})
  const find = (from: number, readsMax?: number) =>
    findLastPage({ folder, timeline, geometry }, from, readsMax)
  return { folder, find, ...walFolder(folder, geometry) }
}

t.test('the last page is found from any that is there', async t => {
  const { find, write } = setUp(t)
  write(20, 45)
  for (const from of [20, 31, 32, 44, 45]) t.equal(await find(from), 45)
  for (const from of [0, 19, 46, 1000]) t.equal(await find(from), null)
})

t.test('a segment of the future that is recycled has old addresses', async t => {
  const { find, write, recycle } = setUp(t)
  write(0, 31)
  recycle(32, 0)
  recycle(33, 1)
  t.equal(await find(3), 31)
})

t.test('after a switch of segments the next one continues', async t => {
  const { find, write } = setUp(t)
  write(0, 3)
  write(16, 18)
  write(32, 32)
  t.equal(await find(0), 32)
  t.equal(await find(17), 32)
})

t.test('a search that does not end is given up', async t => {
  const { find, write } = setUp(t)
  for (let segment = 0; segment < 20; segment += 1) write(segment * 16, segment * 16)
  t.equal(await find(0, 40), null)
  t.equal(await find(0), 19 * 16)
})

t.test('a file that cannot be read has no page', async t => {
  const { find, write, folder } = setUp(t)
  write(0, 15)
  const next = join(folder, '000000010000000000000001')
  mkdirSync(next)
  t.equal(await find(0), 15)
  rmSync(next, { recursive: true })
  execFileSync('mkfifo', [next])
  t.equal(await find(0), 15)
})

t.test('in a shortage of descriptors it is not known', async t => {
  const { find, write } = setUp(t)
  write(0, 15)
  await withoutDescriptors(() => t.rejects(find(0), { code: 'EMFILE' }))
  t.equal(await find(0), 15)
})

t.test('however far it is', async t => {
  const far = setUp(t)
  far.write(0, 700)
  await fc.assert(
    fc.asyncProperty(fc.nat(700), async from => (await far.find(from)) === 700),
    { numRuns: 20 },
  )
})
