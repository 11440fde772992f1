import t from 'tap'
import {
  parseLsn,
  parsePgVersion,
  parseSize,
  printDuration,
  printLsn,
  printSize,
  timelineOfSegment,
  type Lsn,
} from '../../src/facts/units.ts'

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

t.test('the timeline of a segment is in its name', async t => {
  t.equal(timelineOfSegment('000000010000000000000003'), 1)
  t.equal(timelineOfSegment('0000001F000000A0000000FF'), 31)
  t.equal(timelineOfSegment('FFFFFFFF0000000000000001'), 0xffff_ffff)
})

t.test('no other file has one', async t => {
  for (const name of [
    '',
    'archive_status',
    'xlogtemp.4711',
    '00000002.history',
    '000000010000000000000003.partial',
    '000000010000000000000003.00000028.backup',
    '00000001000000000000000g',
  ]) {
    t.equal(timelineOfSegment(name), null, name)
  }
})

t.test('a version is one number or two, in a line', async t => {
  t.equal(parsePgVersion('15\n'), '15')
  t.equal(parsePgVersion('9.6\n'), '9.6')
  t.equal(parsePgVersion('18'), '18')
  t.equal(parsePgVersion('16\r\n'), '16', 'edited elsewhere')
})

t.test('nothing else is, least of all a path or what controls a terminal', async t => {
  const others = [
    '',
    '\n',
    '../../../tmp/evil',
    '15/../../../tmp/evil',
    '15\n../../../tmp/evil\n',
    '15\n16\n',
    '-15',
    '+15',
    ' 15',
    '0x15',
    '15.',
    '.6',
    '9.6.24',
    '15devel',
    '15\x1b[2J',
    '1\x9b5',
    '1'.repeat(64),
    '\uff11\uff15',
  ]
  for (const text of others) t.equal(parsePgVersion(text), null, JSON.stringify(text))
})

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

t.test('a size is printed with the units of PostgreSQL', async t => {
  const sizes: readonly (readonly [bytes: number, text: string])[] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 kB'],
    [16 * 1024 ** 2, '16.0 MB'],
    [1.5 * 1024 ** 3, '1.5 GB'],
    [2 * 1024 ** 4, '2.0 TB'],
    [2 * 1024 ** 5, '2048.0 TB'],
  ]
  for (const [bytes, text] of sizes) t.equal(printSize(bytes), text)
})

t.test('a time span is printed in the one or two units that matter', async t => {
  for (const [ms, text] of cases) t.equal(printDuration(ms), text)
})

t.test('a size is in bytes, or has a unit', async t => {
  const sizes = {
    '0': 0,
    '1048576': 1_048_576,
    '5B': 5,
    '512kB': 524_288,
    '512 kB': 524_288,
    '10MB': 10_485_760,
    '1.5GB': 1_610_612_736,
    '1.GB': 1_073_741_824,
    '2TB': 2_199_023_255_552,
  }
  for (const [text, bytes] of Object.entries(sizes)) t.equal(parseSize(text), bytes, text)
  for (const text of ['', 'MB', '-1', '+1', '1e3', '1  MB', ' 1', '1mb', '1KB', '1PB', '.5MB']) {
    t.equal(parseSize(text), null, text)
  }
})
