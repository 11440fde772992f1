import t from 'tap'
import { fact, fault, meansShortage } from '../../src/facts/outcome.ts'

t.test('an outcome is either a fact or a fault', async t => {
  t.strictSame(fact(1), { ok: true, fact: 1 })
  t.strictSame(fault('torn'), { ok: false, fault: 'torn' })
})

t.test('a shortage is one of descriptors, memory and processes, and nothing else', async t => {
  for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN']) t.equal(meansShortage(code), true)
  for (const code of ['ENOENT', 'EACCES', 'ESRCH', 'ENOSPC', 'EIO']) {
    t.equal(meansShortage(code), false, code)
  }
})
