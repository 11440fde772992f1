/**
 * A data directory with something that looks like its server: files made up, and live processes
 * that have the names and the working directory of PostgreSQL's, and sleep. No PostgreSQL needed.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { ClusterState } from '../../src/facts/decode/control-file.ts'
import { forgeControlFile, layoutOfVersion } from './control-file-builder.ts'
import { temporaryFolder } from './left-overs.ts'
import { serverUser } from './server-user.ts'
import { until, within } from './until.ts'

const version = '16'

/** What must be cleaned up: a tap test. */
type Owner = { readonly teardown: (action: () => unknown) => unknown }

/**
 * An empty directory that belongs to the server user. Not t.testdir(): that belongs to root when
 * root tests, and may lie where nobody else can go.
 */
export const makeServerFolder = (owner: Owner): string => {
  const folder = temporaryFolder()
  owner.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { uid, gid } = serverUser()
  chownSync(folder, uid, gid)
  return folder
}

/** A data directory as a stopped server leaves it behind; PostgreSQL gives it mode 0700. */
export const forgeDataDirectory = (owner: Owner, state: ClusterState = 'in production'): string => {
  const folder = makeServerFolder(owner)
  chmodSync(folder, 0o755)
  const directory = join(folder, 'data')
  mkdirSync(directory)
  mkdirSync(join(directory, 'global'))
  writeFileSync(join(directory, 'PG_VERSION'), `${version}\n`)
  forgeState(directory, state)
  give(directory, join(directory, 'global'), join(directory, 'PG_VERSION'))
  chmodSync(directory, 0o700)
  return directory
}

export const forgeState = (directory: string, state: ClusterState): void =>
  placeControlFile(directory, forgeControlFile(layoutOfVersion(version), { state }))

/** In place, as a server writes it. */
export const placeControlFile = (directory: string, bytes: Uint8Array): void => {
  const path = join(directory, 'global', 'pg_control')
  writeFileSync(path, bytes, { flag: existsSync(path) ? 'r+' : 'w' })
  give(path)
}

const give = (...paths: readonly string[]): void => {
  const { uid, gid } = serverUser()
  for (const path of paths) chownSync(path, uid, gid)
}

const titles = {
  primary: ['postgres: checkpointer ', 'postgres: walwriter '],
  standby: ['postgres: checkpointer ', 'postgres: startup recovering 000000010000000000000003'],
} as const

export type StandIn = {
  readonly directory: string
  readonly pid: number
  readonly kill: () => Promise<void>
}

/** Starts a server of this role, or what looks like one, and waits until it is complete. */
export const startStandIn = async (
  owner: Owner,
  role: keyof typeof titles,
  directory = forgeDataDirectory(
    owner,
    role === 'primary' ? 'in production' : 'in archive recovery',
  ),
): Promise<StandIn> => {
  const folder = makeServerFolder(owner)
  // The kernel names a process after the path that was executed.
  symlinkSync('/bin/bash', join(folder, 'postgres'))
  const script = 'for title; do (exec -a "$title" sleep 300) & done; wait'
  const child = spawn(join(folder, 'postgres'), ['-c', script, 'postgres', ...titles[role]], {
    cwd: directory,
    stdio: 'ignore',
    detached: true,
    ...serverUser(),
  })
  const kill = (): Promise<void> => killGroup(child)
  owner.teardown(kill)
  await within(once(child, 'spawn'), { what: 'a stand-in', limitMs: 30_000 })
  const pid = child.pid ?? 0
  await until(() => childTitles(pid).join() === [...titles[role]].toSorted().join(), {
    what: `the children of a stand-in for a ${role}`,
    limitMs: 30_000,
  })
  writeLockFile(directory, pid)
  return { directory, pid, kill }
}

const killGroup = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = once(child, 'exit')
  process.kill(-child.pid, 'SIGKILL')
  await within(gone, { what: 'the end of a stand-in', limitMs: 30_000 })
}

const childTitles = (pid: number): readonly string[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()
  return (children === '' ? [] : children.split(' '))
    .map(child => readFileSync(`/proc/${child}/cmdline`, 'latin1').split('\0', 1).join(''))
    .toSorted()
}

/** Written a while after the children were born, as by a server that has been ready since. */
export const writeLockFile = (directory: string, pid: number): void => {
  const path = join(directory, 'postmaster.pid')
  const started = Math.floor(Date.now() / 1000)
  const lines = [pid, directory, started, 5432, '/tmp', '*', '  1234567         7', 'ready   ']
  writeFileSync(path, `${lines.join('\n')}\n`)
  utimesSync(path, started + 1, started + 1)
  give(path)
}
