import t from 'tap'
import { parseLsn, printLsn, type Lsn } from '../../src/facts/units.ts'

t.test('a log position is printed as pg_lsn prints it', async t => {
  t.equal(printLsn(0n as Lsn), '0/0')
  t.equal(printLsn(0x16_b374_d848n as Lsn), '16/B374D848')
  t.equal(printLsn(0x1_0000_0028n as Lsn), '1/28')
  t.equal(printLsn(0xffff_ffff_ffff_ffffn as Lsn), 'FFFFFFFF/FFFFFFFF')
})

t.test('a log position is read as it is printed, and no other way', async t => {
  for (const text of ['0/0', '16/B374D848', '1/28', 'FFFFFFFF/FFFFFFFF']) {
    const lsn = parseLsn(text)
    t.equal(lsn !== null && printLsn(lsn), text)
  }
  for (const text of ['', '0', '0/', '/0', '0/x', '0/0 ', '16/b374d848', '0/123456789', '0/0/0']) {
    t.equal(parseLsn(text), null, text)
  }
})
