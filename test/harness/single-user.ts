/**
 * `postgres --single`: a server without a postmaster, as an administrator or pg_rewind runs it.
 */
import assert from 'node:assert'
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Site } from './postmaster.ts'
import { logTail } from './postmaster.ts'
import { serverEnvironment } from './programs.ts'
import { within } from './until.ts'

export type SingleUser = {
  readonly pid: number
  /** Ends it as Ctrl-D does: with a checkpoint and a clean shutdown. */
  readonly stop: () => Promise<void>
}

/** Starts it on a cluster that is stopped, and waits for its prompt. */
export const startSingleUser = async (site: Site): Promise<SingleUser> => {
  const log = openSync(site.logFile, 'a')
  const args = ['--single', '-D', site.dataDirectory, 'postgres']
  const child = spawn(join(site.binaries, 'postgres'), args, {
    cwd: site.folder,
    env: serverEnvironment(),
    stdio: ['pipe', 'pipe', log],
    ...site.user,
  })
  closeSync(log)
  const { stdin, stdout } = child
  assert(stdin !== null && stdout !== null, 'both are pipes')
  const exited = new Promise<void>(resolve => void child.once('exit', () => resolve()))
  stdin.on('error', () => undefined)
  const prompted = new Promise<void>((resolve, reject) => {
    let said = ''
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`postgres --single ended\n${logTail(site)}`)))
    stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('backend> ')) resolve()
    })
  })
  await within(prompted, { what: 'the prompt of postgres --single' })
  const stop = async (): Promise<void> => {
    stdin.end()
    await within(exited, { what: 'postgres --single to end' })
  }
  return { pid: child.pid ?? 0, stop }
}
