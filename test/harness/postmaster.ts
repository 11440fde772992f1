/**
 * A postmaster as a child of ours: reaped the moment it dies, so that a killed server does not
 * linger as a zombie unless a test wants one.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { serverEnvironment } from './programs.ts'
import type { ServerUser } from './server-user.ts'
import { acceptsLogins } from './session.ts'
import { until } from './until.ts'

/** Where one cluster is and what runs it. */
export type Site = {
  readonly major: number
  readonly binaries: string
  readonly user: ServerUser
  /** Made and removed by the harness; holds the data directory and the log. */
  readonly folder: string
  readonly dataDirectory: string
  readonly logFile: string
  readonly port: number
}

export type Postmaster = {
  readonly pid: number
  readonly running: () => boolean
  readonly signal: (signal: NodeJS.Signals) => void
  /** Resolves when it has been reaped. */
  readonly exited: Promise<void>
}

/** How a postmaster is started, where it is not as usual. */
export type Launch = {
  readonly program?: string
  /** Default: the cluster's folder. */
  readonly directory?: string
  /** More arguments. */
  readonly args?: readonly string[]
  readonly environment?: NodeJS.ProcessEnv
  /** Only root can lend another group. */
  readonly group?: number
  /** A command that starts it, and becomes it. */
  readonly through?: readonly string[]
}

/** Starts one and does not wait for anything but its pid. */
export const launchPostmaster = async (site: Site, launch: Launch = {}): Promise<Postmaster> => {
  const log = openSync(site.logFile, 'a')
  const postgres = join(site.binaries, 'postgres')
  const { program = postgres, args = [], environment = serverEnvironment(), through = [] } = launch
  const [first = program, ...rest] = [...through, program, '-D', site.dataDirectory, ...args]
  const child = spawn(first, rest, {
    // It looks for its files from there.
    ...(first === program ? { argv0: postgres } : {}),
    cwd: launch.directory ?? site.folder,
    env: environment,
    stdio: ['ignore', log, log],
    ...site.user,
    ...(launch.group === undefined ? {} : { gid: launch.group }),
  })
  closeSync(log)
  const exited = new Promise<void>(resolve => void child.once('exit', () => resolve()))
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => resolve(child.pid ?? 0))
  })
  return {
    pid,
    running: () => child.exitCode === null && child.signalCode === null,
    signal: signal => void child.kill(signal),
    exited,
  }
}

/** Line 8 of the lock file, '' while there is none. */
export const postmasterStatus = (dataDirectory: string): string =>
  lockFileLine(dataDirectory, 8).trimEnd()

/** A line of postmaster.pid, counted from 1; '' when there is no such line or no file. */
export const lockFileLine = (dataDirectory: string, line: number): string => {
  try {
    const text = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8')
    return text.split('\n')[line - 1] ?? ''
  } catch {
    return ''
  }
}

/**
 * Have all processes of a killed postmaster let go of its shared memory? Until then the next one
 * refuses to start. They notice its death by themselves, a moment later.
 */
export const sharedMemoryReleased = (dataDirectory: string): boolean => {
  const [, segment] = lockFileLine(dataDirectory, 7).trim().split(/\s+/)
  if (segment === undefined) return true
  const rows = readFileSync('/proc/sysvipc/shm', 'utf8').split('\n')
  const fields = rows.map(row => row.trim().split(/\s+/)).find(([, id]) => id === segment)
  return fields === undefined || fields[6] === '0'
}

/**
 * Waits until a login is accepted, or until the server calls itself a standby without logins.
 * Looking at the lock file first keeps refused logins, a process each, out of the start.
 *
 * From 15 on a primary with hot_standby=off says `standby` too, while it recovers from a crash;
 * there `withoutLogins` is false and the wait goes on.
 */
export const awaitReady = async (
  site: Site,
  { postmaster, withoutLogins }: { postmaster: Postmaster; withoutLogins: boolean },
): Promise<void> => {
  const what = `PostgreSQL ${site.major} to start`
  try {
    await until(
      async () => {
        if (!postmaster.running()) throw new Error(`PostgreSQL ${site.major} did not start`)
        const status = postmasterStatus(site.dataDirectory)
        if (withoutLogins) return status === 'standby'
        return status === 'ready' && (await acceptsLogins(site.port))
      },
      { what, everyMs: 5 },
    )
  } catch (failure) {
    throw new Error(`${String(failure)}\n${logTail(site)}`, { cause: failure })
  }
}

/** Of which a server that comes up while many ask for it is full. */
const refusedLogin = /FATAL: {2}the database system is /

/** The end of the server's log, for error messages. */
export const logTail = ({ logFile }: Site): string =>
  readFileSync(logFile, 'utf8')
    .split('\n')
    .filter(line => !refusedLogin.test(line))
    .slice(-30)
    .join('\n')
