import * as fc from 'fast-check'
import t from 'tap'
import { historyJson } from '../../../src/facts/report/changes.ts'
import { decodeHistory, historyLines } from '../../../src/facts/report/history-view.ts'
import { printJson } from '../../../src/facts/report/snapshot-json.ts'
import { decide } from '../../../src/facts/decide/verdict.ts'
import type { UnixMs } from '../../../src/facts/units.ts'
import { noon, primaryEvidence } from '../../harness/evidence.ts'
import { anyText, assertOneLine, damaged } from '../../harness/foreign-text.ts'

const primary = decide(primaryEvidence())
const down = decide(primaryEvidence({ lockFile: { kind: 'absent' } }))
const unknown = { postmaster: null, timeline: null }
const document = printJson(
  historyJson([
    { at: noon, from: null, to: primary, ...unknown },
    { at: (noon + 1500) as UnixMs, from: primary, to: down, ...unknown },
  ]),
)
const now = (noon + 61_500) as UnixMs

const linesOf = (text: string): readonly string[] => {
  const read = decodeHistory(text)
  return read.ok ? historyLines(read.fact, { asked: '/data\x1b', now }) : [read.fault]
}

t.test('the last change is the state, and the newest is last', async t => {
  t.strictSame(linesOf(document), [
    `/data\\u001b: unavailable for 1 min 0 s: ${down.because}`,
    '',
    `2026-01-01 12:00:00.000 UTC  primary      in production: ${primary.because}`,
    `2026-01-01 12:00:01.500 UTC  unavailable  no lock file: ${down.because}`,
  ])
  t.strictSame(linesOf('{"changes": []}'), ['/data\\u001b: no change so far', ''])
})

t.test('what does not have its form is refused', async t => {
  t.strictSame(linesOf('[]'), ['not a JSON object'])
  const good = { time: '2026-01-01T12:00:00.000Z', to: 'primary', rule: 'x', because: 'y' }
  t.equal(linesOf(JSON.stringify({ changes: [good] })).length, 3)
  const wrong = ['time', 'to', 'rule', 'because'].map(field => Object.fromEntries([[field, 1]]))
  const bad = wrong.map(change => Object.assign({}, good, change))
  for (const one of [1, null, ...bad, { ...good, time: 'noon' }, { ...good, to: 'master' }]) {
    t.strictSame(linesOf(JSON.stringify({ changes: [good, one] })), ['changes'])
  }
  t.strictSame(linesOf('{"changes": {}}'), ['changes'])
})

t.test('reading never throws, and each line is one', async () => {
  fc.assert(
    fc.property(fc.oneof(damaged(document), anyText), text => {
      for (const line of linesOf(text)) if (line !== '') assertOneLine(line)
    }),
  )
})
