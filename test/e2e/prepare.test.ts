/**
 * `node src/build/prepare.js` in a checkout of its own, with stand-ins for npm and the bundler:
 * what it does about installations that were interrupted, and about files of other users.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { cleared } from '../harness/daemon.ts'
import { needRoot } from '../harness/needs.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { serverUser } from '../harness/server-user.ts'
import { makeServerFolder } from '../harness/stand-in.ts'
import { until, within } from '../harness/until.ts'

const root = repositoryRoot()
const programs = ['prepare.js', 'owners.js', 'parent.js', 'rooms.js', 'steps.js']
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
}

/** Makes dist/pg-replstatus.js. */
const bundler = `
import { mkdirSync, writeFileSync } from 'node:fs'
mkdirSync('dist', { recursive: true })
writeFileSync('dist/pg-replstatus.js', '')
`

/** What `npm ci` leaves when it succeeds. */
const installs = 'mkdir -p node_modules/typescript && touch node_modules/.package-lock.json'

type Start = {
  readonly args?: readonly string[]
  /** Run it as the server user? */
  readonly lent?: boolean
  /** A program that starts it, with its arguments. */
  readonly through?: readonly string[]
}

type Checkout = {
  readonly path: (name: string) => string
  readonly start: (options?: Start) => ChildProcess
}

/** In a folder of the server user, who root can be to meet permissions (`lent`). */
const makeCheckout = (t: Test, npm: string): Checkout => {
  const folder = makeServerFolder(t)
  const path = (name: string): string => join(folder, name)
  const { uid, gid } = serverUser()
  const put = (name: string, text: string): void => {
    mkdirSync(dirname(path(name)), { recursive: true })
    writeFileSync(path(name), text)
  }
  put('package.json', '{ "type": "module" }\n')
  put('package-lock.json', '{}\n')
  put('src/build/bundle.js', bundler)
  for (const name of programs) cpSync(join(root, 'src/build', name), path(`src/build/${name}`))
  put('bin/npm', `#!/bin/sh\n${npm}\n`)
  chmodSync(path('bin/npm'), 0o755)
  const start: Checkout['start'] = ({ args = [], lent = false, through = [] } = {}) => {
    const PATH = `${path('bin')}${delimiter}${serverEnvironment()['PATH']}`
    const command = [process.execPath, path('src/build/prepare.js'), ...args]
    const child = spawn('env', [...cleared({ PATH }), ...through, ...command], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(lent ? { uid, gid } : {}),
    })
    t.teardown(() => child.kill('SIGKILL'))
    return child
  }
  return { path, start }
}

/** What it said, and how it ended. */
const resultOf = async (child: ChildProcess): Promise<{ said: string; ended: unknown }> => {
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended: unknown = await within(once(child, 'close'), { what: 'prepare to end' })
  return { said, ended }
}

t.test('what was built to be installed elsewhere is not removed', async t => {
  const { path, start } = makeCheckout(t, installs)
  const folder = manifest.scripts['release']?.split(' ').at(-1) ?? ''
  mkdirSync(path(folder), { recursive: true })
  writeFileSync(path(`${folder}/one.deb`), '')
  t.strictSame((await resultOf(start())).ended, [0, null])
  t.ok(existsSync(path('dist/pg-replstatus.js')), 'built')
  t.ok(existsSync(path(`${folder}/one.deb`)), 'kept')
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  t.match(readme, `\`${folder}/\``)
})

t.test('a signal reaches npm, and its end is waited for', async t => {
  const { path, start } = makeCheckout(
    t,
    `trap 'rm node_modules/half; touch signalled; exit 1' INT
mkdir -p node_modules && touch node_modules/half
while :; do sleep 0.05; done`,
  )
  const child = start()
  await until(() => existsSync(path('node_modules/half')), { what: 'npm to begin' })
  const result = resultOf(child)
  child.kill('SIGINT')
  const { said, ended } = await result
  t.strictSame(ended, [null, 'SIGINT'])
  t.ok(existsSync(path('signalled')))
  t.notOk(existsSync(path('node_modules/half')), 'npm was done')
  t.match(said, /prepare: installing packages with npm ci, about \d+ MB in node_modules\n/)
  t.match(said, 'prepare: interrupted, waiting for what is running\n')
  t.notMatch(said, 'failed')
})

t.test('it ends npm and itself when the program that started it is killed', async t => {
  const waits = 'echo $$ >started.new; mv started.new started; while :; do sleep 0.05; done'
  const { path, start } = makeCheckout(t, waits)
  const child = start({ through: ['/bin/sh', '-c', '"$@" & echo $! >prepare; wait', 'sh'] })
  await until(() => existsSync(path('started')), { what: 'npm to begin' })
  const [npm, prepare] = ['started', 'prepare'].map(name =>
    Number(readFileSync(path(name), 'utf8')),
  )
  const result = resultOf(child)
  child.kill('SIGKILL')
  t.match((await result).said, 'prepare: interrupted')
  t.notOk(isRunning(npm ?? 0) || isRunning(prepare ?? 0))
})

/** A zombie, which nobody may wait for in a container, has no arguments. */
const isRunning = (pid: number): boolean => {
  const path = `/proc/${pid}/cmdline`
  return existsSync(path) && readFileSync(path, 'utf8') !== ''
}

t.test('an npm that does not end is killed, with what it has started', async t => {
  const { path, start } = makeCheckout(
    t,
    `trap '' INT
sleep 60 & echo $! >started.new
mv started.new started
wait; wait`,
  )
  const child = start()
  await until(() => existsSync(path('started')), { what: 'npm to begin' })
  const sleeper = Number(readFileSync(path('started'), 'utf8'))
  child.kill('SIGINT')
  t.strictSame((await resultOf(child)).ended, [null, 'SIGINT'])
  t.notOk(isRunning(sleeper))
})

t.test('half an installation is removed before the next', async t => {
  const { path, start } = makeCheckout(
    t,
    `[ -e node_modules ] && { echo 'npm error ENOTEMPTY' >&2; exit 1; }\n${installs}`,
  )
  mkdirSync(path('node_modules/half'), { recursive: true })
  t.strictSame((await resultOf(start())).ended, [0, null])
  t.notOk(existsSync(path('node_modules/half')))
})

t.test('npm is given a second chance if others wrote there meanwhile, and no third', async t => {
  const stumbles = "mkdir node_modules; echo 'npm error code ENOTEMPTY' >&2; exit 1"
  const { path, start } = makeCheckout(
    t,
    `echo run >>runs; [ $(wc -l <runs) -eq 1 ] && { ${stumbles}; }\n${installs}`,
  )
  t.strictSame((await resultOf(start())).ended, [0, null])
  t.equal(readFileSync(path('runs'), 'utf8'), 'run\nrun\n')
  const always = makeCheckout(t, `echo run >>runs; ${stumbles}`)
  const { said, ended } = await resultOf(always.start())
  t.strictSame(ended, [1, null])
  t.match(said, 'installing packages with npm ci failed with exit code 1\nnpm error code ENOTEMPTY')
  t.equal(readFileSync(always.path('runs'), 'utf8'), 'run\nrun\n')
})

const asRoot = needRoot()
for (const folder of ['dist', '.build', 'node_modules']) {
  t.test(`what root has left in ${folder} is named in one line`, asRoot.options, async t => {
    const { path, start } = makeCheckout(t, installs)
    const { uid, gid } = serverUser()
    const made = ['src', 'node_modules', 'node_modules/typescript']
    for (const name of ['dist', '.build', ...made]) {
      mkdirSync(path(name), { recursive: true })
      chownSync(path(name), uid, gid)
    }
    writeFileSync(path('node_modules/.package-lock.json'), '')
    chownSync(path('node_modules/.package-lock.json'), uid, gid)
    chownSync(path(folder), 0, 0)
    writeFileSync(path(`${folder}/file`), '')
    const args = folder === '.build' ? ['tools'] : []
    const { said, ended } = await resultOf(start({ args, lent: true }))
    t.strictSame(ended, [1, null])
    const [line = '', ...more] = said
      .split('\n')
      .filter(text => !/^prepare: (installing|building)/.test(text))
    t.strictSame(more, [''])
    t.match(
      line,
      `prepare: could not replace ${path(folder)}, which belongs to root: run sudo chown`,
    )
    t.ok(line.includes(`-R ${uid} '${path(folder)}', or sudo rm -rf '${path(folder)}'`), line)
  })
}

t.test('a checkout of another user is named', asRoot.options, async t => {
  const { path, start } = makeCheckout(t, installs)
  chownSync(path('.'), 0, 0)
  chmodSync(path('.'), 0o755)
  const { said, ended } = await resultOf(start({ lent: true }))
  t.strictSame(ended, [1, null])
  t.match(said, /prepare: could not write to \S+, which belongs to root: run this as that user/)
})
