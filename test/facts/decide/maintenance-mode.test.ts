import t from 'tap'
import {
  drained,
  drainedByFile,
  drainedByHand,
  noMaintenance,
} from '../../../src/facts/decide/maintenance-mode.ts'

t.test('the first line of the file is the reason', async t => {
  const because = (text: string) => {
    const found = drainedByFile(text)
    return found.kind === 'drained' ? found.because : found.kind
  }
  t.equal(because('new kernel, back at 6\n'), 'new kernel, back at 6')
  t.equal(because('new kernel'), 'new kernel')
  t.equal(because('  new kernel \r\nand more\n'), 'new kernel')
  t.equal(because('Größerer Umbau\n'), 'Größerer Umbau')
})

t.test('and one that says nothing is reason enough', async t => {
  for (const text of ['', '\n', '  \n', '\r\n', '\nsecond line', '\ufeff\n']) {
    t.strictSame(drainedByFile(text), drainedByHand, JSON.stringify(text))
  }
  t.strictSame(drainedByHand, { kind: 'drained', because: 'drained by hand' })
  t.strictSame(noMaintenance, { kind: 'none' })
})

t.test('no reason breaks out of its line, speaks to a terminal, or is endless', async t => {
  t.strictSame(drained('a\nb\x9b2J'), { kind: 'drained', because: String.raw`a\u000ab\u009b2J` })
  t.strictSame(drainedByFile('\x1b[31mred'), {
    kind: 'drained',
    because: String.raw`\u001b[31mred`,
  })
  t.match(drainedByFile('x'.repeat(10_000)), { because: /^x{200}\.\.\.$/ })
})
