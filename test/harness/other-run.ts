/** Other runs of tests or of the demo, which are killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { cleared } from './daemon.ts'
import { temporaryFolder } from './left-overs.ts'
import { within } from './until.ts'

/** A folder that is removed with all that is in it. */
export const scratchFolder = (t: Test): string => {
  const folder = temporaryFolder()
  t.teardown(async () => {
    const removal = spawn('rm', ['-rf', folder], { stdio: 'ignore' })
    await once(removal, 'exit')
  })
  return folder
}

export type Other = {
  readonly said: string
  readonly kill: () => Promise<void>
  /** Asks it to end, and waits for that. */
  readonly end: () => Promise<void>
}

/** Another run: runs `code` of a module, and lives on when it has printed a line. */
export const startRun = async (
  t: Test,
  code: string,
  environment: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): Promise<Other> => {
  const program = [...through, process.execPath, '--input-type=module', '-e', code]
  const child: ChildProcess = spawn('env', [...cleared(environment), ...program], {
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const ended = once(child, 'exit')
  const kill = async (): Promise<void> => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL')
    } catch {
      // All of it has ended.
    }
    await within(ended, { what: 'a run to be killed' })
  }
  t.teardown(kill)
  const [chunk] = (await within(once(child.stdout ?? child, 'data'), { what: 'a run' })) as [Buffer]
  const end = async (): Promise<void> => {
    child.stdin?.end('end')
    await within(ended, { what: 'a run to end' })
  }
  return { said: chunk.toString().trim(), kill, end }
}
