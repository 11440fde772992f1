/** A process that does nothing, as the server's user: somebody whose pid a lock file may name. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Cluster } from '../harness/cluster.ts'
import { serverEnvironment } from '../harness/programs.ts'

export type Sleeper = { readonly pid: number; readonly end: () => Promise<void> }

const secondsMax = '60'

export const startSleeper = async (
  { user }: Cluster,
  { cwd }: { readonly cwd: string },
): Promise<Sleeper> => {
  const options = { cwd, env: serverEnvironment(), stdio: 'ignore', ...user } as const
  const child = spawn('sleep', [secondsMax], options)
  await once(child, 'spawn')
  const gone = once(child, 'exit')
  return {
    pid: child.pid ?? 0,
    end: async () => {
      child.kill()
      await gone
    },
  }
}
