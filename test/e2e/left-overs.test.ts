/**
 * What runs that were killed have left: the next run removes it, and nothing that another run, or
 * another user, has need of.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { chmodSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { cleared } from '../harness/daemon.ts'
import { clearDownloads } from '../harness/kept-folder.ts'
import { ownedPrefix, removeLeftOvers, temporaryFolder } from '../harness/left-overs.ts'
import { needRoot } from '../harness/needs.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { serverUser } from '../harness/server-user.ts'
import { until, within } from '../harness/until.ts'

const compiled = join(repositoryRoot(), '.build')

const scratch = (t: Test): string => {
  const folder = temporaryFolder()
  t.teardown(async () => {
    const removal = spawn('rm', ['-rf', folder], { stdio: 'ignore' })
    await once(removal, 'exit')
  })
  return folder
}

type Other = {
  readonly said: string
  readonly kill: () => Promise<void>
  /** Asks it to end, and waits for that. */
  readonly end: () => Promise<void>
}

/** Another run: runs `code` of a module, and lives on when it has printed a line. */
const startRun = async (
  t: Test,
  code: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Other> => {
  const program = [process.execPath, '--input-type=module', '-e', code]
  const child: ChildProcess = spawn('env', [...cleared(environment), ...program], {
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const ended = once(child, 'exit')
  const kill = async (): Promise<void> => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL')
    } catch {
      // All of it has ended.
    }
    await within(ended, { what: 'a run to be killed' })
  }
  t.teardown(kill)
  const [chunk] = (await within(once(child.stdout ?? child, 'data'), { what: 'a run' })) as [Buffer]
  const end = async (): Promise<void> => {
    child.stdin?.end('end')
    await within(ended, { what: 'a run to end' })
  }
  return { said: chunk.toString().trim(), kill, end }
}

const makesFolder = `
import { temporaryFolder } from '${compiled}/test/harness/left-overs.js'
process.stdin.resume()
console.log(temporaryFolder())`

t.test('the folder of a run stays while it runs, and goes when it was killed', async t => {
  const parent = scratch(t)
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
  const parent = scratch(t)
  const names = [mine, dead, elsewhere, ofOther, `${prefix}abcdef`, dead.replace('some', 'more')]
  for (const name of names) mkdirSync(join(parent, name))
  removeLeftOvers({ parent, prefix })
  t.strictSame(readdirSync(parent), names.filter(name => name !== dead).toSorted())
})

t.test('an owner that is not known is believed to run for a while', async t => {
  const parent = scratch(t)
  for (const name of [mine, elsewhere, `${prefix}abcdef`, `${prefix}young0`]) {
    mkdirSync(join(parent, name))
    if (!name.endsWith('young0')) utimesSync(join(parent, name), 1, 1)
  }
  removeLeftOvers({ parent, prefix, ageLimitMs: 60_000 })
  t.strictSame(readdirSync(parent), [mine, `${prefix}young0`].toSorted())
})

t.test('a folder stays while something that a dead run has started works in it', async t => {
  const parent = scratch(t)
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
  const parent = scratch(t)
  const goal = join(parent, 'goal')
  mkdirSync(goal)
  symlinkSync(goal, join(parent, dead))
  const file = dead.replace('abcdef', 'ffffff')
  writeFileSync(join(parent, file), '')
  removeLeftOvers({ parent, prefix })
  t.strictSame(readdirSync(parent), ['goal', dead, file].toSorted())
})

t.test('what belongs to another user stays', needRoot().options, async t => {
  const parent = scratch(t)
  mkdirSync(join(parent, dead))
  chownSync(join(parent, dead), 12_345, 12_345)
  removeLeftOvers({ parent, prefix })
  t.ok(existsSync(join(parent, dead)))
})

/** A checkout with the harness alone, and an npm that stands in for the real one. */
const makeCheckout = (t: Test) => {
  const folder = scratch(t)
  const place = (name: string): string => join(folder, name)
  for (const name of ['test/harness', 'test/demo', 'src']) {
    cpSync(join(compiled, name), place(`.build/${name}`), { recursive: true })
  }
  symlinkSync(join(repositoryRoot(), 'node_modules'), place('node_modules'))
  writeFileSync(place('package.json'), '{ "type": "module" }\n')
  const npm = (script: string): Readonly<Record<string, string>> => {
    mkdirSync(dirname(place('bin/npm')), { recursive: true })
    writeFileSync(place('bin/npm'), `#!/bin/sh\n${script}\n`)
    chmodSync(place('bin/npm'), 0o755)
    return { PATH: `${place('bin')}:${serverEnvironment()['PATH']}` }
  }
  const fetches = `
import { fetchPackage } from '${place('.build/test/harness/npm-packages.js')}'
process.stdin.resume()
console.log(await fetchPackage({ name: 'one', version: '1', shelf: 'shelf' }))`
  return { place, npm, fetches }
}

t.test('downloads of another user are named', needRoot().options, async t => {
  const { place, npm, fetches } = makeCheckout(t)
  chmodSync(place('.'), 0o755)
  mkdirSync(place('.servers'))
  const { uid, gid } = serverUser()
  const asUser = `process.setgroups([]); process.setgid(${gid}); process.setuid(${uid})`
  const code = fetches.replace('console', `${asUser}; console`).replace(/\)$/, '.catch(String))')
  const { said } = await startRun(t, code, npm('exit 1'))
  t.match(said, `could not write to ${place('.servers/shelf')}, which another user has made`)
})

const namesIn = (folder: string): readonly string[] =>
  existsSync(folder) ? readdirSync(folder) : []

t.test('a download that was killed is removed by the next run', async t => {
  const { place, npm, fetches } = makeCheckout(t)
  const stuck = npm('touch half; while :; do sleep 60; done')
  const first = await startRun(t, `console.log('begins')\n${fetches}`, stuck)
  const half = (): string => {
    const [name = ''] = namesIn(place('.servers/shelf'))
    return place(`.servers/shelf/${name}/half`)
  }
  await until(() => existsSync(half()), { what: 'npm to begin' })
  clearDownloads(place('.servers'))
  t.ok(existsSync(half()), 'while it runs, it stays')
  await first.kill()
  const second = await startRun(t, fetches, npm('mkdir -p node_modules/one'))
  t.equal(second.said, place('.servers/shelf/1/node_modules/one'))
  t.strictSame(readdirSync(place('.servers/shelf')), ['1'])
})

t.test('the demo tells what it fetches, and ends npm if it is to end', async t => {
  const { place, npm } = makeCheckout(t)
  const code = `
import { fetchServer } from '${place('.build/test/demo/fetch.js')}'
const asked = new Promise(resolve => process.stdin.once('data', resolve))
const print = text => process.stdout.write(text)
await fetchServer({ print, asked }).catch(() => process.exit())`
  // As npm, one process that does not end at SIGTERM.
  const stuck = `
process.on('SIGTERM', () => undefined)
require('node:fs').writeFileSync('half', '')
setInterval(() => undefined, 60_000)`
  const run = await startRun(t, code, npm(`exec '${process.execPath}' -e "${stuck}"`))
  t.match(run.said, `PostgreSQL 18 from npm: about 60 MB, kept in ${place('.servers/18')} `)
  const shelf = (): readonly string[] => namesIn(place('.servers/18'))
  const begun = (): boolean => shelf().some(name => existsSync(place(`.servers/18/${name}/half`)))
  await until(begun, { what: 'npm to begin' })
  await run.end()
  t.strictSame(shelf(), [])
})
