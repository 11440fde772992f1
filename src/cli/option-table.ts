/**
 * Every option: how it is written, where else it can be given, and what people are told of it.
 * What it may say and what it is otherwise stands in options.ts.
 */
import { wireWords } from '../serve/reply.ts'

export const commandNames = ['serve', 'status', 'query'] as const
export type CommandName = (typeof commandNames)[number]

type Spec = {
  readonly commands: readonly CommandName[]
  /** A letter. */
  readonly short?: string
  /** What its value is called; absent for a switch. */
  readonly value?: string
  /** Of the part of the help that lists it. */
  readonly heading: string
  /** Variable of the environment that gives it too; null for none. */
  readonly variable: string | null
  /** Lines for people, the first one beside the option. */
  readonly help: readonly string[]
}

const everywhere = commandNames
const local = ['serve', 'status'] as const
const [where, answers] = ['Data directory', 'Answers']
const [watching, log] = ['Watching, in milliseconds', 'Log, on standard error']
const [output, asking] = ['Output', 'Asking']

export const optionTable = {
  pgdata: {
    commands: local,
    short: 'D',
    value: 'DIR',
    heading: where,
    variable: 'PGDATA',
    help: ["the server's data directory [PGDATA]"],
  },
  config: {
    commands: ['serve'],
    value: 'FILE',
    heading: where,
    variable: 'PG_REPLSTATUS_CONFIG',
    help: [
      'several clusters instead, a [section] for each',
      'in an INI file; read again on SIGHUP',
    ],
  },
  'check-config': {
    commands: ['serve'],
    heading: where,
    variable: null,
    help: ['only tell what is wrong with that file, then exit'],
  },
  discover: {
    commands: ['serve'],
    heading: where,
    variable: null,
    help: ["print such a file for Debian's clusters, then exit"],
  },
  'control-check': {
    commands: local,
    value: 'HOW',
    heading: where,
    variable: 'PG_REPLSTATUS_CONTROL_CHECK',
    help: [
      'where the role is read (default: native)',
      'native          in global/pg_control',
      "pg_controldata  there too, by PostgreSQL's own",
      '                program of that name',
      'off             in signal files alone, which',
      '                tell the role of the next start',
    ],
  },
  'pg-controldata': {
    commands: local,
    value: 'PATH',
    heading: where,
    variable: 'PG_REPLSTATUS_PG_CONTROLDATA',
    help: ['the program to run for that', "(default: of the server's version, else in PATH)"],
  },
  port: {
    commands: ['serve'],
    value: 'PORT',
    heading: answers,
    variable: 'PG_REPLSTATUS_PORT',
    help: ['port to answer on (default: 5400)'],
  },
  bind: {
    commands: ['serve'],
    value: 'ADDRESS',
    heading: answers,
    variable: 'PG_REPLSTATUS_BIND',
    help: ['address to answer on; may be given several times', '(default: all of this host)'],
  },
  'when-unavailable': {
    commands: ['serve'],
    value: 'HOW',
    heading: answers,
    variable: 'PG_REPLSTATUS_WHEN_UNAVAILABLE',
    help: [
      'with neither role to tell (default: refuse)',
      'refuse  close the port',
      'close   accept, and close without a word',
      `reply   say ${wireWords.unavailable}`,
    ],
  },
  newline: {
    commands: ['serve'],
    heading: answers,
    variable: 'PG_REPLSTATUS_NEWLINE',
    help: ['end each answer with a line feed'],
  },
  interval: {
    commands: ['serve'],
    value: 'MS',
    heading: watching,
    variable: 'PG_REPLSTATUS_INTERVAL',
    help: ['look this often, file changes or not (default: 500)'],
  },
  lease: {
    commands: ['serve'],
    value: 'MS',
    heading: watching,
    variable: 'PG_REPLSTATUS_LEASE',
    help: ['believe a look for this long', '(default: 3 intervals; at least 2)'],
  },
  'log-level': {
    commands: ['serve'],
    value: 'LEVEL',
    heading: log,
    variable: 'PG_REPLSTATUS_LOG_LEVEL',
    help: ['error, warning, notice, info or debug', '(default: info)'],
  },
  'log-format': {
    commands: ['serve'],
    value: 'FORMAT',
    heading: log,
    variable: 'PG_REPLSTATUS_LOG_FORMAT',
    help: ['text or json (default: text)'],
  },
  json: {
    commands: ['status'],
    heading: output,
    variable: null,
    help: ['print JSON'],
  },
  expect: {
    commands: ['status'],
    value: 'ROLE',
    heading: output,
    variable: null,
    help: [
      'primary, standby, or any for either of the two;',
      'the exit code tells whether that is so',
    ],
  },
  timeout: {
    commands: ['query'],
    value: 'MS',
    heading: asking,
    variable: null,
    help: ['give up after so many milliseconds (default: 3000)'],
  },
  help: {
    commands: everywhere,
    short: '?',
    heading: '',
    variable: null,
    help: ['show this help, then exit'],
  },
} as const satisfies { readonly [name: string]: Spec }

export type OptionName = keyof typeof optionTable

const entries = Object.entries(optionTable) as readonly (readonly [OptionName, Spec])[]

/** Its options, in the order in which the help lists them. */
export const optionsOf = (command: CommandName): readonly (readonly [OptionName, Spec])[] =>
  entries.filter(([, { commands }]) => commands.includes(command))

/** What a configuration file may say: all of serve that may come from elsewhere but itself. */
export const isFileKey = (name: string): name is OptionName =>
  name !== 'config' &&
  optionsOf('serve').some(([known, { variable }]) => known === name && variable !== null)

/** The options of a command for its help, under their headings; ends with a line feed. */
export const optionList = (command: CommandName): string => {
  const lines: string[] = []
  let under: string | null = null
  for (const [name, spec] of optionsOf(command)) {
    if (spec.heading !== under) {
      if (under !== null) lines.push('')
      if (spec.heading !== '') lines.push(`${spec.heading}:`)
      under = spec.heading
    }
    const [first = '', ...rest] = spec.help
    lines.push(`  ${written(name, spec, '').padEnd(textColumn - 2)}${first}`)
    for (const line of rest) lines.push(`${' '.repeat(textColumn + 2)}${line}`)
  }
  return lines.map(line => `${line}\n`).join('')
}

const textColumn = 29

/** `-D, --pgdata DIR`, and with `<` before the value as Commander wants it. */
const written = (name: string, { short, value }: Spec, bracket: '<' | ''): string => {
  const letter = short === undefined ? '' : `-${short}, `
  const closing = bracket === '' ? '' : '>'
  return `${letter}--${name}${value === undefined ? '' : ` ${bracket}${value}${closing}`}`
}

/** As Commander wants it. */
export const flagOf = (name: OptionName): string => written(name, optionTable[name], '<')
