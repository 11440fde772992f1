import t from 'tap'
import { changesMax } from '../../../src/facts/report/changes.ts'
import { phaseOf, phasesOf, silence, withPhase } from '../../../src/facts/report/phases.ts'
import type { Phase } from '../../../src/facts/report/phases.ts'
import { decide } from '../../../src/facts/decide/verdict.ts'
import type { TimelineId, UnixMs } from '../../../src/facts/units.ts'
import { noon, primaryEvidence } from '../../harness/evidence.ts'
import { member } from '../../harness/standing-table.ts'

const at = (ms: number): UnixMs => ms as UnixMs

t.test('a phase begins with another answer, rule or timeline', async t => {
  const first = phaseOf(member(), at(1))
  const list = [first]
  t.equal(withPhase(list, phaseOf(member({ because: 'another pid' }), at(2))), list)
  for (const next of [
    phaseOf(member({ answer: 'primary' }), at(2)),
    phaseOf(member({ rule: 'lock file incomplete' }), at(2)),
    phaseOf(member({ history: null }), at(2)),
    silence('ECONNREFUSED', at(2)),
  ]) {
    const both = withPhase(list, next)
    t.strictSame(both, [first, next])
    t.equal(withPhase(both, { ...next, since: at(3), because: 'another reason' }), both)
  }
})

t.test('the last hundred are kept', async t => {
  let list: readonly Phase[] = []
  for (let count = 1; count <= changesMax + 5; count += 1) {
    const answer = count % 2 === 0 ? 'primary' : 'standby'
    list = withPhase(list, phaseOf(member({ answer }), at(count)))
  }
  t.equal(list.length, changesMax)
  t.match([list[0], list.at(-1)], [{ since: 6 }, { since: changesMax + 5 }])
})

t.test('the changes of the daemon itself are phases', async t => {
  const to = decide(primaryEvidence())
  const [phase] = phasesOf([
    { at: noon, from: null, to, postmaster: null, timeline: 3 as TimelineId },
  ])
  const { rule, because } = to
  t.strictSame(phase, { since: noon, answer: 'primary', rule, because, timeline: 3 })
})
