/**
 * What runs that were killed have left: the next run removes it, and nothing that another run, or
 * another user, has need of.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { ownedPrefix, removeLeftOvers } from '../harness/left-overs.ts'
import { needNamespaces, needRoot } from '../harness/needs.ts'
import { scratchFolder, startRun } from '../harness/other-run.ts'
import { inPidNamespace } from '../harness/pid-namespace.ts'
import { repositoryRoot } from '../harness/repository.ts'

const compiled = join(repositoryRoot(), '.build')

const makesFolder = `
import { temporaryFolder } from '${compiled}/test/harness/left-overs.js'
process.stdin.resume()
console.log(temporaryFolder())`

t.test('the folder of a run stays while it runs, and goes when it was killed', async t => {
  const parent = scratchFolder(t)
  const environment = { TMPDIR: parent }
  const first = await startRun(t, makesFolder, environment)
  writeFileSync(join(first.said, 'file'), '')
  const second = await startRun(t, makesFolder, environment)
  t.ok(existsSync(join(first.said, 'file')))
  await first.kill()
  const third = await startRun(t, makesFolder, environment)
  const [alive, own] = [basename(second.said), basename(third.said)]
  t.strictSame(readdirSync(parent).toSorted(), [alive, own].toSorted())
})

const namespaces = needNamespaces()
t.test('the folder of a run in a container stays', namespaces.options, async t => {
  const parent = scratchFolder(t)
  const inside = await startRun(t, makesFolder, { TMPDIR: parent }, inPidNamespace)
  await startRun(t, makesFolder, { TMPDIR: parent })
  t.ok(existsSync(inside.said))
})

const prefix = 'some-'
/** Folders by the names of their owners, whose pid is ours. */
const nameFor = (change: (parts: readonly string[]) => readonly string[]): string =>
  `${change(ownedPrefix(prefix).split('-')).join('-')}abcdef`
const mine = nameFor(parts => parts)
/** `some`, `run`, the user, the namespace, the pid, the start time, and nothing. */
const dead = nameFor(([...parts]) => parts.with(5, '1'))
const elsewhere = nameFor(([...parts]) => parts.with(3, '1').with(5, '1'))
/** Root would see one of the user of its servers as its own. */
const ofOther = nameFor(([...parts]) => parts.with(2, '12345').with(5, '1'))

t.test('a folder stays if its owner runs, or may run where we do not see it', async t => {
  const parent = scratchFolder(t)
  const names = [mine, dead, elsewhere, ofOther, `${prefix}abcdef`, dead.replace('some', 'more')]
  for (const name of names) mkdirSync(join(parent, name))
  removeLeftOvers({ parent, prefix })
  t.strictSame(readdirSync(parent), names.filter(name => name !== dead).toSorted())
})

t.test('a process of an unknown owner is assumed to run for a while', async t => {
  const parent = scratchFolder(t)
  for (const name of [mine, elsewhere, `${prefix}abcdef`, `${prefix}young0`]) {
    mkdirSync(join(parent, name))
    if (!name.endsWith('young0')) utimesSync(join(parent, name), 1, 1)
  }
  removeLeftOvers({ parent, prefix, ageLimitMs: 60_000 })
  t.strictSame(readdirSync(parent), [mine, `${prefix}young0`].toSorted())
})

t.test('a folder stays while a process that a former run has started works in it', async t => {
  const parent = scratchFolder(t)
  const folder = join(parent, dead)
  mkdirSync(folder)
  for (const [cwd, args] of [
    [folder, []],
    ['/', [folder]],
  ] as const) {
    const child = spawn('/bin/sh', ['-c', 'read -r end', 'sh', ...args], {
      cwd,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    removeLeftOvers({ parent, prefix })
    t.ok(existsSync(folder))
    const ended = once(child, 'exit')
    child.stdin.end()
    await ended
  }
  removeLeftOvers({ parent, prefix })
  t.notOk(existsSync(folder))
})

t.test('links and files stay, and what a link leads to', async t => {
  const parent = scratchFolder(t)
  const goal = join(parent, 'goal')
  mkdirSync(goal)
  symlinkSync(goal, join(parent, dead))
  const file = dead.replace('abcdef', 'ffffff')
  writeFileSync(join(parent, file), '')
  removeLeftOvers({ parent, prefix })
  t.strictSame(readdirSync(parent), ['goal', dead, file].toSorted())
})

t.test('a folder stays while something is mounted in it', namespaces.options, async t => {
  const parent = scratchFolder(t)
  const code = `
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { ownedPrefix, removeLeftOvers } from '${compiled}/test/harness/left-overs.js'
const dead = ownedPrefix('${prefix}').replace(/\\d+-$/, '1-abcdef')
const inside = '${parent}/' + dead + '/inside'
mkdirSync(inside, { recursive: true })
const stays = path => {
  removeLeftOvers({ parent: '${parent}', prefix: '${prefix}' })
  return existsSync(path)
}
execFileSync('mount', ['-t', 'tmpfs', 'none', inside])
writeFileSync(inside + '/file', '')
const whileMounted = stays(inside + '/file')
execFileSync('umount', [inside])
console.log(whileMounted, stays(inside))`
  t.equal((await startRun(t, code, {}, inPidNamespace)).said, 'true false')
})

t.test('what belongs to another user stays', needRoot().options, async t => {
  const parent = scratchFolder(t)
  mkdirSync(join(parent, dead))
  chownSync(join(parent, dead), 12_345, 12_345)
  removeLeftOvers({ parent, prefix })
  t.ok(existsSync(join(parent, dead)))
})
