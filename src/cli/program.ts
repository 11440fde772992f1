/** The whole program, from arguments to exit code. */
import { fault, type Outcome } from '../facts/outcome.ts'
import type { Accounts } from './accounts.ts'
import { readConfiguration } from './configuration.ts'
import { exitCodes, exitDone } from './exit-codes.ts'
import { help } from './help.ts'
import { proposeConfiguration, type DebianCluster } from './discover.ts'
import { createLog, journalPrefix, type ClusterReport } from './log.ts'
import { printOperatorError, type OperatorError } from './operator-error.ts'
import { parseCommandLine } from './options.ts'
import type { ConfigRequest, Configuration, LogOptions, QueryOptions } from './option-values.ts'
import type { Outside } from './outside.ts'
import { ask, queryExitCode, queryLines } from './query.ts'
import { serve, type RunNeeds } from './run.ts'
import type { Environment } from './settings.ts'
import { status } from './status.ts'

/** What the process gives to the program, so that tests can give something else. */
export type Surroundings = {
  readonly version: string
  readonly environment: Environment
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Standard error goes to journald. */
  readonly journal: boolean
  readonly accounts: Accounts
  readonly outside: Outside
  readonly stopAsked: () => Promise<string>
  readonly whenRecordAsked: (action: () => void) => void
  readonly onDrainSignal: (toggle: () => void) => void
  /** From now on SIGHUP is heard. */
  readonly reloadAsked: (listener: () => void) => void
  /** The text of a configuration file. */
  readonly readConfig: (path: string) => Promise<Outcome<string, OperatorError>>
  /** Debian's clusters on this machine. */
  readonly findClusters: () => Promise<readonly DebianCluster[]>
}

/** Resolves to the exit code. `argv` is without node and script. */
export const runProgram = async (
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<number> => {
  const { version, environment, out, err, journal } = surroundings
  const fail = (error: OperatorError): void => {
    err(printOperatorError(error, journal ? journalPrefix('error') : ''))
  }
  const failAll = (errors: readonly OperatorError[]): number => {
    for (const error of errors) fail(error)
    return exitCodes.couldNotLook
  }
  const parsed = parseCommandLine(argv, environment)
  if (!parsed.ok) return failAll(parsed.fault)
  const line = parsed.fact
  switch (line.command) {
    case 'help':
      out(help[line.of])
      return exitDone
    case 'version':
      out(`pg-replstatus ${version}\n`)
      return exitDone
    case 'discover': {
      const proposed = proposeConfiguration(await surroundings.findClusters())
      if (!proposed.ok) return failAll([proposed.fault])
      out(proposed.fact)
      return exitDone
    }
    case 'serve':
      return runDaemon(line.configuration, { surroundings, fail, reread: null })
    case 'serve from file':
    case 'check file': {
      const reread = (): Promise<Outcome<Configuration, readonly OperatorError[]>> =>
        readFrom(line.request, surroundings)
      const read = await reread()
      if (!read.ok) return failAll(read.fault)
      if (line.command === 'serve from file') {
        return runDaemon(read.fact, { surroundings, fail, reread })
      }
      const { length } = read.fact.clusters
      out(`${line.request.path}: ${length} cluster${length === 1 ? '' : 's'}, no errors\n`)
      return exitDone
    }
    case 'status':
      return status(line.options, { ...surroundings, fail, given: line.given })
    case 'query':
      return query(line.options, surroundings)
  }
}

const readFrom = async (
  request: ConfigRequest,
  { readConfig }: Surroundings,
): Promise<Outcome<Configuration, readonly OperatorError[]>> => {
  const text = await readConfig(request.path)
  if (text.ok) return readConfiguration(text.fact, request)
  const { message, hint } = text.fault
  return fault([{ message: `${request.source}: ${message}`, hint }])
}

const runDaemon = (
  configuration: Configuration,
  {
    surroundings,
    ...rest
  }: Pick<RunNeeds, 'fail' | 'reread'> & {
    readonly surroundings: Surroundings
  },
): Promise<number> => {
  const { journal, err, outside } = surroundings
  const logAs = ({ logLevel: level, logFormat: format }: LogOptions): ClusterReport =>
    createLog({ level, format, journal, now: outside.clock.unix, write: err })
  return serve(configuration, { ...surroundings, ...rest, logAs })
}

const query = async (
  { targets, timeoutMs }: QueryOptions,
  { outside: { clock }, out }: Surroundings,
): Promise<number> => {
  const answers = await Promise.all(targets.map(target => ask(target, { timeoutMs, clock })))
  for (const line of queryLines(answers)) out(`${line}\n`)
  return queryExitCode(answers)
}
