/** The program as a process of its own, run from its sources or from what was compiled of them. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until, within } from './until.ts'

export type MainProcess = {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  /** Waits for what it is to say on standard error. */
  readonly says: (what: string | RegExp) => Promise<void>
  readonly end: () => Promise<{
    readonly exitCode: number | null
    readonly signal: string | null
    readonly out: string
    readonly err: string
  }>
}

type Owner = { readonly teardown: (action: () => unknown) => unknown }

const ending = extname(import.meta.filename)
const main = fileURLToPath(new URL(`../../src/cli/main${ending}`, import.meta.url))

/** What loads TypeScript takes two seconds, and compiled code does without it. */
const loaders = ending === '.ts' ? process.execArgv : []

/** Starting takes a second under tap, and much longer while other tests run. */
const limitMs = 60_000

/**
 * `changesUser` for a process that is not root for long: it could not write down its coverage,
 * which goes where only root may write, and would die of that.
 */
export const startMain = (
  owner: Owner,
  args: readonly string[],
  {
    environment = {},
    stdio = 'pipe',
    changesUser = false,
  }: {
    readonly environment?: Readonly<Record<string, string>>
    readonly stdio?: StdioOptions
    readonly changesUser?: boolean
  } = {},
): MainProcess => {
  const covers = !(changesUser && process.geteuid?.() === 0)
  const nodeOptions = loaders.filter(option => covers || !option.includes('processinfo'))
  const command = [process.execPath, ...nodeOptions, main, ...args]
  // tap adds its own to the environment of every child, where env takes it out again.
  const unset = covers ? [] : ['-u', 'NODE_OPTIONS']
  const env = { ...cleanEnvironment(), ...environment }
  const child = spawn('env', [...unset, ...command], { stdio, env })
  owner.teardown(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout?.on('data', chunk => {
    out += String(chunk)
  })
  child.stderr?.on('data', chunk => {
    err += String(chunk)
  })
  const closed = once(child, 'close')
  return {
    child,
    out: () => out,
    err: () => err,
    says: what =>
      until(() => (typeof what === 'string' ? err.includes(what) : what.test(err)), {
        what: `the program to say ${String(what)}`,
        limitMs,
      }),
    end: async () => {
      await within(closed, { what: 'the program to end', limitMs })
      return { exitCode: child.exitCode, signal: child.signalCode, out, err }
    },
  }
}

/** Without what the tester may have set for servers and for us. */
const cleanEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(PG|JOURNAL_STREAM$)/.test(name)),
  )
