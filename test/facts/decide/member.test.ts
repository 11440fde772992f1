import t from 'tap'
import { historyOf, systemIdentifierOf } from '../../../src/facts/decide/member.ts'
import { controlFile, primaryEvidence } from '../../harness/evidence.ts'
import { primaryOn } from '../../harness/standing-table.ts'
import { timelineHistory } from '../../harness/timelines.ts'

t.test('what identifies a member is known as far as its files are', async t => {
  t.equal(systemIdentifierOf(primaryEvidence()), controlFile().systemIdentifier)
  t.equal(systemIdentifierOf(primaryEvidence({ controlFile: { kind: 'absent' } })), null)
  t.strictSame(historyOf(primaryOn(timelineHistory(1))), timelineHistory(1))
  t.equal(historyOf(primaryOn(null)), null)
})
