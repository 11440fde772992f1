import t from 'tap'
import { timelineOfSegment } from '../../src/facts/wal-file.ts'

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
