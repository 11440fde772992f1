import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import { printFamilies } from '../../../src/serve/http/prometheus-text.ts'
import { anyText, assertPrintable } from '../../harness/foreign-text.ts'

t.test('a family is its help, its type and its samples', async t => {
  const text = printFamilies([
    { name: 'a_seconds', help: 'One.', type: 'gauge', samples: [{ value: 0.5 }] },
    {
      name: 'b_total',
      help: 'Two.',
      type: 'counter',
      samples: [
        { labels: { x: '1', y: 'z' }, value: 2 },
        { labels: { x: '2', y: '' }, value: 0xffff_ffff_ffff_ffffn },
      ],
    },
  ])
  t.equal(
    text,
    `# HELP a_seconds One.
# TYPE a_seconds gauge
a_seconds 0.5
# HELP b_total Two.
# TYPE b_total counter
b_total{x="1",y="z"} 2
b_total{x="2",y=""} 18446744073709551615
`,
  )
})

t.test('a histogram counts up to each bound, and all', async t => {
  const text = printFamilies([
    {
      name: 'c_seconds',
      help: 'Three.',
      type: 'histogram',
      buckets: [
        { bound: 0.001, count: 1 },
        { bound: 2.5, count: 3 },
      ],
      count: 4,
      sum: 9.25,
    },
  ])
  t.equal(
    text,
    `# HELP c_seconds Three.
# TYPE c_seconds histogram
c_seconds_bucket{le="0.001"} 1
c_seconds_bucket{le="2.5"} 3
c_seconds_bucket{le="+Inf"} 4
c_seconds_sum 9.25
c_seconds_count 4
`,
  )
})

t.test('a family without samples is left out', async t => {
  t.equal(printFamilies([{ name: 'a', help: '', type: 'gauge', samples: [] }]), '')
  t.equal(printFamilies([]), '')
})

t.test('what has no end is written as Prometheus writes it', async t => {
  const valueOf = (value: number) =>
    printFamilies([{ name: 'a', help: 'b', type: 'gauge', samples: [{ value }] }])
      .trim()
      .split(' ')
      .at(-1)
  t.equal(valueOf(Infinity), '+Inf')
  t.equal(valueOf(-Infinity), '-Inf')
  t.equal(valueOf(NaN), 'NaN')
  t.equal(valueOf(1e-9), '1e-9')
})

t.test('texts are escaped so that they stay on their line, and can be read back', async t => {
  const print = (help: string, text: string) =>
    printFamilies([
      { name: 'a', help, type: 'gauge', samples: [{ labels: { x: text }, value: 1 }] },
    ])
  t.equal(print('\\ "\n', '\\ "\n'), '# HELP a \\\\ "\\n\n# TYPE a gauge\na{x="\\\\ \\"\\n"} 1\n')
  const meant: Readonly<Record<string, string>> = { '\\n': '\n', '\\\\': '\\', '\\"': '"' }
  fc.assert(
    fc.property(fc.string(), fc.string(), (help, label) => {
      const lines = print(help, label).split('\n')
      const [, escaped = ''] = /^a\{x="((?:[^"\\\n]|\\[\\n"])*)"\} 1$/.exec(lines[2] ?? '') ?? []
      return lines.length === 4 && escaped.replaceAll(/\\./g, found => meant[found] ?? '') === label
    }),
  )
})

t.test('but for what is unprintable, which Prometheus would show as it is', async t => {
  const print = (text: string) =>
    printFamilies([
      { name: 'a', help: text, type: 'gauge', samples: [{ labels: { x: text }, value: 1 }] },
    ])
  t.match(print('\x1b[2J'), String.raw`{x="\\u001b[2J"}`)
  const property = fc.property(anyText, text => {
    const printed = print(text)
    assertPrintable(printed)
    assert.equal(printed.split('\n').length, 4)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})
