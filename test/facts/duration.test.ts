import t from 'tap'
import { printDuration } from '../../src/facts/duration.ts'

const cases: readonly (readonly [ms: number, text: string])[] = [
  [-5, '0 ms'],
  [0, '0 ms'],
  [999, '999 ms'],
  [1000, '1.0 s'],
  [59_999, '59.9 s'],
  [60_000, '1 min 0 s'],
  [185_000, '3 min 5 s'],
  [3_600_000, '1 h 0 min'],
  [7_920_000, '2 h 12 min'],
  [86_400_000, '1 d 0 h'],
  [792_000_000, '9 d 4 h'],
]

t.test('a time span is printed in the one or two units that matter', async t => {
  for (const [ms, text] of cases) t.equal(printDuration(ms), text)
})
