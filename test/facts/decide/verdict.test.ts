import t from 'tap'
import { answerOf, decide, isWanted, type Answer } from '../../../src/facts/decide/verdict.ts'
import { primaryEvidence, standbyEvidence } from '../../harness/evidence.ts'

t.test('a primary and a standby are available in their role', async t => {
  t.strictSame(decide(primaryEvidence()), {
    kind: 'available',
    role: 'primary',
    rule: 'in production',
    because: 'postmaster pid 4711 is ready and the cluster state is in production',
    settled: true,
  })
  t.match(decide(standbyEvidence()), { kind: 'available', role: 'standby' })
})

t.test('anything else is unavailable, with the reason', async t => {
  t.strictSame(decide(primaryEvidence({ lockFile: { kind: 'absent' } })), {
    kind: 'unavailable',
    rule: 'no lock file',
    because: 'no postmaster.pid in /pgdata: no server is running',
    settled: true,
  })
})

t.test('an answer is a role or none', async t => {
  t.equal(answerOf(decide(primaryEvidence({ lockFile: { kind: 'absent' } }))), 'unavailable')
  t.equal(answerOf(decide(standbyEvidence())), 'standby')
})

t.test('a role is what is wanted or not, and none never is', async t => {
  const answers: readonly Answer[] = ['primary', 'standby', 'unavailable']
  const met = (wanted: 'primary' | 'standby' | 'any') =>
    answers.filter(answer => isWanted(answer, wanted))
  t.strictSame(met('primary'), ['primary'])
  t.strictSame(met('standby'), ['standby'])
  t.strictSame(met('any'), ['primary', 'standby'])
})
