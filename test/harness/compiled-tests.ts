/** Compiled tests, run as processes of their own with other programs first on the path. */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { toolEnvironment } from './programs.ts'
import { repositoryRoot } from './repository.ts'

export const compiledTests = join(repositoryRoot(), '.build/test')

/** Most take seconds, and much longer on a machine that has much else to do. */
const limitSeconds = 300

/** With these programs first. */
export const pathWith = (binaries: string): string =>
  `${binaries}${delimiter}${process.env['PATH'] ?? ''}`

export type CompiledTest = {
  /** Default: that of ourselves. */
  readonly node?: string
  /** The folder with the programs. */
  readonly binaries: string
  /** Below `compiledTests`. */
  readonly test: string
}

/** Without what passed. */
const failuresOf = (tap: string): string => tap.replaceAll(/^ *(?:ok |1\.\.|# |\n).*\n?/gm, '')

/** Null when it passed, else what it said. */
const run = async ({ node, binaries, test }: CompiledTest): Promise<string | null> =>
  new Promise((resolve, reject) => {
    const child = spawn(node ?? process.execPath, [join(compiledTests, test)], {
      cwd: repositoryRoot(),
      env: {
        ...toolEnvironment(),
        PATH: pathWith(binaries),
        TAP_TIMEOUT: String(limitSeconds),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: (limitSeconds + 30) * 1000,
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

/** Those that failed, each told as soon as it has. As many at once as there are processors. */
export const runCompiledTests = async <Test extends CompiledTest>(
  tests: readonly Test[],
  tell: (test: Test, said: string) => void,
): Promise<readonly Test[]> => {
  const waiting = [...tests]
  const failed: Test[] = []
  const work = async (): Promise<void> => {
    for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) {
      const said = await run(test)
      if (said === null) continue
      failed.push(test)
      tell(test, said)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return failed
}
