/**
 * Makes a checkout ready to run: installs the packages and builds what is missing or older than
 * its sources. The first thing that runs on a fresh clone, so it needs nothing but Node.
 *
 *   node test/harness/prepare.js          the program: dist
 *   node test/harness/prepare.js tools    also the tests, the demo and the fixture maker: .build
 *
 * Speaks on standard error only, and only when there is something to do: standard output
 * belongs to the program that is started next.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * @typedef {object} Build
 * @property {string} output folder to make
 * @property {string} program of the packages or ours, that makes it
 * @property {string[]} args what that is given
 * @property {string[]} sources files and folders that the output is made of
 */

const compilerInput = ['package.json', 'tsconfig.json', 'node_modules/.package-lock.json']

/** @type {Build} */
const dist = {
  output: 'dist',
  program: 'test/harness/bundle.js',
  args: ['dist/pg-replstatus.js'],
  sources: [
    'src',
    'test/harness/bundle.js',
    'test/harness/papers.js',
    'test/harness/releases.js',
    'CHANGELOG.md',
    ...compilerInput,
  ],
}

/** @type {Build} */
const tools = {
  output: '.build',
  program: 'node_modules/typescript/bin/tsc',
  args: ['-p', 'test'],
  sources: ['src', 'test', ...compilerInput],
}

/**
 * Stamps lie in node_modules: dist is published as it is, and a new installation may bring
 * another compiler.
 *
 * @param {Build} build
 */
const stampOf = build => join(root, 'node_modules/.cache/pg-replstatus', `${build.output}.stamp`)

/**
 * Path, size and time of each source. A list shows what a newest time does not: a file that is
 * gone, or one that came with an old time.
 *
 * @param {string[]} paths below the root
 * @returns {string}
 */
const fingerprint = paths => paths.map(path => `${fingerprintOf(path)}\n`).join('')

/**
 * @param {string} path
 * @returns {string}
 */
const fingerprintOf = path => {
  const seen = statSync(join(root, path), { throwIfNoEntry: false })
  if (seen === undefined) return `${path} absent`
  if (!seen.isDirectory()) return `${path} ${seen.size} ${seen.mtimeMs}`
  const names = readdirSync(join(root, path)).toSorted()
  return fingerprint(names.map(name => `${path}/${name}`))
}

const packagesMissing = () => {
  const installed = statSync(join(root, 'node_modules/.package-lock.json'), {
    throwIfNoEntry: false,
  })
  const wanted = statSync(join(root, 'package-lock.json'), { throwIfNoEntry: false })
  if (installed === undefined) return true
  return wanted !== undefined && wanted.mtimeMs > installed.mtimeMs
}

/** @param {Build} build */
const outdated = build => {
  if (!existsSync(join(root, build.output))) return true
  const stamp = stampOf(build)
  return !existsSync(stamp) || readFileSync(stamp, 'utf8') !== fingerprint(build.sources)
}

/**
 * Runs a program quietly; what it said is told only when it failed.
 *
 * @param {{ what: string, program: string, args: string[] }} step
 * @returns {Promise<void>}
 */
const run = ({ what, program, args }) =>
  new Promise((resolve, reject) => {
    process.stderr.write(`prepare: ${what}\n`)
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        said += chunk
      })
    }
    child.once('error', failure => reject(new Error(`${what}: ${failure.message}`)))
    child.once('close', code => {
      if (code === 0) resolve()
      else reject(new Error(`${what} failed with exit code ${code}\n${beginning(said)}`))
    })
  })

/**
 * The first error is the one to mend, and npm ends its own with the whole manual.
 *
 * @param {string} said
 */
const beginning = said => said.trimEnd().split('\n').slice(0, 30).join('\n')

const install = async () => {
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  await run({ what: 'installing packages with npm ci', program: 'npm', args })
}

/** @param {Build} build */
const make = async build => {
  const stamp = stampOf(build)
  // Taken before the compiler reads: what changes meanwhile is built the next time.
  const before = fingerprint(build.sources)
  rmSync(stamp, { force: true })
  // The compiler never removes what it made of a source that is gone.
  rmSync(join(root, build.output), { recursive: true, force: true })
  if (!existsSync(join(root, 'node_modules/typescript'))) {
    throw new Error('no compiler among the packages: were they installed without --omit=dev?')
  }
  const args = [join(root, build.program), ...build.args]
  await run({ what: `building ${build.output}`, program: process.execPath, args })
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, before)
}

try {
  if (packagesMissing()) await install()
  const builds = process.argv[2] === 'tools' ? [dist, tools] : [dist]
  // The processors are shared by now, but either error is worth telling.
  const results = await Promise.allSettled(builds.filter(outdated).map(make))
  const failed = results.filter(({ status }) => status === 'rejected')
  if (failed.length > 0)
    throw new Error(failed.map(({ reason }) => reason.message).join('\nprepare: '))
} catch (failure) {
  process.stderr.write(`prepare: ${failure instanceof Error ? failure.message : String(failure)}\n`)
  process.exitCode = 1
}
