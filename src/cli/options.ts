/** The command line understood: what is to be done, and with which options. */
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import type { Endpoint } from '../serve/endpoint.ts'
import { helpHint, sortWords, type CommandWords } from './command-words.ts'
import { endpoint, ipAddress, network, onOff, oneOf, path, portNumber } from './forms.ts'
import { shellCommand, whole } from './forms.ts'
import { logFormats, logLevels } from './log.ts'
import type { OperatorError } from './operator-error.ts'
import { commandNames, optionTable, type OptionName } from './option-table.ts'
import type { CommandLine, LocalOptions, LogOptions } from './option-values.ts'
import type { ServeOptions, StatusOptions } from './option-values.ts'
import {
  defaultPort,
  defaultTarget,
  describeTargetFault,
  parseTarget,
  type Target,
} from './query.ts'
import { createSettings, sourceOf } from './settings.ts'
import type { Environment, Flags, Settings } from './settings.ts'

/** `argv` is without node and script. */
export const parseCommandLine = (
  argv: readonly string[],
  environment: Environment,
): Outcome<CommandLine, readonly OperatorError[]> => {
  const asked = askedInstead(argv)
  if (asked !== null) return fact(asked)
  const words = sortWords(argv)
  if (!words.ok) return fault([words.fault])
  const { command, flags, operands } = words.fact
  const settings = createSettings(flags, { environment, hint: helpHint(command) })
  if (command === 'query') return parseQuery(words.fact, settings)
  const strays = operands.slice(0, 1).map(unexpected)
  if (command === 'status') return parseStatus(settings, strays)
  if (flags.has('discover')) return checked({ command: 'discover' }, strays)
  return parseServe(settings, { flags, environment, strays })
}

/**
 * Help or version, whichever is asked for first. Whoever asks for them has them, whatever is wrong
 * with the other words, and even where a value is missing.
 */
const askedInstead = (argv: readonly string[]): CommandLine | null => {
  const end = argv.indexOf('--')
  const words = end === -1 ? argv : argv.slice(0, end)
  const [first] = words
  const asked = words.find(word => helpWords.includes(word) || versionWords.includes(word))
  if (asked === undefined) return null
  if (versionWords.includes(asked)) return { command: 'version' }
  const named = commandNames.find(name => name === first)
  // An option belongs to the default command.
  const isServe = first !== asked && first?.startsWith('-') === true
  return { command: 'help', of: named ?? (isServe ? 'serve' : 'program') }
}

const helpWords: readonly string[] = ['--help', '-?']
const versionWords: readonly string[] = ['--version', '-V']

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
  const [json, nagios] = [settings.one('json', onOff, false), settings.one('nagios', onOff, false)]
  const options: StatusOptions = {
    ...localOptions(pgdata, settings),
    print: json ? 'json' : nagios ? 'nagios' : 'screen',
    expect: settings.one('expect', oneOf(optionTable.expect.words), null),
  }
  const mistakes = [...strays, ...missing, ...(json && nagios ? [twoPrints] : [])]
  return checked({ command: 'status', options, given: settings.given }, [
    ...mistakes,
    ...settings.mistakes,
  ])
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
    const source = givenBy(settings, 'config')
    const mistakes = [...strays, ...misplacedFlags(flags, source), ...settings.mistakes]
    return checked({ command, request: { path: file, source, flags, environment } }, mistakes)
  }
  const { pgdata, missing } = dataDirectory(settings)
  const options = { ...localOptions(pgdata, settings), ...serveOptions(settings) }
  const clusters = [{ name: null, options, given: settings.given }]
  const mistakes = [...strays, ...(flags.has('check-config') ? [noFile] : missing)]
  return checked({ command: 'serve', configuration: { ...logOptions(settings), clusters } }, [
    ...mistakes,
    ...settings.mistakes,
  ])
}

/** What would give all clusters of a file the same. */
const misplacedFlags = (flags: Flags, source: string): readonly OperatorError[] =>
  perCluster
    .filter(name => flags.has(name))
    .map(name => ({
      message: `--${name} is given beside a configuration file, wanted in its sections`,
      hint: `write ${name} = ... below the [section] of the cluster, or leave out ${source}`,
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

export const localOptions = (pgdata: string, { one }: Settings): LocalOptions => ({
  pgdata,
  controlCheck: one('control-check', oneOf(optionTable['control-check'].words), 'native'),
  pgControldata: one('pg-controldata', path, null),
  maintenanceFile: one('maintenance-file', path, null),
})

export const serveOptions = (settings: Settings): Omit<ServeOptions, keyof LocalOptions> => {
  const { one, all } = settings
  const intervalMs = one('interval', whole(50, 60_000), 500)
  return {
    port: one('port', portNumber, defaultPort),
    bind: [...new Set(all('bind', ipAddress))],
    whenUnavailable: one(
      'when-unavailable',
      oneOf(optionTable['when-unavailable'].words),
      'refuse',
    ),
    newline: one('newline', onOff, false),
    onChange: one('on-change', shellCommand, null),
    http: distinct(all('http', endpoint)),
    allow: all('allow', network),
    agent: distinct(all('agent', endpoint)),
    agentUpFor: one('agent-up-for', oneOf(optionTable['agent-up-for'].words), 'primary'),
    intervalMs,
    leaseMs: one('lease', leaseForm(intervalMs, givenBy(settings, 'interval')), 3 * intervalMs),
  }
}

/** The same endpoint twice would find its port in use. */
const distinct = (endpoints: readonly Endpoint[]): readonly Endpoint[] => [
  ...new Map(endpoints.map(one => [`${one.address} ${one.port}`, one])).values(),
]

export const logOptions = ({ one }: Settings): LogOptions => ({
  logLevel: one('log-level', oneOf(logLevels), 'info'),
  logFormat: one('log-format', oneOf(logFormats), 'text'),
})

/**
 * One that ends before the next look, or while it is under way, would end at every tick. `source`
 * is that of the interval, which may be given elsewhere.
 */
const leaseForm = (intervalMs: number, source: string) => ({
  ...whole(2 * intervalMs, 600_000),
  wanted: `a whole number from ${2 * intervalMs}, which is twice ${source}, to 600000`,
})

/** What gave an option that has been read already. */
const givenBy = ({ given }: Settings, option: OptionName): string => {
  const [source] = given.get(option) ?? []
  return source === undefined ? `the default of ${option}` : sourceOf(source)
}

const checked = (
  commandLine: CommandLine,
  mistakes: readonly OperatorError[],
): Outcome<CommandLine, readonly OperatorError[]> =>
  mistakes.length === 0 ? fact(commandLine) : fault(mistakes)

const noDataDirectory: OperatorError = {
  message: 'no data directory was given',
  hint: 'name it with -D, or in PGDATA',
}

const twoPrints: OperatorError = {
  message: '--json and --nagios are given together, wanted one of them',
  hint: 'both say what to print, each for another kind of program',
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
