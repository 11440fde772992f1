/**
 * What people install, in places of its own: the program alone, the package of npm and that of
 * Debian, and what tells what is inside.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { realpathSync, rmdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { wireWords } from '../../src/serve/role/reply.ts'
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

/** Nothing but Node, the shell and what they print; tap adds to what it starts itself. */
const run = (program: string, args: readonly string[]): string => {
  const environment = Object.entries(serverEnvironment())
  const cleared = ['-i', ...environment.map(([name, value]) => `${name}=${value}`)]
  return execFileSync('env', [...cleared, program, ...args], { cwd: '/', encoding: 'utf8' })
}

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
  'fixtures/docs/answers.md',
  'fixtures/docs/cluster.md',
  'fixtures/docs/commands.md',
  'fixtures/docs/contributing.md',
  'fixtures/docs/costs.md',
  'fixtures/docs/haproxy.md',
  'fixtures/docs/http.md',
  'fixtures/docs/limits.md',
  'fixtures/docs/metrics.md',
  'fixtures/docs/on-change.md',
  'fixtures/docs/options.md',
  'fixtures/docs/recipes.md',
  'fixtures/docs/referee.md',
  'fixtures/docs/security.md',
  'fixtures/docs/several-clusters.md',
  'fixtures/docs/status-json.md',
  'fixtures/docs/systemd.md',
  'fixtures/grafana-dashboard.json',
  'fixtures/haproxy-3.1.cfg',
  'fixtures/haproxy-3.4.cfg',
  'fixtures/haproxy-agent.cfg',
  'fixtures/haproxy-http.cfg',
  'fixtures/haproxy.cfg',
  'fixtures/keepalived.conf',
  'fixtures/kubernetes-sidecar.yml',
  'fixtures/nagios.cfg',
  'fixtures/peers-table.txt',
  'fixtures/pictures/architecture.svg',
  'fixtures/pictures/cluster-page-dark.png',
  'fixtures/pictures/cluster-page.png',
  'fixtures/pictures/demo-still.svg',
  'fixtures/pictures/demo.svg',
  'fixtures/pictures/failover.svg',
  'fixtures/prometheus-rules.yml',
  'fixtures/systemd/pg-replstatus.service',
  'fixtures/systemd/pg-replstatus@.service',
  'fixtures/systemd/pg-replstatus@.socket',
]

const [deb, npmPackage, program, bill] = [
  `pg-replstatus_${version}_all.deb`,
  `pg-replstatus-${version}.tgz`,
  `pg-replstatus-${version}.js`,
  `pg-replstatus-${version}.cdx.json`,
]

const npm = (args: readonly string[]): Promise<string> =>
  runProgram({ program: 'npm', args, cwd: root, environment: toolEnvironment() })

/** Where whoever the daemon becomes may read it. */
const makeFolder = (t: Test): string => {
  const folder = makeServerFolder(t)
  execFileSync('chmod', ['755', folder])
  return folder
}

/**
 * All that is handed out, in a folder of its own. What npm would do before it would build the
 * program anew, under the feet of other tests.
 */
const makeRelease = async (t: Test): Promise<string> => {
  const folder = join(makeFolder(t), 'release')
  const args = [join(root, 'src/build/release.js'), folder]
  await runProgram({ program: process.execPath, args, cwd: '/', environment: toolEnvironment() })
  return folder
}

let made: Promise<string> | null = null
/** The same one for all who only take something from it. */
const theRelease = (): Promise<string> => (made ??= makeRelease(t))

t.test('what is handed out is the same whenever it is made', dpkgDeb.options, async t => {
  const [one, two] = [await theRelease(), await makeRelease(t)]
  const sums = readFileSync(join(one, 'SHA256SUMS'), 'utf8')
  t.equal(readFileSync(join(two, 'SHA256SUMS'), 'utf8'), sums)
  t.strictSame(
    readdirSync(one).toSorted(),
    [deb, npmPackage, program, bill, 'SHA256SUMS'].toSorted(),
  )
  const check = { program: 'sha256sum', args: ['--check', '--strict', 'SHA256SUMS'], cwd: one }
  const checked = await runProgram(check)
  t.strictSame(
    checked.trimEnd().split('\n'),
    [bill, program, npmPackage, deb].map(name => `${name}: OK`),
  )
})

t.test('one file is enough', dpkgDeb.options, async t => {
  const folder = makeFolder(t)
  const installed = join(folder, 'pg-replstatus')
  copyFileSync(join(await theRelease(), program), installed)
  await answersFrom(t, installed)
})

/** The libraries whose licences stand at the end of the program: `NAME VERSION` */
const inside = (): readonly string[] => {
  const text = readFileSync(join(root, 'dist/pg-replstatus.js'), 'utf8')
  const notices = text.slice(text.lastIndexOf('/*\nThis file contains'))
  return Array.from(notices.matchAll(/^(\S+ \d+\.\d+\.\d+)\n\n/gm), ([, name = '']) => name)
}

type Bill = {
  readonly metadata: { readonly component: { readonly name: string; readonly hashes: unknown } }
  readonly components: readonly { readonly name: string; readonly version: string }[]
}

t.test('scanners find a list of the contents', dpkgDeb.options, async t => {
  const libraries = inside()
  t.equal(libraries.length, 3)
  const release = await theRelease()
  const { metadata, components } = JSON.parse(readFileSync(join(release, bill), 'utf8')) as Bill
  t.equal(metadata.component.name, 'pg-replstatus')
  const [sum = ''] = run('sha256sum', [join(release, program)]).split(' ')
  t.strictSame(metadata.component.hashes, [{ alg: 'SHA-256', content: sum }])
  const listed = components.map(({ name, version: of }) => `${name} ${of}`)
  t.strictSame(listed.toSorted(), libraries.toSorted())

  const asked: string[] = []
  const registry = createServer((request, response) => {
    void buffer(request).then(body => {
      const of = JSON.parse(gunzipSync(body).toString('utf8')) as Readonly<
        Record<string, readonly string[]>
      >
      asked.push(...Object.entries(of).map(([name, versions]) => `${name} ${versions.join()}`))
      response.end('{}')
    })
  })
  await new Promise<void>(resolve => {
    registry.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => registry.close())
  const { port } = registry.address() as AddressInfo
  await npm(['audit', '--omit=dev', `--registry=http://127.0.0.1:${port}`])
  t.strictSame(asked.toSorted(), libraries.toSorted(), 'a registry is asked for these alone')
})

t.test('the package of npm installs without a network and without scripts', async t => {
  const folder = makeFolder(t)
  const files = run('tar', ['-tzf', join(await theRelease(), npmPackage)])
    .trimEnd()
    .split('\n')
  const paths = files.map(path => path.replace(/^package\//, ''))
  const ours = paths.filter(path => !path.startsWith('node_modules/'))
  const expected = [
    ...forPeople,
    'LICENSE',
    'dist/completions/pg-replstatus.bash',
    'dist/pg-replstatus.1',
    'dist/pg-replstatus.js',
    'package.json',
  ]
  t.strictSame(ours.toSorted(), expected.toSorted())
  const prefix = join(folder, 'prefix')
  const quiet = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund']
  await npm([
    'install',
    '--global',
    '--prefix',
    prefix,
    ...quiet,
    join(await theRelease(), npmPackage),
  ])
  t.strictSame(readdirSync(join(prefix, 'lib/node_modules')), ['pg-replstatus'])
  const beside = readdirSync(join(prefix, 'lib/node_modules/pg-replstatus/node_modules'))
  const names = inside().map(library => library.replace(/ .*/, ''))
  t.strictSame(beside.filter(name => !name.startsWith('.')).toSorted(), names.toSorted())
  t.match(realpathSync(join(prefix, 'share/man/man1/pg-replstatus.1')), 'dist/pg-replstatus.1')
  await answersFrom(t, join(prefix, 'bin/pg-replstatus'))
})

/** The package of Debian. */
const theDeb = async (): Promise<string> => join(await theRelease(), deb)

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
  'usr/share/doc/pg-replstatus/pg-replstatus.cdx.json',
  'usr/share/lintian/overrides/pg-replstatus',
  'usr/share/man/man1/pg-replstatus.1.gz',
].toSorted()

t.test('the package of Debian belongs to root', dpkgDeb.options, async t => {
  const one = await theDeb()
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
  const said = run(lintian.get(), [...args, await theDeb()])
  t.strictSame(
    said.split('\n').filter(line => /^[EW]: /.test(line)),
    [],
  )
})

/** What an operator writes. */
const settings = ['etc/pg-replstatus.conf', 'etc/pg-replstatus/15-main.conf']

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
    // There is no shell in this root for the scripts.
    const always = ['--force-depends', '--force-script-chrootless']
    const forced = [...always, ...(isRoot ? [] : ['--force-not-root'])]
    const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`
    const env = { ...serverEnvironment(), PATH }
    const fake = fakeroot === null ? [] : [fakeroot.get()]
    const [program = '', ...rest] = [...fake, 'dpkg', `--root=${system}`, ...forced, ...args]
    return execFileSync(program, rest, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
  const others = (): readonly string[] =>
    list(system).filter(path => !path.startsWith('var/lib/dpkg/') && path !== 'var/log/dpkg.log')
  dpkg('--install', await theDeb())
  t.strictSame(others(), inDeb)
  t.equal(dpkg('--verify', 'pg-replstatus'), '')
  await answersFrom(t, join(system, 'usr/bin/pg-replstatus'))
  mkdirSync(join(system, 'etc/pg-replstatus'), { recursive: true })
  for (const name of settings) writeFileSync(join(system, name), '')
  dpkg('--remove', 'pg-replstatus')
  t.strictSame(others(), settings)
  dpkg('--purge', 'pg-replstatus')
  t.strictSame(others(), [])
  rmdirSync(join(system, 'etc'))
  t.strictSame(readdirSync(system), ['var'], 'not even a folder')
})
