/**
 * The manual page as its readers see it: without a complaint of either program that sets it.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { needProgram } from '../harness/needs.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'

const page = join(repositoryRoot(), 'dist/pg-replstatus.1')
const env = { ...serverEnvironment(), LC_ALL: 'C.UTF-8', MANWIDTH: '80', MANROFFSEQ: '' }
const man = needProgram('man')
const mandoc = needProgram('mandoc')

t.test('man has nothing to warn of, and shows it in 80 columns', man.options, async t => {
  const args = ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', page]
  const { status, stderr } = spawnSync(man.get(), args, { env, encoding: 'utf8' })
  t.strictSame({ status, stderr }, { status: 0, stderr: '' })
  const text = execFileSync(man.get(), ['-l', page], { env, encoding: 'utf8' })
  t.match(text, /^NAME\n +pg-replstatus +- +reports +the role /m)
  t.match(text, /^ +--control-check HOW\n +how to determine the role/m)
  t.strictSame(
    text.split('\n').filter(line => line.length > 80),
    [],
  )
})

t.test('mandoc has nothing against it', mandoc.options, async t => {
  const { status, stdout } = spawnSync(mandoc.get(), ['-Tlint', page], { env, encoding: 'utf8' })
  t.strictSame({ status, stdout }, { status: 0, stdout: '' })
})
