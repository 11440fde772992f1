import t from 'tap'
import { parseLsn, printLsn, type Lsn } from '../../src/facts/units.ts'

t.test('a log position is printed as pg_lsn prints it', async t => {
  t.equal(printLsn(0n as Lsn), '0/0')
  t.equal(printLsn(0x16_b374_d848n as Lsn), '16/B374D848')
  t.equal(printLsn(0x1_0000_0028n as Lsn), '1/28')
  t.equal(printLsn(0xffff_ffff_ffff_ffffn as Lsn), 'FFFFFFFF/FFFFFFFF')
})

t.test('and read with leading zeros or without', async t => {
  t.equal(parseLsn('16/B374D848'), 0x16_b374_d848n)
  t.equal(parseLsn('1/28'), 0x1_0000_0028n)
  t.equal(parseLsn('1/00000028'), 0x1_0000_0028n)
  for (const text of ['', '0', '0/', '/0', '0/0/0', 'g/0', '0/123456789', 'a/b']) {
    t.equal(parseLsn(text), null, text)
  }
})
