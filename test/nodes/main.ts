/**
 * Each Node that the program is for, but the one that runs this: runs the tests that need no more
 * than Node, as they were compiled, and the test of the built program. Each that is too old: has to
 * be refused.
 *
 *   npm run nodes
 */
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { daemonProgram } from '../harness/daemon.ts'
import { nodeBinaries, supportedNodes, tooOldNodes } from '../harness/node-binaries.ts'
import { serverEnvironment, toolEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'

/** A file alone may take 20 s on a machine that has much else to do; the default is 30 s. */
const testLimitSeconds = 120
const fileLimitMs = 300_000

const compiled = join(repositoryRoot(), '.build/test')
const testsIn = (folder: string): readonly string[] =>
  readdirSync(join(compiled, folder))
    .filter(name => name.endsWith('.test.js'))
    .map(name => join(folder, name))
const tests = [...['facts', 'observe', 'serve', 'cli'].flatMap(testsIn), 'e2e/node.test.js']

const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** With this Node first on the path. */
const pathWith = (binaries: string): string => `${binaries}${delimiter}${process.env['PATH'] ?? ''}`

/** Null when it passed, else what it said. */
const runTest = (binaries: string, test: string): Promise<string | null> =>
  new Promise((resolve, reject) => {
    const child = spawn(join(binaries, 'node'), [join(compiled, test)], {
      cwd: repositoryRoot(),
      env: {
        ...toolEnvironment(),
        PATH: pathWith(binaries),
        TAP_TIMEOUT: String(testLimitSeconds),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: fileLimitMs,
      killSignal: 'SIGKILL',
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString()
      })
    }
    child.once('error', reject)
    child.once('close', code => resolve(code === 0 ? null : said))
  })

/** Resolves to the number of tests that failed. */
const runTests = async (version: string): Promise<number> => {
  const binaries = await nodeBinaries(version)
  const began = performance.now()
  const waiting = [...tests]
  let failures = 0
  const work = async (): Promise<void> => {
    for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) {
      const said = await runTest(binaries, test)
      if (said === null) continue
      failures += 1
      print(`${test} failed on Node.js ${version}\n${said}`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  const seconds = Math.round((performance.now() - began) / 1000)
  print(`Node.js ${version}: ${tests.length - failures} of ${tests.length} passed in ${seconds} s`)
  return failures
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

let failed = 0
for (const version of supportedNodes) {
  if (version !== process.versions.node) failed += await runTests(version)
}
for (const version of tooOldNodes) failed += (await isRefused(version)) ? 0 : 1
process.exitCode = failed === 0 ? 0 : 1
