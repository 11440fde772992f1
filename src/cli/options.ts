/** The command line understood: what is to be done, and with which options. */
import type { ControlCheck } from '../facts/evidence.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import type { Role } from '../facts/rules.ts'
import type { AgentUpFor } from '../serve/agent-reply.ts'
import type { Network } from '../serve/allow-list.ts'
import type { Endpoint } from '../serve/endpoint.ts'
import type { WhenUnavailable } from '../serve/reply.ts'
import { helpHint, sortWords, type CommandWords } from './command-words.ts'
import { endpoint, ipAddress, network, onOff, oneOf, path, portNumber } from './forms.ts'
import { shellCommand, whole } from './forms.ts'
import { logFormats, logLevels, type LogFormat, type LogLevel } from './log.ts'
import type { OperatorError } from './operator-error.ts'
import { commandNames, optionTable, type CommandName } from './option-table.ts'
import {
  defaultPort,
  defaultTarget,
  describeTargetFault,
  parseTarget,
  type Target,
} from './query.ts'
import { createSettings, type Environment, type Settings } from './settings.ts'

export type LookOptions = {
  /** Absolute. */
  readonly pgdata: string
  readonly controlCheck: ControlCheck
  /** Absolute; null to look for it. */
  readonly pgControldata: string | null
}

/** Of commands that look at a data directory of this machine. */
type LocalOptions = LookOptions & {
  /** Absolute; null for none. */
  readonly maintenanceFile: string | null
}

export type ServeOptions = LocalOptions & {
  readonly port: number
  /** Empty for every address of the host. */
  readonly bind: readonly string[]
  readonly whenUnavailable: WhenUnavailable
  readonly newline: boolean
  /** For the shell; null to run nothing. */
  readonly onChange: string | null
  /** Where HTTP is answered; empty for nowhere. */
  readonly http: readonly Endpoint[]
  /** Who may ask, on every port; empty for everybody. */
  readonly allow: readonly Network[]
  /** Where to answer HAProxy's agent-check; empty for nowhere. */
  readonly agent: readonly Endpoint[]
  readonly agentUpFor: AgentUpFor
  readonly intervalMs: number
  readonly leaseMs: number
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

export type StatusOptions = LocalOptions & {
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
  | { readonly command: 'serve'; readonly options: ServeOptions }
  | { readonly command: 'status'; readonly options: StatusOptions }
  | { readonly command: 'query'; readonly options: QueryOptions }

/** `argv` is without node and script. */
export const parseCommandLine = (
  argv: readonly string[],
  environment: Environment,
): Outcome<CommandLine, OperatorError> => {
  const [first = ''] = argv
  if (first === '--help' || first === '-?') return fact({ command: 'help', of: 'program' })
  if (first === '--version' || first === '-V') return fact({ command: 'version' })
  const words = sortWords(argv)
  if (!words.ok) return words
  const { command, flags } = words.fact
  if (flags.has('help')) return fact({ command: 'help', of: command })
  const settings = createSettings(flags, { environment, hint: helpHint(command) })
  return command === 'query'
    ? parseQuery(words.fact, settings)
    : parseLocal(command, words.fact, settings)
}

const parseQuery = (
  { operands }: CommandWords,
  settings: Settings,
): Outcome<CommandLine, OperatorError> => {
  const targets: Target[] = []
  for (const operand of operands) {
    const target = parseTarget(operand)
    if (!target.ok) {
      return fault({ message: describeTargetFault(target.fault), hint: helpHint('query') })
    }
    targets.push(target.fact)
  }
  const timeoutMs = settings.one('timeout', whole(1, 600_000), 3000)
  const options = { targets: targets.length === 0 ? [defaultTarget] : targets, timeoutMs }
  return checked({ command: 'query', options }, settings)
}

/** Commands that look at a data directory of this machine. */
const parseLocal = (
  command: 'serve' | 'status',
  { operands: [operand] }: CommandWords,
  settings: Settings,
): Outcome<CommandLine, OperatorError> => {
  if (operand !== undefined) return fault(unexpected(operand))
  const pgdata = settings.one('pgdata', path, null)
  if (pgdata === null) {
    const [mistake = noDataDirectory] = settings.mistakes
    return fault(mistake)
  }
  const local: LocalOptions = {
    pgdata,
    controlCheck: settings.one(
      'control-check',
      oneOf(optionTable['control-check'].words),
      'native',
    ),
    pgControldata: settings.one('pg-controldata', path, null),
    maintenanceFile: settings.one('maintenance-file', path, null),
  }
  return command === 'serve'
    ? checked({ command, options: { ...local, ...serveOptions(settings) } }, settings)
    : checked({ command, options: { ...local, ...statusOptions(settings) } }, settings)
}

const serveOptions = (settings: Settings): Omit<ServeOptions, keyof LocalOptions> => {
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
    leaseMs: one('lease', leaseForm(intervalMs), 3 * intervalMs),
    logLevel: one('log-level', oneOf(logLevels), 'info'),
    logFormat: one('log-format', oneOf(logFormats), 'text'),
  }
}

/** The same endpoint twice would find its port in use. */
const distinct = (endpoints: readonly Endpoint[]): readonly Endpoint[] => [
  ...new Map(endpoints.map(one => [`${one.address} ${one.port}`, one])).values(),
]

/** One that ends before the next look, or while it is under way, would end at every tick. */
const leaseForm = (intervalMs: number) => ({
  ...whole(2 * intervalMs, 600_000),
  wanted: `a whole number from ${2 * intervalMs}, which is two intervals, to 600000`,
})

const statusOptions = (settings: Settings): Omit<StatusOptions, keyof LocalOptions> => ({
  json: settings.one('json', onOff, false),
  expect: settings.one('expect', oneOf(optionTable.expect.words), null),
})

const checked = (
  commandLine: CommandLine,
  { mistakes: [mistake] }: Settings,
): Outcome<CommandLine, OperatorError> =>
  mistake === undefined ? fact(commandLine) : fault(mistake)

const noDataDirectory: OperatorError = {
  message: 'no data directory was given',
  hint: 'name it with -D, or in PGDATA',
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
