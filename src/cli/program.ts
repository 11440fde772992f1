/** The whole program, from arguments to exit code. */
import type { Accounts } from './accounts.ts'
import { exitCodes, exitDone } from './exit-codes.ts'
import { help } from './help.ts'
import { createLog, journalPrefix } from './log.ts'
import { printOperatorError, type OperatorError } from './operator-error.ts'
import { parseCommandLine, type QueryOptions, type ServeOptions } from './options.ts'
import type { Outside } from './outside.ts'
import { ask, queryExitCode, queryLines } from './query.ts'
import { serve } from './run.ts'
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
  const parsed = parseCommandLine(argv, environment)
  if (!parsed.ok) {
    fail(parsed.fault)
    return exitCodes.couldNotLook
  }
  const line = parsed.fact
  switch (line.command) {
    case 'help':
      out(help[line.of])
      return exitDone
    case 'version':
      out(`pg-replstatus ${version}\n`)
      return exitDone
    case 'serve':
      return serve(line.options, {
        ...surroundings,
        report: logTo(surroundings, line.options),
        fail,
      })
    case 'status':
      return status(line.options, { ...surroundings, fail })
    case 'query':
      return query(line.options, surroundings)
  }
}

const logTo = (
  { outside, journal, err }: Surroundings,
  { logLevel: level, logFormat: format }: ServeOptions,
) => createLog({ level, format, journal, now: outside.clock.unix, write: err })

const query = async (
  { targets, timeoutMs }: QueryOptions,
  { outside: { clock }, out }: Surroundings,
): Promise<number> => {
  const answers = await Promise.all(targets.map(target => ask(target, { timeoutMs, clock })))
  for (const line of queryLines(answers)) out(`${line}\n`)
  return queryExitCode(answers)
}
