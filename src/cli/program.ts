/** The whole program, from arguments to exit code. */
import { visibleText } from '../facts/visible-text.ts'
import { fault, type Outcome } from '../facts/outcome.ts'
import type { Accounts } from './system/accounts.ts'
import { readConfiguration } from './config/configuration.ts'
import { exitCodes, exitDone } from './output/exit-codes.ts'
import { help } from './options/help.ts'
import { proposeConfiguration, type DebianCluster } from './commands/discover.ts'
import { createLog, journalPrefix, type ClusterReport } from './output/log.ts'
import { printOperatorError, type OperatorError } from './output/operator-error.ts'
import { parseCommandLine } from './options/command-line.ts'
import type { ConfigRequest, Configuration, LogOptions } from './options/option-values.ts'
import type { Host } from './system/host.ts'
import { showCluster } from './commands/cluster.ts'
import { showHistory } from './commands/history.ts'
import { ask, queryExitCode, queryLines } from './commands/query.ts'
import { wrongDirectories } from './daemon/may-start.ts'
import { serve } from './daemon/run.ts'
import { dropPrivilegesForFile } from './system/privileges.ts'
import type { Environment } from './options/settings.ts'
import type { OperatorSignals } from './daemon/signals.ts'
import { status } from './commands/status.ts'
import { version } from './output/version.ts'

/** What the process provides. Tests provide something else. */
export type ProgramContext = OperatorSignals & {
  readonly environment: Environment
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Standard output is a terminal. */
  readonly terminal: boolean
  /** Of standard output. */
  readonly readerGone: () => Promise<void>
  /** Standard error is connected to journald. */
  readonly journal: boolean
  readonly accounts: Accounts
  readonly host: Host
  readonly readConfig: (path: string) => Promise<Outcome<string, OperatorError>>
  readonly findClusters: () => Promise<readonly DebianCluster[]>
}

/** Resolves to the exit code. `argv` is without node and script. */
export const runProgram = async (
  argv: readonly string[],
  context: ProgramContext,
): Promise<number> => {
  const { environment, out, err, journal, host, accounts } = context
  const fail = (error: OperatorError): void => {
    err(printOperatorError(error, journal ? journalPrefix('error') : ''))
  }
  const failAll = (errors: readonly OperatorError[]): number => {
    for (const error of errors) fail(error)
    return exitCodes.error
  }
  const logAs = ({ logLevel: level, logFormat: format }: LogOptions): ClusterReport =>
    createLog({ level, format, journal, now: host.clock.unix, write: err })
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
      const proposed = proposeConfiguration(await context.findClusters())
      if (!proposed.ok) return failAll([proposed.fault])
      out(proposed.fact)
      return exitDone
    }
    case 'serve':
      return serve(line.configuration, { ...context, fail, logAs, account: null, reread: null })
    case 'serve from file':
    case 'check file': {
      const dropped = await dropPrivilegesForFile(line.request, accounts)
      if (!dropped.ok) return failAll([dropped.fault])
      const reread = (): Promise<Outcome<Configuration, readonly OperatorError[]>> =>
        readFrom(line.request, context)
      const read = await reread()
      if (!read.ok) return failAll(read.fault)
      if (line.command === 'serve from file') {
        const account = dropped.fact.kind === 'dropped' ? dropped.fact.account : null
        return serve(read.fact, { ...context, fail, logAs, account, reread })
      }
      const errors = await wrongDirectories(read.fact.clusters, context)
      if (errors.length > 0) return failAll(errors)
      const { length } = read.fact.clusters
      out(
        `${visibleText(line.request.path)}: ${length} cluster${length === 1 ? '' : 's'}, no errors\n`,
      )
      return exitDone
    }
    case 'status':
      return status(line.options, { host, accounts, out, fail, given: line.given })
    case 'history':
      return showHistory(line.options, { host, accounts, out, fail, given: line.given })
    case 'query': {
      const { targets, timeoutMs } = line.options
      const { clock } = host
      const answers = await Promise.all(targets.map(target => ask(target, { timeoutMs, clock })))
      for (const text of queryLines(answers)) out(`${text}\n`)
      return queryExitCode(answers)
    }
    case 'cluster':
      return showCluster(line.options, { ...context, fail })
  }
}

const readFrom = async (
  request: ConfigRequest,
  { readConfig }: ProgramContext,
): Promise<Outcome<Configuration, readonly OperatorError[]>> => {
  const text = await readConfig(request.path)
  if (text.ok) return readConfiguration(text.fact, request)
  const { message, hint } = text.fault
  return fault([{ message: `${request.source}: ${message}`, hint }])
}
