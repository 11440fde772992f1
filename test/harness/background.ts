/** A program of somebody else's that runs beside a test. */
import type { Test } from 'tap'
import { spawnLeashed } from './leash.ts'
import { serverEnvironment } from './programs.ts'
import type { ServerUser } from './server-user.ts'
import { within } from './until.ts'

export type BackgroundProgram = {
  readonly pid: number
  readonly isRunning: () => boolean
  /** All that it has said on standard error. */
  readonly said: () => string
}

/** Runs until the test ends, which waits for its end after SIGTERM. */
export const startInBackground = (
  t: Test,
  command: readonly string[],
  options: { readonly cwd?: string; readonly user?: ServerUser } = {},
): BackgroundProgram => {
  const child = spawnLeashed(command, { cwd: '/', env: serverEnvironment(), ...options })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = new Promise<void>(resolve => void child.once('close', () => resolve()))
  t.teardown(async () => {
    child.kill('SIGTERM')
    await within(ended, { what: `${command.join(' ')} to end` })
  })
  return {
    pid: child.pid ?? 0,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    said: () => said,
  }
}
