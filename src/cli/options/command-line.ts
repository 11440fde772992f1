/** The command line: which command to run, with which options. */
import { quoteText } from '../../facts/visible-text.ts'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import { helpHint, sortWords, type CommandWords } from './command-words.ts'
import { onOff, oneOf, path, peer, whole } from './option-forms.ts'
import type { Peer } from '../../observe/peers/peer-request.ts'
import type { OperatorError } from '../output/operator-error.ts'
import { commandNames, type CommandName } from './option-spec.ts'
import { optionTable, type OptionName } from './option-table.ts'
import type { CommandLine, StatusOptions } from './option-values.ts'
import { defaultTarget, describeTargetFault, parseTarget, type Target } from './query-target.ts'
import { accountOptions, givenBy, localOptions, logOptions, serveOptions } from './read-options.ts'
import { createSettings } from './settings.ts'
import type { Environment, Flags, Settings } from './settings.ts'

/** `argv` is without node and script. */
export const parseCommandLine = (
  argv: readonly string[],
  environment: Environment,
): Outcome<CommandLine, readonly OperatorError[]> => {
  const page = requestedPage(argv)
  if (page !== null) return fact(page)
  const words = sortWords(argv)
  if (!words.ok) return fault([words.fault])
  const { command, flags, operands } = words.fact
  const settings = createSettings(flags, { environment, hint: helpHint(command) })
  if (command === 'query') return parseQuery(words.fact, settings)
  if (command === 'cluster') return parseCluster(words.fact, settings)
  if (command === 'history') return parseHistory(words.fact, settings)
  const strays = operands.slice(0, 1).map(unexpected)
  if (command === 'status') return parseStatus(settings, strays)
  if (flags.has('discover')) return checked({ command: 'discover' }, strays)
  return parseServe(settings, { flags, environment, strays })
}

/**
 * Help or version, whichever comes first. They take precedence over everything else, even if the
 * rest of the command line is wrong or incomplete.
 */
const requestedPage = (argv: readonly string[]): CommandLine | null => {
  const end = argv.indexOf('--')
  const words = end === -1 ? argv : argv.slice(0, end)
  const [first] = words
  const found = words.find(word => helpWords.includes(word) || versionWords.includes(word))
  if (found === undefined) return null
  if (versionWords.includes(found)) return { command: 'version' }
  const named = commandNames.find(name => name === first)
  // An option belongs to the default command.
  const isServe = first !== found && first?.startsWith('-') === true
  return { command: 'help', of: named ?? (isServe ? 'serve' : 'program') }
}

const helpWords: readonly string[] = ['--help', '-?']
const versionWords: readonly string[] = ['--version', '-V']

const parseQuery = (
  { operands }: CommandWords,
  settings: Settings,
): Outcome<CommandLine, readonly OperatorError[]> => {
  const targets: Target[] = []
  const errors: OperatorError[] = []
  for (const operand of operands) {
    const target = parseTarget(operand)
    if (target.ok) targets.push(target.fact)
    else errors.push({ message: describeTargetFault(target.fault), hint: helpHint('query') })
  }
  const timeoutMs = settings.one('timeout', timeLimit, 3000)
  const options = { targets: targets.length === 0 ? [defaultTarget] : targets, timeoutMs }
  return checked({ command: 'query', options }, [...errors, ...settings.errors])
}

const parseCluster = (
  { operands }: CommandWords,
  settings: Settings,
): Outcome<CommandLine, readonly OperatorError[]> => {
  const { target, errors } = oneDaemon('cluster', operands)
  const options = {
    target: target ?? defaultDaemon,
    json: settings.one('json', onOff, false),
    watch: settings.one('watch', onOff, false),
    timeoutMs: settings.one('timeout', timeLimit, 3000),
  }
  return checked({ command: 'cluster', options }, [...errors, ...settings.errors])
}

const parseHistory = (
  { flags, operands }: CommandWords,
  settings: Settings,
): Outcome<CommandLine, readonly OperatorError[]> => {
  const { target, errors } = oneDaemon('history', operands)
  const both = operands.length > 0 && flags.has('pgdata') ? [twoDaemons] : []
  const isNamed = target !== null || errors.length > 0
  const { pgdata, missing } = isNamed ? noDirectory : dataDirectory(settings)
  const options = {
    of: target === null ? { pgdata } : { target },
    ...accountOptions(settings),
    json: settings.one('json', onOff, false),
    timeoutMs: settings.one('timeout', timeLimit, 3000),
  }
  return checked({ command: 'history', options, given: settings.given }, [
    ...errors,
    ...both,
    ...missing,
    ...settings.errors,
  ])
}

const noDirectory = { pgdata: '', missing: [] } as const

/** Null if none is named. */
const oneDaemon = (
  command: CommandName,
  [text, ...others]: readonly string[],
): { readonly target: Peer | null; readonly errors: readonly OperatorError[] } => {
  const hint = helpHint(command)
  const errors = others.map(other => ({ message: `unexpected argument ${quoteText(other)}`, hint }))
  if (text === undefined) return { target: null, errors }
  const target = peer.read(text)
  if (target === null) {
    errors.unshift({ message: `${quoteText(text)} must be ${peer.expected}`, hint })
  }
  return { target, errors }
}

const defaultDaemon: Peer = {
  text: 'localhost:8008',
  secure: false,
  host: 'localhost',
  port: 8008,
}

const timeLimit = whole(1, 600_000)

const parseStatus = (
  settings: Settings,
  strays: readonly OperatorError[],
): Outcome<CommandLine, readonly OperatorError[]> => {
  const { pgdata, missing } = dataDirectory(settings)
  const [json, nagios] = [settings.one('json', onOff, false), settings.one('nagios', onOff, false)]
  const options: StatusOptions = {
    ...localOptions(pgdata, settings),
    ...accountOptions(settings),
    print: json ? 'json' : nagios ? 'nagios' : 'screen',
    expect: settings.one('expect', oneOf(optionTable.expect.words), null),
  }
  const errors = [...strays, ...missing, ...(json && nagios ? [twoFormats] : [])]
  return checked({ command: 'status', options, given: settings.given }, [
    ...errors,
    ...settings.errors,
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
  // A directory on the command line takes precedence over a file in the environment.
  const file =
    flags.has('pgdata') && !flags.has('config') ? null : settings.one('config', path, null)
  if (file !== null) {
    const command = flags.has('check-config') ? 'check file' : 'serve from file'
    const source = givenBy(settings, 'config')
    const request = { path: file, source, flags, environment, ...accountOptions(settings) }
    const errors = [...strays, ...misplacedFlags(flags, source), ...settings.errors]
    return checked({ command, request }, errors)
  }
  const { pgdata, missing } = dataDirectory(settings)
  const options = { ...localOptions(pgdata, settings), ...serveOptions(settings) }
  const clusters = [{ name: null, options, given: settings.given }]
  const errors = [...strays, ...(flags.has('check-config') ? [noFile] : missing)]
  const configuration = { ...logOptions(settings), ...accountOptions(settings), clusters }
  return checked({ command: 'serve', configuration }, [...errors, ...settings.errors])
}

/** Options that would have the same value for all clusters of a file. */
const misplacedFlags = (flags: Flags, source: string): readonly OperatorError[] =>
  perCluster
    .filter(name => flags.has(name))
    .map(name => ({
      message: `--${name} cannot be used with a configuration file`,
      hint: `set ${name} in the [section] of the cluster, or omit ${source}`,
    }))

/** Two clusters cannot have the same value, so that these are allowed in sections only. */
const perCluster = ['pgdata', 'port'] as const satisfies readonly OptionName[]

/** `missing` if there is none and no other error says so. Then the path cannot be used. */
const dataDirectory = (
  settings: Settings,
): { readonly pgdata: string; readonly missing: readonly OperatorError[] } => {
  const pgdata = settings.one('pgdata', path, null)
  const isReported = pgdata !== null || settings.errors.length > 0
  return { pgdata: pgdata ?? '', missing: isReported ? [] : [noDataDirectory] }
}

const checked = (
  commandLine: CommandLine,
  errors: readonly OperatorError[],
): Outcome<CommandLine, readonly OperatorError[]> =>
  errors.length === 0 ? fact(commandLine) : fault(errors)

const noDataDirectory: OperatorError = {
  message: 'no data directory specified',
  hint: 'specify it with -D or PGDATA',
}

const twoFormats: OperatorError = {
  message: '--json and --nagios cannot be used together',
  hint: 'each sets the format of the output',
}

const twoDaemons: OperatorError = {
  message: 'HOST:PORT and --pgdata cannot be used together',
  hint: 'each names the daemon to ask',
}

const noFile: OperatorError = {
  message: 'no configuration file to check',
  hint: 'specify it with --config',
}

const unexpected = (operand: string): OperatorError => {
  const name = commandNames.find(known => known === operand)
  return name === undefined
    ? {
        message: `unexpected argument ${quoteText(operand)}`,
        hint: 'the data directory must be specified with -D',
      }
    : { message: `"${name}" must be the first argument`, hint: `pg-replstatus ${name} [OPTION]...` }
}
