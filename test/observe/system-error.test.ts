import { readFileSync } from 'node:fs'
import t from 'tap'
import { errorCode, meansAbsent } from '../../src/observe/system-error.ts'

const caught = (act: () => unknown): unknown => {
  try {
    return act()
  } catch (error) {
    return error
  }
}

t.test('an error of the system is told by its code', async t => {
  t.equal(errorCode(caught(() => readFileSync('/does/not/exist'))), 'ENOENT')
})

t.test('anything else that was thrown is told as it is', async t => {
  t.equal(errorCode(new Error('plain')), 'Error: plain')
  t.equal(errorCode(Object.assign(new Error('odd'), { code: 7 })), 'Error: odd')
  t.equal(errorCode('text'), 'text')
})

t.test('only "no such file" and "not a directory on the way" mean absence', async t => {
  t.equal(meansAbsent('ENOENT'), true)
  t.equal(meansAbsent('ENOTDIR'), true)
  t.equal(meansAbsent('EACCES'), false)
})
