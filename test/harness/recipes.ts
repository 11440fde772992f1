/** What operators copy from fixtures/, and the three servers that every check has to tell apart. */
import { spawn } from 'node:child_process'
import { chmodSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { createCluster, type Cluster } from './cluster.ts'
import { daemonProgram } from './daemon.ts'
import { temporaryFolder } from './left-overs.ts'
import { startPair, type Pair } from './pair.ts'
import { serverEnvironment } from './programs.ts'

/** The data directory that the recipes name. */
export const recipeDirectory = '/var/lib/postgresql/16/main'

/** The text with other words for these, each of which it has to have. */
export const replaceEach = (text: string, changes: Readonly<Record<string, string>>): string =>
  Object.entries(changes).reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`nothing reads ${JSON.stringify(from)}`)
    return changed.replaceAll(from, () => to)
  }, text)

export type Servers = Pair & { readonly stopped: Cluster }

export const startServers = async (t: Test): Promise<Servers> => {
  const stopped = await createCluster({ major: 18 })
  t.teardown(stopped.destroy)
  return { ...(await startPair(t, 18)), stopped }
}

/**
 * The program at a path as packages have it, which files for other programs can name without
 * quotes: that of the checkout may have blanks.
 */
export const installedProgram = (t: Test): string => {
  const folder = temporaryFolder()
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  // Other users run it, and keepalived wants that they can't replace it.
  chmodSync(folder, 0o755)
  const path = join(folder, 'pg-replstatus')
  symlinkSync(daemonProgram(), path)
  return path
}

/** With `pg-replstatus` on the PATH, as after an installation. */
export const installedEnvironment = (t: Test): NodeJS.ProcessEnv => {
  const environment = serverEnvironment()
  return { ...environment, PATH: `${dirname(installedProgram(t))}:${environment['PATH']}` }
}

export type CommandEnd = { readonly code: number | null; readonly out: string }

/** Runs to its end; `out` is standard output and error as they came. */
export const runCommand = async (
  [program = '', ...args]: readonly string[],
  { environment }: { readonly environment: NodeJS.ProcessEnv },
): Promise<CommandEnd> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: '/', env: environment, timeout: 60_000 })
    let out = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        out += chunk.toString()
      })
    }
    child.once('error', reject)
    child.once('close', code => resolve({ code, out }))
  })
