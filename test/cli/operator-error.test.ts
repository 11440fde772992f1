import t from 'tap'
import { printOperatorError } from '../../src/cli/operator-error.ts'

const error = { message: 'port 5400 is in use', hint: 'choose another' }

t.test('a mistake is told in two lines, as by tools of PostgreSQL', async t => {
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
