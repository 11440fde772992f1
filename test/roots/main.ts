/**
 * The release as an operator installs it: on releases of Debian and Ubuntu made of their packages,
 * under their own systemd, beside their own PostgreSQL. As root only. What cannot be had or booted
 * here is told loudly, and is no failure.
 *
 *   npm run roots
 */
import { copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { version } from '../../src/cli/output/version.ts'
import { bootRoot, type BootedRoot } from '../harness/booted-root.ts'
import { temporaryFolder } from '../harness/left-overs.ts'
import { nodeBinaries, supportedNodes } from '../harness/node-binaries.ts'
import { packagedRoot, versionInRoot, type Release } from '../harness/packaged-root.ts'
import { runProgram, toolEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { oneFileSteps, packageSteps, preamble, type Step } from './steps.ts'

const releases: readonly Release[] = [
  { label: 'Debian', number: '12', name: 'bookworm', components: 'main' },
  { label: 'Debian', number: '13', name: 'trixie', components: 'main' },
  { label: 'Debian', number: '14 (testing)', name: 'forky', components: 'main' },
  { label: 'Ubuntu', number: '24.04', name: 'noble', components: 'main universe' },
]

const ofSystem = ['systemd', 'systemd-sysv', 'dbus', 'procps', 'netcat-openbsd']
const packages = [...ofSystem, 'nodejs', 'postgresql']

const print = (text: string): void => void process.stdout.write(`${text}\n`)

const run = async (program: string, args: readonly string[]): Promise<string> =>
  runProgram({ program, args, cwd: '/', environment: toolEnvironment(), limitMs: 120_000 })

/** The same package with a lower version, in all places where it is told. */
const makeEarlier = async (folder: string): Promise<void> => {
  const unpacked = join(folder, 'unpacked')
  await run('dpkg-deb', ['--raw-extract', join(folder, 'now.deb'), unpacked])
  const installed = 'usr/lib/pg-replstatus'
  for (const name of ['DEBIAN/control', `${installed}/pg-replstatus.js`]) {
    const text = await readFile(join(unpacked, name), 'latin1')
    const changed = text.replace(version, `${version}~before`)
    if (changed === text) throw new Error(`no version in ${name}`)
    await writeFile(join(unpacked, name), changed, 'latin1')
  }
  await run('dpkg-deb', ['--root-owner-group', '--build', unpacked, join(folder, 'before.deb')])
  await rm(unpacked, { recursive: true })
}

/** What comes to the host of the server, and to all of them the same. */
const makeFiles = async (folder: string): Promise<void> => {
  const made = join(folder, 'made')
  await run(process.execPath, [join(repositoryRoot(), 'src/build/release.js'), made])
  await copyFile(join(made, `pg-replstatus_${version}_all.deb`), join(folder, 'now.deb'))
  await copyFile(join(made, `pg-replstatus-${version}.js`), join(folder, 'pg-replstatus.js'))
  await rm(made, { recursive: true })
  await cp(join(repositoryRoot(), 'fixtures/systemd'), join(folder, 'systemd'), { recursive: true })
  // Later ones need another package of the system.
  const node = supportedNodes.find(one => one.startsWith('24.')) ?? ''
  await copyFile(join(await nodeBinaries(node), 'node'), join(folder, 'node'))
  await makeEarlier(folder)
}

const wrongWith = ({ says, never, code: wanted = 0 }: Step, said: string, code: number | null) => {
  if (code !== wanted) return `exit code ${code} instead of ${wanted}`
  if (says?.test(said) === false) return `it should have said ${says}`
  return never?.test(said) === true ? `it should not have said ${never}` : null
}

/** Each step needs those before it. */
const playSteps = async (root: BootedRoot, steps: readonly Step[], of: string) => {
  for (const step of steps) {
    const { code, out } = await root.run(preamble + step.script)
    const said = out.trimEnd()
    const wrong = wrongWith(step, said, code)
    print(`${of}: ${wrong === null ? 'ok' : 'FAILED'}: ${step.what}`)
    if (wrong !== null) {
      const { out: journal } = await root.run('journalctl --no-pager --lines=30')
      print(`${wrong}:\n${said}\n${journal}`)
      return false
    }
  }
  return true
}

const isNewEnough = async (node: string): Promise<boolean> => {
  try {
    await run('dpkg', ['--compare-versions', node, 'ge', '20.19'])
    return true
  } catch {
    return false
  }
}

type Place = { readonly of: string; readonly booted: BootedRoot; readonly isNew: boolean }

/** Null if it cannot be had here. */
const open = async (release: Release, folder: string): Promise<Place | null> => {
  const of = `${release.label} ${release.number}`
  try {
    if (process.getuid?.() !== 0) throw new Error('this needs root')
    const root = await packagedRoot(release, packages)
    const systemd = await versionInRoot(root, 'systemd')
    const node = await versionInRoot(root, 'nodejs')
    const postgres = await versionInRoot(root, 'postgresql-[0-9]*')
    print(`${of}: systemd ${systemd}, Node.js ${node}, PostgreSQL ${postgres}`)
    return { of, booted: await bootRoot(root, folder), isNew: await isNewEnough(node) }
  } catch (failure) {
    print(`NOT RUN: ${of}: ${failure instanceof Error ? failure.message : String(failure)}`)
    return null
  }
}

/** Has it failed? */
const play = async (release: Release, folder: string): Promise<boolean> => {
  const place = await open(release, folder)
  if (place === null) return false
  const { of, booted, isNew } = place
  try {
    const passed = await playSteps(booted, isNew ? packageSteps : oneFileSteps, of)
    print(`${of}: ${passed ? 'passed' : 'failed'}`)
    return !passed
  } finally {
    await booted.stop()
  }
}

const folder = temporaryFolder()
try {
  await makeFiles(folder)
  const failed = await Promise.all(releases.map(release => play(release, folder)))
  process.exitCode = failed.includes(true) ? 1 : 0
} finally {
  await rm(folder, { recursive: true, force: true })
}
