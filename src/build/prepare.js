/**
 * Prepares a checkout: installs the packages, and builds what is missing or older than its sources.
 * It is the first program to run on a fresh clone, so it uses only Node's own modules.
 *
 *   node src/build/prepare.js          the program: dist
 *   node src/build/prepare.js tools    also the tests, the demo and the fixture maker: .build
 *
 * Writes to standard error only, and only if there is something to do: standard output belongs to
 * the program that is started next.
 */
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adviceOnOwners } from './owners.js'
import { writeRooms } from './rooms.js'
import { endInterrupted, interrupted, run } from './steps.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * @typedef {object} Build
 * @property {string} output folder
 * @property {string} program that makes it
 * @property {string[]} args of that program
 * @property {string[]} sources files and folders that the output depends on
 * @property {() => void} [finish] called when the program has succeeded
 */

const compilerInput = ['package.json', 'tsconfig.json', 'node_modules/.package-lock.json']

/** @type {Build} */
const dist = {
  output: 'dist',
  program: 'src/build/bundle.js',
  args: ['dist/pg-replstatus.js'],
  sources: ['src', 'CHANGELOG.md', ...compilerInput],
}

/** @type {Build} */
const tools = {
  output: '.build',
  program: 'node_modules/typescript/bin/tsc',
  args: ['-p', 'test'],
  sources: ['src', 'test', ...compilerInput],
  finish: () => writeRooms(join(root, '.build/test')),
}

/**
 * Stamps are in node_modules, because dist is published as it is, and because a new installation
 * may include another compiler.
 *
 * @param {Build} build
 */
const stampOf = build => join(root, 'node_modules/.cache/pg-replstatus', `${build.output}.stamp`)

/**
 * Path, size and time of each source. The newest time alone would miss a removed file, and a file
 * that was added with an old time.
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

/**
 * Once more if something appears in it meanwhile: what was killed may have left a program running.
 *
 * @param {string} folder
 */
const removeFolder = folder =>
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })

/** @param {Build} build */
const outdated = build => {
  if (!existsSync(join(root, build.output))) return true
  const stamp = stampOf(build)
  return !existsSync(stamp) || readFileSync(stamp, 'utf8') !== fingerprint(build.sources)
}

/** Removed by npm first, so that nothing of value can be in it. */
const packages = join(root, 'node_modules')

/** What an interrupted installation leaves; npm would stumble over it (ENOTEMPTY). */
const halfInstalled = () =>
  existsSync(packages) && !existsSync(join(packages, '.package-lock.json'))

const install = async () => {
  const what = 'installing packages with npm ci'
  const note = ', about 270 MB in node_modules'
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const step = { what, note, program: 'npm', args, cwd: root }
  if (halfInstalled()) removeFolder(packages)
  try {
    await run(step)
  } catch (failure) {
    if (!/ENOTEMPTY/.test(failure.message)) throw failure
    removeFolder(packages)
    await run(step)
  }
}

/** @param {Build} build */
const make = async build => {
  const stamp = stampOf(build)
  // Taken before the compiler reads: files changed meanwhile are built the next time.
  const before = fingerprint(build.sources)
  rmSync(stamp, { force: true })
  // The compiler does not remove the output of a removed source.
  removeFolder(join(root, build.output))
  if (!existsSync(join(root, 'node_modules/typescript'))) {
    throw new Error('TypeScript is not installed: run npm ci without --omit=dev')
  }
  const args = [join(root, build.program), ...build.args]
  await run({ what: `building ${build.output}`, program: process.execPath, args, cwd: root })
  build.finish?.()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, before)
}

/**
 * @param {unknown} failure
 * @returns {string}
 */
const explain = failure => {
  const message = failure instanceof Error ? failure.message : String(failure)
  const denied = /\b(?:EACCES|EPERM|permission denied)\b/i.test(message)
  return (denied && adviceOnOwners(root, ['node_modules', dist.output, tools.output])) || message
}

try {
  if (packagesMissing()) await install()
  const builds = process.argv[2] === 'tools' ? [dist, tools] : [dist]
  // Waits for both, to report the errors of both.
  const results = await Promise.allSettled(builds.filter(outdated).map(make))
  const failed = results.filter(({ status }) => status === 'rejected')
  if (failed.length > 0)
    throw new Error(failed.map(({ reason }) => reason.message).join('\nprepare: '))
} catch (failure) {
  if (!interrupted()) process.stderr.write(`prepare: ${explain(failure)}\n`)
  process.exitCode = 1
}
endInterrupted()
