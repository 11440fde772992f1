/**
 * Every option: how it is written, where else it can be given, and what people are told of it.
 * What it may say and what it is otherwise stands in options.ts.
 */
import { wireWords } from '../serve/reply.ts'
import { logFormats, logLevels } from './log.ts'
import type { CommandName, OptionSpec } from './option-spec.ts'

export const commandNames = ['serve', 'status', 'query'] as const satisfies readonly CommandName[]

const everywhere = commandNames
const local = ['serve', 'status'] as const
const [where, draining, answers] = ['Data directory', 'Maintenance', 'Answers']
const [agent, changes] = ['HAProxy agent-check', 'Changes']
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
    words: ['native', 'pg_controldata', 'off'],
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
  'maintenance-file': {
    commands: local,
    value: 'PATH',
    heading: draining,
    variable: 'PG_REPLSTATUS_MAINTENANCE_FILE',
    help: [
      'while there is such a file, the server is',
      'unavailable; its first line is the reason',
    ],
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
    words: ['refuse', 'close', 'reply'],
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
    help: ['end each answer with a line feed; --no-newline', 'turns it off if it is on elsewhere'],
  },
  allow: {
    commands: ['serve'],
    value: 'NETWORK',
    heading: answers,
    variable: 'PG_REPLSTATUS_ALLOW',
    help: [
      'answer only whoever asks from there, on every port:',
      'an address, or a network as 192.0.2.0/24;',
      'may be given several times (default: everybody)',
    ],
  },
  http: {
    commands: ['serve'],
    value: 'ADDRESS:PORT',
    heading: answers,
    variable: 'PG_REPLSTATUS_HTTP',
    help: [
      'answer HTTP checks there; may be given several',
      'times; without ADDRESS: all of this host',
      '(default: off)',
    ],
  },
  agent: {
    commands: ['serve'],
    value: 'WHERE',
    heading: agent,
    variable: 'PG_REPLSTATUS_AGENT',
    help: [
      'answer an agent-check on ADDRESS:PORT, [IPV6]:PORT',
      'or PORT; may be given several times',
      '(default: nowhere)',
    ],
  },
  'agent-up-for': {
    commands: ['serve'],
    value: 'ROLE',
    words: ['primary', 'standby', 'any'],
    heading: agent,
    variable: 'PG_REPLSTATUS_AGENT_UP_FOR',
    help: ['primary, standby, or any for either of the two:', 'who is up (default: primary)'],
  },
  'on-change': {
    commands: ['serve'],
    value: 'COMMAND',
    heading: changes,
    variable: 'PG_REPLSTATUS_ON_CHANGE',
    help: [
      'have /bin/sh run this when the answer changes, with',
      'PG_REPLSTATUS_ROLE and more in its environment',
    ],
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
    words: logLevels,
    heading: log,
    variable: 'PG_REPLSTATUS_LOG_LEVEL',
    help: ['error, warning, notice, info or debug', '(default: info)'],
  },
  'log-format': {
    commands: ['serve'],
    value: 'FORMAT',
    words: logFormats,
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
  nagios: {
    commands: ['status'],
    heading: output,
    variable: null,
    help: ['print a line as plugins of Nagios and Icinga do,', 'and exit as they do'],
  },
  expect: {
    commands: ['status'],
    value: 'ROLE',
    words: ['primary', 'standby', 'any'],
    heading: output,
    variable: null,
    help: [
      'primary, standby, or any for either of the two;',
      'the exit code tells whether that is so, and the',
      'server listens on an address',
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
} as const satisfies { readonly [name: string]: OptionSpec }

export type OptionName = keyof typeof optionTable

const entries = Object.entries(optionTable) as readonly (readonly [OptionName, OptionSpec])[]

/** Its options, in the order in which the help lists them. */
export const optionsOf = (command: CommandName): readonly (readonly [OptionName, OptionSpec])[] =>
  entries.filter(([, { commands }]) => commands.includes(command))
