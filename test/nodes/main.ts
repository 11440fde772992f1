/**
 * Each Node that the program is for, but the one that runs this: runs the tests of all rooms, which
 * need no more than Node, as they were compiled, and the test of the built program. Each that is
 * too old: has to be refused.
 *
 *   npm run nodes
 */
import assert from 'node:assert'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { compiledTests, pathWith, runCompiledTests } from '../harness/compiled-tests.ts'
import { daemonProgram } from '../harness/daemon.ts'
import { nodeBinaries, supportedNodes, tooOldNodes } from '../harness/node-binaries.ts'
import { serverEnvironment } from '../harness/programs.ts'

const roomsIn = (layer: string): readonly string[] =>
  readdirSync(join(compiledTests, layer), { recursive: true, encoding: 'utf8' })
    .filter(name => basename(name) === 'room.js')
    .map(name => join(layer, name))
const tests = [...['observe', 'serve', 'cli', 'facts'].flatMap(roomsIn), 'e2e/node.test.js']
assert(tests.length > 10, `only ${tests.length} rooms of tests`)

const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** Resolves to the number of tests that failed. */
const runTests = async (versions: readonly string[]): Promise<number> => {
  const runs = []
  for (const version of versions) {
    const binaries = await nodeBinaries(version)
    runs.push(...tests.map(test => ({ version, binaries, node: join(binaries, 'node'), test })))
  }
  // All at once, so that no processor waits for the last test of a version.
  const failed = await runCompiledTests(runs, ({ test, version }, said) =>
    print(`${test} failed on Node.js ${version}: ${said}`),
  )
  for (const version of versions) {
    const failures = failed.filter(run => run.version === version).length
    print(`Node.js ${version}: ${tests.length - failures} of ${tests.length} passed`)
  }
  return failed.length
}

/** One line, before anything else, and the exit code for "could not look". */
const isRefused = async (version: string): Promise<boolean> => {
  const env = { ...serverEnvironment(), PATH: pathWith(await nodeBinaries(version)) }
  const { status, stdout, stderr } = spawnSync(daemonProgram(), ['status'], {
    env,
    encoding: 'utf8',
  })
  const refused =
    status === 3 &&
    stdout === '' &&
    /^pg-replstatus: error: Node\.js must be version .*\n$/.test(stderr) &&
    stderr.includes(version)
  print(`Node.js ${version}: ${refused ? 'refused' : `exit code ${status}\n${stdout}${stderr}`}`)
  return refused
}

let failed = await runTests(supportedNodes.filter(version => version !== process.versions.node))
for (const version of tooOldNodes) failed += (await isRefused(version)) ? 0 : 1
process.exitCode = failed === 0 ? 0 : 1
