/**
 * Running other people's programs: as the server user, in an environment that holds nothing of
 * ours, for a limited time.
 */
import { execFile } from 'node:child_process'
import type { ServerUser } from './server-user.ts'

/**
 * What a server may know of our environment. An allow list: coverage and test runner variables,
 * PG* and locale settings of whoever runs the tests must not change what a server does.
 */
export const serverEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
})

/** For npm, which needs its own settings and proxies: all but what would turn it into a test. */
export const toolEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS$|NODE_V8_|_?TAP)/.test(name)),
  )

type Program = {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Absent: ourselves. */
  readonly user?: ServerUser
  readonly environment?: NodeJS.ProcessEnv
  readonly limitMs?: number
}

/** Runs to the end and gives back standard output; throws with what it said if it failed. */
export const runProgram = async ({
  program,
  args,
  cwd,
  user,
  environment = serverEnvironment(),
  limitMs = 60_000,
}: Program): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = {
      cwd,
      env: environment,
      timeout: limitMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: 16 * 1024 * 1024,
      ...user,
    }
    execFile(program, args, options, (failure, stdout, stderr) => {
      if (failure === null) return resolve(stdout)
      const why = failure.killed === true ? `took longer than ${limitMs} ms` : failure.message
      reject(new Error(`${why}\n${stdout}${stderr}`.trimEnd(), { cause: failure }))
    })
  })
