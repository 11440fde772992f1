import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import { printOperatorError } from '../../../src/cli/output/operator-error.ts'
import { anyText, assertPrintable } from '../../harness/foreign-text.ts'

const error = { message: 'port 5400 is in use', hint: 'choose another' }

t.test('an error is reported in two lines, as by tools of PostgreSQL', async t => {
  t.equal(
    printOperatorError(error),
    'pg-replstatus: error: port 5400 is in use\nhint: choose another\n',
  )
})

t.test('each line has its own prefix, because to journald each is an entry', async t => {
  t.equal(
    printOperatorError(error, '<3>'),
    '<3>pg-replstatus: error: port 5400 is in use\n<3>hint: choose another\n',
  )
})

t.test('whatever a path or a value is, it stays in its line', async t => {
  const property = fc.property(anyText, text => {
    const printed = printOperatorError({ message: text, hint: text })
    assertPrintable(printed)
    assert.equal(printed.split('\n').length, 3)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})
