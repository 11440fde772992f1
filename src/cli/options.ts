/** The command line understood: what is to be done, and with which options. */
import type { ControlCheck } from '../facts/evidence.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import type { Role } from '../facts/rules.ts'
import type { WhenUnavailable } from '../serve/reply.ts'
import { helpHint, sortWords, type CommandWords } from './command-words.ts'
import { ipAddress, onOff, oneOf, path, whole } from './forms.ts'
import { logFormats, logLevels, type LogFormat, type LogLevel } from './log.ts'
import type { OperatorError } from './operator-error.ts'
import { commandNames, type CommandName, type OptionName } from './option-table.ts'
import {
  defaultPort,
  defaultTarget,
  describeTargetFault,
  parseTarget,
  type Target,
} from './query.ts'
import { createSettings, type Environment, type Flags, type Settings } from './settings.ts'

export type LookOptions = {
  /** Absolute. */
  readonly pgdata: string
  readonly controlCheck: ControlCheck
  /** Absolute; null to look for it. */
  readonly pgControldata: string | null
}

export type ServeOptions = LookOptions & {
  readonly port: number
  /** Empty for every address of the host. */
  readonly bind: readonly string[]
  readonly whenUnavailable: WhenUnavailable
  readonly newline: boolean
  readonly intervalMs: number
  readonly leaseMs: number
}

export type LogOptions = { readonly logLevel: LogLevel; readonly logFormat: LogFormat }

/** One data directory and how it is answered for. */
export type Cluster = {
  /** Of its section; null where the command line names the only one. */
  readonly name: string | null
  readonly options: ServeOptions
}

/** What one process serves: at least one cluster. */
export type Configuration = LogOptions & { readonly clusters: readonly Cluster[] }

/** A configuration file that is still to be read, and what goes before it. */
export type ConfigRequest = {
  /** Absolute. */
  readonly path: string
  readonly flags: Flags
  readonly environment: Environment
}

export type StatusOptions = LookOptions & {
  readonly json: boolean
  readonly expect: Role | 'any' | null
}

export type QueryOptions = {
  /** At least one. */
  readonly targets: readonly Target[]
  readonly timeoutMs: number
}

export type CommandLine =
  | { readonly command: 'help'; readonly of: CommandName | 'program' }
  | { readonly command: 'version' }
  | { readonly command: 'serve'; readonly configuration: Configuration }
  | { readonly command: 'serve from file' | 'check file'; readonly request: ConfigRequest }
  | { readonly command: 'discover' }
  | { readonly command: 'status'; readonly options: StatusOptions }
  | { readonly command: 'query'; readonly options: QueryOptions }

/** `argv` is without node and script. */
export const parseCommandLine = (
  argv: readonly string[],
  environment: Environment,
): Outcome<CommandLine, readonly OperatorError[]> => {
  const [first = ''] = argv
  if (first === '--help' || first === '-?') return fact({ command: 'help', of: 'program' })
  if (first === '--version' || first === '-V') return fact({ command: 'version' })
  const words = sortWords(argv)
  if (!words.ok) return fault([words.fault])
  const { command, flags, operands } = words.fact
  if (flags.has('help')) return fact({ command: 'help', of: command })
  const settings = createSettings(flags, { environment, hint: helpHint(command) })
  if (command === 'query') return parseQuery(words.fact, settings)
  const strays = operands.slice(0, 1).map(unexpected)
  if (command === 'status') return parseStatus(settings, strays)
  if (strays.length === 0 && flags.has('discover')) return fact({ command: 'discover' })
  return parseServe(settings, { flags, environment, strays })
}

const parseQuery = (
  { operands }: CommandWords,
  settings: Settings,
): Outcome<CommandLine, readonly OperatorError[]> => {
  const targets: Target[] = []
  const mistakes: OperatorError[] = []
  for (const operand of operands) {
    const target = parseTarget(operand)
    if (target.ok) targets.push(target.fact)
    else mistakes.push({ message: describeTargetFault(target.fault), hint: helpHint('query') })
  }
  const timeoutMs = settings.one('timeout', whole(1, 600_000), 3000)
  const options = { targets: targets.length === 0 ? [defaultTarget] : targets, timeoutMs }
  return checked({ command: 'query', options }, [...mistakes, ...settings.mistakes])
}

const parseStatus = (
  settings: Settings,
  strays: readonly OperatorError[],
): Outcome<CommandLine, readonly OperatorError[]> => {
  const { pgdata, missing } = dataDirectory(settings)
  const options = { ...lookOptions(pgdata, settings), ...statusOptions(settings) }
  return checked({ command: 'status', options }, [...strays, ...missing, ...settings.mistakes])
}

type ServeWords = {
  readonly flags: Flags
  readonly environment: Environment
  readonly strays: readonly OperatorError[]
}

const parseServe = (
  settings: Settings,
  { flags, environment, strays }: ServeWords,
): Outcome<CommandLine, readonly OperatorError[]> => {
  // A directory on the command line is closer at hand than a file in the environment.
  const file =
    flags.has('pgdata') && !flags.has('config') ? null : settings.one('config', path, null)
  if (file !== null) {
    const command = flags.has('check-config') ? 'check file' : 'serve from file'
    const mistakes = [...strays, ...misplacedFlags(flags), ...settings.mistakes]
    return checked({ command, request: { path: file, flags, environment } }, mistakes)
  }
  const { pgdata, missing } = dataDirectory(settings)
  const options = { ...lookOptions(pgdata, settings), ...serveOptions(settings) }
  const clusters = [{ name: null, options }]
  const mistakes = [...strays, ...(flags.has('check-config') ? [noFile] : missing)]
  return checked({ command: 'serve', configuration: { ...logOptions(settings), clusters } }, [
    ...mistakes,
    ...settings.mistakes,
  ])
}

/** What would give all clusters of a file the same. */
const misplacedFlags = (flags: Flags): readonly OperatorError[] =>
  perCluster
    .filter(name => flags.has(name))
    .map(name => ({
      message: `--${name} is given beside a configuration file, wanted in its sections`,
      hint: `write ${name} = ... below the [section] of the cluster, or leave out --config`,
    }))

/** Options of which no two clusters can have the same, so that they stand in sections alone. */
const perCluster = ['pgdata', 'port'] as const satisfies readonly OptionName[]

/** `missing` where there is none and no other mistake says so; then the path is of no use. */
const dataDirectory = (
  settings: Settings,
): { readonly pgdata: string; readonly missing: readonly OperatorError[] } => {
  const pgdata = settings.one('pgdata', path, null)
  const told = pgdata !== null || settings.mistakes.length > 0
  return { pgdata: pgdata ?? '', missing: told ? [] : [noDataDirectory] }
}

export const lookOptions = (pgdata: string, settings: Settings): LookOptions => ({
  pgdata,
  controlCheck: settings.one('control-check', oneOf(['native', 'pg_controldata', 'off']), 'native'),
  pgControldata: settings.one('pg-controldata', path, null),
})

export const serveOptions = (settings: Settings): Omit<ServeOptions, keyof LookOptions> => {
  const { one, all } = settings
  const intervalMs = one('interval', whole(50, 60_000), 500)
  return {
    port: one('port', whole(0, 65_535), defaultPort),
    bind: [...new Set(all('bind', ipAddress))],
    whenUnavailable: one('when-unavailable', oneOf(['refuse', 'close', 'reply']), 'refuse'),
    newline: one('newline', onOff, false),
    intervalMs,
    leaseMs: one('lease', leaseForm(intervalMs), 3 * intervalMs),
  }
}

export const logOptions = ({ one }: Settings): LogOptions => ({
  logLevel: one('log-level', oneOf(logLevels), 'info'),
  logFormat: one('log-format', oneOf(logFormats), 'text'),
})

/** One that ends before the next look, or while it is under way, would end at every tick. */
const leaseForm = (intervalMs: number) => ({
  ...whole(2 * intervalMs, 600_000),
  wanted: `a whole number from ${2 * intervalMs}, which is two intervals, to 600000`,
})

const statusOptions = (settings: Settings): Omit<StatusOptions, keyof LookOptions> => ({
  json: settings.one('json', onOff, false),
  expect: settings.one('expect', oneOf(['primary', 'standby', 'any']), null),
})

const checked = (
  commandLine: CommandLine,
  mistakes: readonly OperatorError[],
): Outcome<CommandLine, readonly OperatorError[]> =>
  mistakes.length === 0 ? fact(commandLine) : fault(mistakes)

const noDataDirectory: OperatorError = {
  message: 'no data directory was given',
  hint: 'name it with -D, or in PGDATA',
}

const noFile: OperatorError = {
  message: 'no configuration file was given to check',
  hint: 'name it with --config',
}

const unexpected = (operand: string): OperatorError => {
  const name = commandNames.find(known => known === operand)
  return name === undefined
    ? {
        message: `unexpected argument ${JSON.stringify(operand)}`,
        hint: 'the data directory is given with -D',
      }
    : { message: `"${name}" has to come first`, hint: `pg-replstatus ${name} [OPTION]...` }
}
