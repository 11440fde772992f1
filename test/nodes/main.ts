/**
 * Each Node that the program is for, but the one that runs this: runs the tests of all rooms, which
 * need no more than Node, as they were compiled, and the test of the built program. Each that is
 * too old: has to be refused.
 *
 *   npm run nodes
 */
import assert from 'node:assert'
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { daemonProgram } from '../harness/daemon.ts'
import { nodeBinaries, supportedNodes, tooOldNodes } from '../harness/node-binaries.ts'
import { serverEnvironment, toolEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'

/** Most rooms take seconds, and much longer on a machine that has much else to do. */
const roomLimitSeconds = 300

const compiled = join(repositoryRoot(), '.build/test')
const roomsIn = (layer: string): readonly string[] =>
  readdirSync(join(compiled, layer), { recursive: true, encoding: 'utf8' })
    .filter(name => basename(name) === 'room.js')
    .map(name => join(layer, name))
const tests = [...['observe', 'serve', 'cli', 'facts'].flatMap(roomsIn), 'e2e/node.test.js']
assert(tests.length > 10, `only ${tests.length} rooms of tests`)

const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** With this Node first on the path. */
const pathWith = (binaries: string): string => `${binaries}${delimiter}${process.env['PATH'] ?? ''}`

type Run = { readonly version: string; readonly test: string }

/** Without what passed. */
const failuresOf = (tap: string): string => tap.replaceAll(/^ *(?:ok |1\.\.|# |\n).*\n?/gm, '')

/** Null when it passed, else what it said. */
const runTest = async ({ version, test }: Run): Promise<string | null> => {
  const binaries = await nodeBinaries(version)
  return new Promise((resolve, reject) => {
    const child = spawn(join(binaries, 'node'), [join(compiled, test)], {
      cwd: repositoryRoot(),
      env: {
        ...toolEnvironment(),
        PATH: pathWith(binaries),
        TAP_TIMEOUT: String(roomLimitSeconds),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: (roomLimitSeconds + 30) * 1000,
      killSignal: 'SIGKILL',
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString()
      })
    }
    child.once('error', reject)
    child.once('close', (code, signal) => {
      resolve(code === 0 ? null : `exit code ${code ?? signal}\n${failuresOf(said)}`)
    })
  })
}

/** Resolves to the number of tests that failed. */
const runTests = async (versions: readonly string[]): Promise<number> => {
  // All at once, so that no processor waits for the last test of a version.
  const waiting = versions.flatMap(version => tests.map((test): Run => ({ version, test })))
  const failed: Run[] = []
  const work = async (): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      const said = await runTest(run)
      if (said === null) continue
      failed.push(run)
      print(`${run.test} failed on Node.js ${run.version}: ${said}`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
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
