/** A postmaster whose parent does not wait for it: once killed it stays a zombie. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../harness/cluster.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { within } from '../harness/until.ts'
import { awaitLogins } from './faults.ts'

export type Unreaped = { readonly reap: () => Promise<void> }

/** A shell looks after its children only when it waits for them, and this one reads first. */
const script = '"$@" & read -r word; wait'

/** Starts the server and waits until it accepts logins. */
export const startUnreaped = async (cluster: Cluster): Promise<Unreaped> => {
  const { binaries, dataDirectory, folder, logFile, user } = cluster
  const log = openSync(logFile, 'a')
  const server = [join(binaries, 'postgres'), '-D', dataDirectory]
  const parent = spawn('/bin/sh', ['-c', script, 'parent', ...server], {
    cwd: folder,
    env: serverEnvironment(),
    stdio: ['pipe', log, log],
    ...user,
  })
  closeSync(log)
  const gone = once(parent, 'exit')
  await awaitLogins(cluster)
  return {
    reap: async () => {
      parent.stdin?.end('reap\n')
      await within(gone, { what: 'the parent of a killed postmaster to reap it' })
    },
  }
}
