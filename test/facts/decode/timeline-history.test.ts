import * as fc from 'fast-check'
import t from 'tap'
import {
  assembleHistory,
  decodeTimelineHistory,
  historyFileName,
  parseTimeline,
  type TimelineSwitch,
} from '../../../src/facts/decode/timeline-history.ts'
import { printLsn, type Lsn, type TimelineId } from '../../../src/facts/units.ts'
import { anyText, damaged } from '../../harness/foreign-text.ts'

const left = (timeline: number, at: bigint): TimelineSwitch => ({
  timeline: timeline as TimelineId,
  at: at as Lsn,
})
const decode = (text: string, timeline = 3) => decodeTimelineHistory(text, timeline as TimelineId)

/** As PostgreSQL 15 wrote it, at the second promotion in a row. */
const written = '1\t0/3000148\tno recovery target specified\n\n2\t0/5000148\tbefore 2000-01-01\n'

t.test('the file of a server that was promoted twice', async t => {
  t.strictSame(decode(written), {
    ok: true,
    fact: { timeline: 3, switches: [left(1, 0x300_0148n), left(2, 0x500_0148n)] },
  })
})

t.test('the file of a server that was restored to a point before an earlier promotion', async t => {
  // As PostgreSQL 10, 12 and 18 wrote it: recovery aimed at timeline 2, and ended before it began.
  const restored =
    '1\t0/50000A0\tno recovery target specified\n\n2\t0/30186D0\tat restore point "x"\n'
  t.strictSame(decode(restored), {
    ok: true,
    fact: { timeline: 3, switches: [left(1, 0x500_00a0n), left(2, 0x301_86d0n)] },
  })
})

t.test('comments, blanks and leading zeros are read as the server reads them', async t => {
  t.match(decode('# a comment\n  1   0/03000148 reason\n'), {
    fact: { switches: [left(1, 0x300_0148n)] },
  })
})

t.test('what the server would refuse is no history', async t => {
  const faults: readonly (readonly [text: string, line: number | null])[] = [
    ['', null],
    ['# nothing else\n', null],
    ['one\t0/1\n', 1],
    ['1\n', 1],
    ['1\t0-1\treason\n', 1],
    ['1\t0/1\treason\n0\t0/2\treason\n', 2],
    ['2\t0/1\treason\n1\t0/2\treason\n', null],
    ['1\t0/1\treason\n1\t0/2\treason\n', null],
    ['3\t0/1\treason\n', null],
    ['99999999999\t0/1\treason\n', 1],
  ]
  for (const [text, line] of faults) {
    t.strictSame(decode(text), { ok: false, fault: { kind: 'not a history', line } }, text)
  }
})

t.test('only the first timeline has none before it', async t => {
  t.match(decode('', 1), { ok: true, fact: { timeline: 1, switches: [] } })
  t.equal(assembleHistory(2 as TimelineId, []), null)
})

t.test('files are named as by the server', async t => {
  t.equal(historyFileName(1 as TimelineId), '00000001.history')
  t.equal(historyFileName(0xab as TimelineId), '000000AB.history')
})

t.test('a timeline is a number of 32 bits, from 1', async t => {
  t.strictSame([1, 0xffff_ffff].map(parseTimeline), [1, 0xffff_ffff])
  for (const not of [0, -1, 1.5, 0x1_0000_0000, NaN, '1', null]) t.equal(parseTimeline(not), null)
})

t.test('any history that is written is read back; nothing throws', async t => {
  const anySwitches = fc
    .uniqueArray(fc.integer({ min: 1, max: 0xffff_fffe }), { minLength: 1, maxLength: 20 })
    .chain(numbers =>
      fc.tuple(
        fc.constant(numbers.toSorted((one, other) => one - other)),
        fc.array(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), {
          minLength: numbers.length,
          maxLength: numbers.length,
        }),
      ),
    )
    .map(([numbers, positions]) => numbers.map((number, at) => left(number, positions[at] ?? 0n)))
  fc.assert(
    fc.property(anySwitches, switches => {
      const lines = switches.map(({ timeline, at }) => `${timeline}\t${printLsn(at)}\treason\n`)
      const decoded = decode(lines.join(''), 0xffff_ffff)
      t.strictSame(decoded, { ok: true, fact: { timeline: 0xffff_ffff, switches } })
    }),
  )
  fc.assert(
    fc.property(fc.oneof(anyText, damaged(written)), text => {
      const decoded = decode(text)
      return typeof decoded.ok === 'boolean'
    }),
  )
})
