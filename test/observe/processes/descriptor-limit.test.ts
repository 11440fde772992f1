import { writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { readDescriptorLimit } from '../../../src/observe/processes/descriptor-limit.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

t.test('the soft limit of this very process is read', async t => {
  execFileSync('prlimit', [`--pid=${process.pid}`, '--nofile=777:'])
  t.equal(await readDescriptorLimit(), 777)
})

t.test('it may be unlimited, or unknown', async t => {
  const path = join(t.testdir(), 'limits')
  const line = (value: string): string => `Max open files            ${value}      files\n`
  writeFileSync(path, `Max processes             1   2   processes\n${line('unlimited unlimited')}`)
  t.equal(await readDescriptorLimit(path), Infinity)
  writeFileSync(path, line('1024                 524288'))
  t.equal(await readDescriptorLimit(path), 1024)
  writeFileSync(path, 'nothing of the kind\n')
  t.equal(await readDescriptorLimit(path), null)
  t.equal(await readDescriptorLimit('/does/not/exist'), null)
})

t.test('without a descriptor it is not known', async t => {
  t.equal(await withoutDescriptors(() => readDescriptorLimit()), null)
})
