/** Downloads that end too early, in a checkout with an npm that stands in for the real one. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { clearDownloads } from '../harness/kept-folder.ts'
import { needRoot } from '../harness/needs.ts'
import { scratchFolder, startRun } from '../harness/other-run.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { serverUser } from '../harness/server-user.ts'
import { until } from '../harness/until.ts'

const compiled = join(repositoryRoot(), '.build')

const makeCheckout = (t: Test) => {
  const folder = scratchFolder(t)
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

t.test('the demo shows what it fetches, and ends npm if it has to end', async t => {
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
