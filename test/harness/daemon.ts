/**
 * The built daemon, started as its users start it: a process of its own, in an environment that
 * holds nothing of ours, known only by what it logs and answers.
 */
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { lastRole, readLog, type DaemonEnd, type Role } from './daemon-log.ts'
import { spawnLeashed } from './leash.ts'
import { serverEnvironment } from './programs.ts'
import { repositoryRoot } from './repository.ts'
import { hearOn } from './tcp-client.ts'
import { until, within } from './until.ts'

export type DaemonOptions = (
  | { readonly dataDirectory: string }
  /** A configuration file; its own port is where `ask` asks. */
  | { readonly config: string }
) & {
  /** Default: one that is free. */
  readonly port?: number
  /** More options for the command line; without a --bind among them it is on loopback only. */
  readonly args?: readonly string[]
  /** Added to the few variables that it gets. */
  readonly environment?: Readonly<Record<string, string>>
  /** Default: the one that `npm run build` makes. */
  readonly program?: string
  /** A program that starts it, with its arguments, such as unshare. */
  readonly through?: readonly string[]
}

export type Daemon = {
  readonly pid: number
  readonly port: number
  /** What it has logged so far. */
  readonly log: () => readonly string[]
  /** Hears each line from now on. */
  readonly onLine: (listener: (line: string) => void) => void
  /** Waits until it has logged such a line; resolves with the first one. */
  readonly said: (pattern: RegExp) => Promise<string>
  /** Waits until the role it logged last is this one; the port follows a moment later. */
  readonly until: (role: Role) => Promise<void>
  readonly ask: () => Promise<string>
  /** Waits until `ask` gives this. */
  readonly answers: (answer: string) => Promise<void>
  readonly kill: (signal: NodeJS.Signals) => void
  readonly ended: () => Promise<DaemonEnd>
  /** SIGTERM, then waits; one that has ended already is fine. */
  readonly stop: () => Promise<DaemonEnd>
}

/** Where `npm run build` puts it. */
export const daemonProgram = (): string => {
  const program = join(repositoryRoot(), 'dist/pg-replstatus.js')
  if (!existsSync(program)) throw new Error(`no ${program}: build it with npm run build`)
  return program
}

/**
 * Arguments of env(1). tap puts itself into the environment of whatever its tests start, which env
 * takes out again: it could not write where it wants to after the program has become another user.
 */
export const cleared = (environment: Readonly<Record<string, string>> = {}): readonly string[] => {
  const variables = Object.entries({ ...serverEnvironment(), ...environment })
  return ['-i', ...variables.map(([name, value]) => `${name}=${value}`)]
}

/** Arguments of env(1) that run the program with these. */
export const withoutTap = (args: readonly string[]): readonly string[] => [
  ...cleared(),
  daemonProgram(),
  ...args,
]

/** Resolves once it listens; rejects with what it said when it ends instead. */
export const startDaemon = async (options: DaemonOptions): Promise<Daemon> => {
  const daemon = await launchDaemon(options)
  try {
    await daemon.said(/\blistening\b/)
    return daemon
  } catch (failure) {
    daemon.kill('SIGKILL')
    throw failure
  }
}

/** Starts it and waits for nothing. */
export const launchDaemon = async (options: DaemonOptions): Promise<Daemon> => {
  const { args = [], environment = {}, through = [] } = options
  const program = options.program ?? daemonProgram()
  const port = options.port ?? (await freePort())
  const bind = args.includes('--bind') ? [] : ['--bind', '127.0.0.1']
  const ownArgs =
    'config' in options
      ? ['--config', options.config, ...args]
      : ['-D', options.dataDirectory, '--port', String(port), ...bind, ...args]
  const command = ['env', ...cleared(environment), ...through, program, ...ownArgs]
  const child = spawnLeashed(command, { cwd: '/' })
  const log = readLog(child)
  const answer = async (): Promise<string> => ask(port)
  return {
    pid: child.pid ?? 0,
    port,
    log: () => log.lines,
    onLine: log.onLine,
    said: async pattern => {
      const find = (): string | null => log.lines.find(line => pattern.test(line)) ?? null
      return log.first(find, `a line like ${pattern}`)
    },
    until: async role => {
      const reached = (): Role | null => (lastRole(log.lines) === role ? role : null)
      await log.first(reached, `the role ${role}`)
    },
    ask: answer,
    answers: async wanted => {
      const what = `the answer ${JSON.stringify(wanted)} on port ${port}`
      // The port is about to be closed, and a connect that meets that may hang: the kernel (6.18,
      // 2 of 20,000 connects to a listener that is closed all the time) tells neither side of it.
      const asked = wanted === 'refused' ? () => answer().catch(String) : answer
      await until(async () => (await asked()) === wanted, { what })
    },
    kill: signal => void child.kill(signal),
    ended: async () => log.ended,
    stop: async () => {
      child.kill('SIGTERM')
      try {
        return await within(log.ended, { what: 'the daemon to stop', limitMs: 5000 })
      } catch (failure) {
        child.kill('SIGKILL')
        throw failure
      }
    },
  }
}

const askLimitMs = 5000

/**
 * Connects and reads to the end of file: the bytes as text, '' for none, `refused` for a closed
 * port, `reset` for one that was closed while the connect was under way.
 */
export const ask = async (port: number): Promise<string> => {
  const socket = connect({ port, host: '127.0.0.1' })
  const what = `an answer on port ${port}`
  try {
    const { bytes, end } = await within(hearOn(socket), { what, limitMs: askLimitMs })
    if (end === 'end') return bytes.toString('latin1')
    if (bytes.length > 0) throw new Error(`${end} after ${JSON.stringify(bytes.toString())}`)
    if (end === 'ECONNREFUSED') return 'refused'
    if (end === 'ECONNRESET') return 'reset'
    throw new Error(`${end} on port ${port}`)
  } finally {
    socket.destroy()
  }
}
