import t from 'tap'
import {
  maintenanceOn,
  maintenanceByFile,
  maintenanceWithoutReason,
  noMaintenance,
} from '../../../src/facts/decide/maintenance-mode.ts'

t.test('the first line of the file is the reason', async t => {
  const because = (text: string) => {
    const found = maintenanceByFile(text)
    return found.kind === 'on' ? found.because : found.kind
  }
  t.equal(because('new kernel, back at 6\n'), 'new kernel, back at 6')
  t.equal(because('new kernel'), 'new kernel')
  t.equal(because('  new kernel \r\nand more\n'), 'new kernel')
  t.equal(because('Größerer Umbau\n'), 'Größerer Umbau')
})

t.test('and an empty one is sufficient', async t => {
  for (const text of ['', '\n', '  \n', '\r\n', '\nsecond line', '\ufeff\n']) {
    t.strictSame(maintenanceByFile(text), maintenanceWithoutReason, JSON.stringify(text))
  }
  t.strictSame(maintenanceWithoutReason, { kind: 'on', because: 'maintenance mode is on' })
  t.strictSame(noMaintenance, { kind: 'none' })
})

t.test('no reason breaks its line, controls a terminal, or is endless', async t => {
  t.strictSame(maintenanceOn('a\nb\x9b2J'), { kind: 'on', because: String.raw`a\u000ab\u009b2J` })
  t.strictSame(maintenanceByFile('\x1b[31mred'), {
    kind: 'on',
    because: String.raw`\u001b[31mred`,
  })
  t.match(maintenanceByFile('x'.repeat(10_000)), { because: /^x{200}\.\.\.$/ })
})
