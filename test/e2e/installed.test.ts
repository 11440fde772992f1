/**
 * What people install: the package of npm and that of Debian, in places of their own.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { wireWords } from '../../src/serve/reply.ts'
import { startDaemon } from '../harness/daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { runProgram, serverEnvironment, toolEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { makeServerFolder, startStandIn } from '../harness/stand-in.ts'

// Both npm and lintian take their time.
t.setTimeout(300_000)

const root = repositoryRoot()
const dpkgDeb = needProgram('dpkg-deb')
const lintian = needProgram('lintian')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
}

/** Nothing but Node, the shell and what they print. */
const run = (program: string, args: readonly string[]): string =>
  execFileSync(program, args, { cwd: '/', env: serverEnvironment(), encoding: 'utf8' })

/** Files and links below a folder, with their paths from there. */
const list = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted()

/** It answers for a server, from wherever it was put. */
const answersFrom = async (t: Test, program: string): Promise<void> => {
  t.equal(run(program, ['--version']), `pg-replstatus ${version}\n`)
  const { directory } = await startStandIn(t, 'primary')
  const daemon = await startDaemon({ dataDirectory: directory, program })
  t.teardown(daemon.stop)
  await daemon.answers(wireWords.primary)
  const [first] = daemon.log()
  t.match(first, / notice: (started|privileges dropped) /, 'and Node has nothing to warn of')
}

/** What both packages have for people to read and to take. */
const forPeople = [
  'README.md',
  'fixtures/Dockerfile',
  'fixtures/consul-script-check.json',
  'fixtures/consul-service.json',
  'fixtures/decision-table.txt',
  'fixtures/docs/agent-check.md',
  'fixtures/docs/costs.md',
  'fixtures/docs/http.md',
  'fixtures/docs/metrics.md',
  'fixtures/docs/on-change.md',
  'fixtures/docs/options.md',
  'fixtures/docs/recipes.md',
  'fixtures/docs/referee.md',
  'fixtures/docs/several-clusters.md',
  'fixtures/docs/status-json.md',
  'fixtures/grafana-dashboard.json',
  'fixtures/haproxy-agent.cfg',
  'fixtures/haproxy-http.cfg',
  'fixtures/haproxy.cfg',
  'fixtures/keepalived.conf',
  'fixtures/kubernetes-sidecar.yml',
  'fixtures/nagios.cfg',
  'fixtures/prometheus-rules.yml',
  'fixtures/systemd/pg-replstatus.service',
  'fixtures/systemd/pg-replstatus@.service',
  'fixtures/systemd/pg-replstatus@.socket',
]

t.test('the package of npm installs without a network and without scripts', async t => {
  // Where whoever the daemon becomes may read it.
  const folder = makeServerFolder(t)
  execFileSync('chmod', ['755', folder])
  const npm = (args: readonly string[]): Promise<string> =>
    runProgram({ program: 'npm', args, cwd: root, environment: toolEnvironment() })
  // Its script would build the program anew, under the feet of other tests.
  const packed = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder])
  const [{ filename, files }] = JSON.parse(packed) as [
    { filename: string; files: readonly { path: string }[] },
  ]
  const expected = [
    ...forPeople,
    'LICENSE',
    'dist/completions/pg-replstatus.bash',
    'dist/pg-replstatus.1',
    'dist/pg-replstatus.js',
    'package.json',
  ]
  t.strictSame(files.map(({ path }) => path).toSorted(), expected.toSorted())
  const prefix = join(folder, 'prefix')
  const quiet = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund']
  await npm(['install', '--global', '--prefix', prefix, ...quiet, join(folder, filename)])
  t.strictSame(readdirSync(join(prefix, 'lib/node_modules')), ['pg-replstatus'])
  t.match(realpathSync(join(prefix, 'share/man/man1/pg-replstatus.1')), 'dist/pg-replstatus.1')
  await answersFrom(t, join(prefix, 'bin/pg-replstatus'))
})

/** The package of Debian, made in a folder of its own. */
const makeDeb = (t: Test): string => {
  const folder = makeServerFolder(t)
  const args = [join(root, 'test/harness/deb.js'), folder]
  return run(process.execPath, args).trimEnd()
}

const inDeb = [
  'usr/lib/systemd/system/pg-replstatus.service',
  'usr/lib/systemd/system/pg-replstatus@.service',
  'usr/lib/systemd/system/pg-replstatus@.socket',
  'usr/bin/pg-replstatus',
  'usr/lib/pg-replstatus/package.json',
  'usr/lib/pg-replstatus/pg-replstatus.js',
  'usr/share/bash-completion/completions/pg-replstatus',
  ...forPeople.map(path => `usr/share/doc/pg-replstatus/${path}`),
  'usr/share/doc/pg-replstatus/changelog.gz',
  'usr/share/doc/pg-replstatus/copyright',
  'usr/share/man/man1/pg-replstatus.1.gz',
].toSorted()

t.test('the package of Debian is the same whenever it is made', dpkgDeb.options, async t => {
  const [one, two] = [makeDeb(t), makeDeb(t)]
  t.ok(readFileSync(one).equals(readFileSync(two)))
  const fields = run(dpkgDeb.get(), ['--field', one])
  t.match(fields, new RegExp(`^Version: ${version.replaceAll('.', '\\.')}$`, 'm'))
  t.match(fields, /^Architecture: all$/m)
  t.match(fields, /^Depends: nodejs \(>= 20\.19\)$/m)
  const entries = run(dpkgDeb.get(), ['--contents', one]).trimEnd().split('\n')
  t.strictSame(
    entries.filter(line => !/^[-dl](?:rwxr-xr-x|rw-r--r--|rwxrwxrwx) root\/root /.test(line)),
    [],
  )
  const folder = join(makeServerFolder(t), 'unpacked')
  run(dpkgDeb.get(), ['--extract', one, folder])
  t.strictSame(list(folder), inDeb)
})

t.test('lintian has nothing against it', lintian.options, async t => {
  const args = ['--allow-root', '--fail-on', 'error,warning', '--tag-display-limit', '0']
  const said = run(lintian.get(), [...args, makeDeb(t)])
  t.strictSame(
    said.split('\n').filter(line => /^[EW]: /.test(line)),
    [],
  )
})

const isRoot = process.geteuid?.() === 0
const fakeroot = isRoot ? null : needProgram('fakeroot')
const toInstall = dpkgDeb.options.skip === false ? (fakeroot ?? dpkgDeb) : dpkgDeb

t.test('it is installed, runs, and is removed without a trace', toInstall.options, async t => {
  const folder = makeServerFolder(t)
  execFileSync('chmod', ['755', folder])
  const system = join(folder, 'root')
  const own = ['var/lib/dpkg/info', 'var/lib/dpkg/updates', 'var/log']
  for (const path of own) mkdirSync(join(system, path), { recursive: true })
  writeFileSync(join(system, 'var/lib/dpkg/status'), '')
  const dpkg = (...args: readonly string[]): string => {
    const forced = ['--force-depends', ...(isRoot ? [] : ['--force-not-root'])]
    const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`
    const env = { ...serverEnvironment(), PATH }
    const fake = fakeroot === null ? [] : [fakeroot.get()]
    const [program = '', ...rest] = [...fake, 'dpkg', `--root=${system}`, ...forced, ...args]
    return execFileSync(program, rest, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
  const others = (): readonly string[] =>
    list(system).filter(path => !path.startsWith('var/lib/dpkg/') && path !== 'var/log/dpkg.log')
  dpkg('--install', makeDeb(t))
  t.strictSame(others(), inDeb)
  t.equal(dpkg('--verify', 'pg-replstatus'), '')
  await answersFrom(t, join(system, 'usr/bin/pg-replstatus'))
  dpkg('--purge', 'pg-replstatus')
  t.strictSame(others(), [])
  t.strictSame(readdirSync(system), ['var'], 'not even a folder')
})
