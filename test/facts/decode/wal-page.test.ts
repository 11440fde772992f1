import * as fc from 'fast-check'
import t from 'tap'
import {
  beginsPage,
  endOfPage,
  isSegmentSize,
  pageBefore,
  pageHeaderBytes,
  pageOfNextSegment,
  placeOfPage,
  walGeometry,
} from '../../../src/facts/decode/wal-page.ts'
import { timelineOfSegment, type Lsn, type TimelineId } from '../../../src/facts/units.ts'
import { pageHeader } from '../../harness/wal-files.ts'

const usual = { segmentSize: 0x100_0000, pageSize: 0x2000 }
const lsn = (position: bigint): Lsn => position as Lsn
const second = 2 as TimelineId

t.test('sizes that no server has are refused', async t => {
  t.strictSame(walGeometry({ walSegmentSize: 0x100_0000, walPageSize: 0x2000 }), usual)
  const sizes: readonly (readonly [segment: number | null, page: number | null])[] = [
    [null, null],
    [null, 0x2000],
    [0x100_0000, null],
    [0x8_0000, 0x2000],
    [0x8000_0000, 0x2000],
    [0x100_0001, 0x2000],
    [0x100_0000, 0x200],
    [0x100_0000, 0x2_0000],
    [0x100_0000, 0x2001],
    [0, 0],
  ]
  for (const [walSegmentSize, walPageSize] of sizes) {
    t.equal(walGeometry({ walSegmentSize, walPageSize }), null)
  }
  t.strictSame([0x10_0000, 0x4000_0000, 0x8_0000].map(isSegmentSize), [true, true, false])
})

t.test('a page is in the file that the server has it in', async t => {
  const page = pageBefore(lsn(0x16_b374_d848n), usual)
  t.strictSame(placeOfPage(page, second, usual), {
    file: '0000000200000016000000B3',
    offset: 0x74_c000,
  })
  t.strictSame(placeOfPage(0, second, usual), { file: '000000020000000000000000', offset: 0 })
  const large = { segmentSize: 0x4000_0000, pageSize: 0x1_0000 }
  t.strictSame(placeOfPage(pageBefore(lsn(0x2_c000_0001n), large), second, large), {
    file: '000000020000000200000003',
    offset: 0,
  })
})

t.test('the end of a page belongs to it', async t => {
  const page = pageBefore(lsn(0x300_2000n), usual)
  t.equal(endOfPage(page, usual), 0x300_2000n)
  t.equal(pageBefore(lsn(0x300_2001n), usual), page + 1)
  t.equal(pageBefore(lsn(1n), usual), 0)
})

t.test('the next segment begins with a page', async t => {
  const first = pageBefore(lsn(0x300_0001n), usual)
  const last = pageBefore(lsn(0x400_0000n), usual)
  t.equal(pageOfNextSegment(first, usual), last + 1)
  t.equal(pageOfNextSegment(last, usual), last + 1)
})

t.test('the address of a page shows whether it was written', async t => {
  const page = pageBefore(lsn(0x300_2000n), usual)
  const header = pageHeader(page, usual)
  t.ok(beginsPage(header, page, usual))
  t.notOk(beginsPage(header, page + 1, usual))
  t.notOk(beginsPage(header.subarray(0, pageHeaderBytes - 1), page, usual))
  // Position 0 has the address of zeros.
  t.notOk(beginsPage(new Uint8Array(pageHeaderBytes), 0, usual))
  t.ok(beginsPage(pageHeader(0, usual), 0, usual))
})

t.test('any position is in one place', async () => {
  const anyGeometry = fc
    .tuple(fc.integer({ min: 20, max: 30 }), fc.integer({ min: 10, max: 16 }))
    .map(([segment, page]) => ({ segmentSize: 2 ** segment, pageSize: 2 ** page }))
  const anyPosition = fc.bigInt({ min: 1n, max: 0x7fff_ffff_ffff_ffffn })
  fc.assert(
    fc.property(anyPosition, anyGeometry, (position, geometry) => {
      const page = pageBefore(lsn(position), geometry)
      const end = endOfPage(page, geometry)
      const { file, offset } = placeOfPage(page, second, geometry)
      const high = BigInt(Number.parseInt(file.slice(8, 16), 16))
      const low = BigInt(Number.parseInt(file.slice(16), 16)) * BigInt(geometry.segmentSize)
      const begin = (high << 32n) + low + BigInt(offset)
      return (
        timelineOfSegment(file) === 2 &&
        begin < position &&
        position <= end &&
        end - begin === BigInt(geometry.pageSize)
      )
    }),
  )
})
