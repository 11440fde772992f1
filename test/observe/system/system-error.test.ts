import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  errorCode,
  meansAbsent,
  nullIfRefused,
  nullInShortage,
  throwShortage,
} from '../../../src/observe/system/system-error.ts'
import { shortageCodes, systemFailure } from '../../harness/system-failure.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

const caught = (act: () => unknown): unknown => {
  try {
    return act()
  } catch (error) {
    return error
  }
}

t.test('an error of the system is reported by its code', async t => {
  t.equal(errorCode(caught(() => readFileSync('/does/not/exist'))), 'ENOENT')
})

t.test('anything else that was thrown is reported as it is', async t => {
  t.equal(errorCode(new Error('plain')), 'Error: plain')
  t.equal(errorCode(Object.assign(new Error('odd'), { code: 7 })), 'Error: odd')
  t.equal(errorCode('text'), 'text')
})

t.test('only "no such file" and "not a directory on the way" mean absence', async t => {
  t.equal(meansAbsent('ENOENT'), true)
  t.equal(meansAbsent('ENOTDIR'), true)
  t.equal(meansAbsent('EACCES'), false)
})

t.test('what could not be found out without a descriptor is nothing', async t => {
  const open = async (): Promise<string> => readFileSync('/proc/self/stat', 'latin1')
  t.equal(await withoutDescriptors(() => nullInShortage(open)), null)
  t.match(await nullInShortage(open), /^\d+ /)
  const fails = nullInShortage(() => Promise.reject(new Error('of ours')))
  await t.rejects(fails, { message: 'of ours' })
})

t.test('what was lacking is reported', async t => {
  for (const code of shortageCodes) {
    const told: string[] = []
    const found = await nullInShortage(
      () => Promise.reject(systemFailure(code)),
      lacked => {
        told.push(lacked)
      },
    )
    t.equal(found, null)
    t.strictSame(told, [code])
    t.throws(() => throwShortage(systemFailure(code)), { code })
  }
  throwShortage(systemFailure('ENOENT'))
})

t.test('what is refused is nothing, and what is lacking is no answer', async t => {
  t.equal(await nullIfRefused(() => Promise.resolve('found')), 'found')
  t.equal(await nullIfRefused(() => Promise.reject(systemFailure('EACCES'))), null)
  for (const code of shortageCodes) {
    await t.rejects(
      nullIfRefused(() => Promise.reject(systemFailure(code))),
      { code },
    )
  }
})
