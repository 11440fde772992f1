import t from 'tap'
import { fact, fault } from '../../src/facts/outcome.ts'

t.test('an outcome is either a fact or a fault', async t => {
  t.strictSame(fact(1), { ok: true, fact: 1 })
  t.strictSame(fault('torn'), { ok: false, fault: 'torn' })
})
