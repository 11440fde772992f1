import t from 'tap'
import { exitAsExpected, exitCodes, exitDone } from '../../../src/cli/output/exit-codes.ts'
import { exitOtherwise, nagiosExitCodes } from '../../../src/cli/output/exit-codes.ts'

t.test('the numbers are those that scripts and load balancers were written for', async t => {
  t.strictSame(exitCodes, { primary: 0, standby: 1, unavailable: 2, error: 3 })
  t.strictSame(nagiosExitCodes, { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 })
  t.strictSame(
    { exitAsExpected, exitOtherwise, exitDone },
    {
      exitAsExpected: 0,
      exitOtherwise: 1,
      exitDone: 0,
    },
  )
})

t.test('a check that fails is never mistaken for an answer', async t => {
  const { error, ...answers } = exitCodes
  t.notOk([...Object.values(answers), exitAsExpected, exitOtherwise].includes(error))
})
