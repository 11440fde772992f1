/**
 * A disk that can be made to hang: a file system in user space that shows another directory, and
 * whose process is stopped. Whoever asks it for anything then waits, without end and without an
 * error.
 */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { chown } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster } from '../harness/cluster.ts'
import { spawnLeashed } from '../harness/leash.ts'
import { runProgram } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

const program = '/usr/bin/bindfs'

export const hasHangingDisk = (): boolean => existsSync(program) && existsSync('/dev/fuse')

export type HangingDisk = {
  readonly hang: () => void
  readonly goOn: () => void
  readonly unmount: () => Promise<void>
}

/** Puts it under the data directory of a cluster that is stopped. Nothing is cached on the way. */
export const mountHangingDisk = async (cluster: Cluster): Promise<HangingDisk> => {
  const { dataDirectory, folder, user } = cluster
  const behind = join(folder, 'behind')
  renameSync(dataDirectory, behind)
  mkdirSync(dataDirectory, { mode: 0o700 })
  await chown(dataDirectory, user.uid, user.gid)
  const { dev } = statSync(dataDirectory)
  const uncached = ['attr_timeout=0', 'entry_timeout=0', 'negative_timeout=0', 'allow_other']
  const command = [program, '-f', '-o', uncached.join(','), behind, dataDirectory]
  const server = spawnLeashed(command, { cwd: '/' })
  const isMounted = (): boolean => statSync(dataDirectory).dev !== dev
  await until(isMounted, { what: 'a file system in user space', limitMs: 10_000 })
  return {
    hang: () => void server.kill('SIGSTOP'),
    goOn: () => void server.kill('SIGCONT'),
    unmount: async () => {
      await runProgram({ program: 'umount', args: ['--lazy', dataDirectory], cwd: '/' })
    },
  }
}
