/** Every option: its commands, how it is written, and its help text. */
import { wireWords } from '../../serve/role/reply.ts'
import { logFormats } from '../output/log.ts'
import { logLevels } from '../output/log-entries.ts'
import { commandOptions } from './command-options.ts'
import { commandNames, group } from './option-spec.ts'

const local = ['serve', 'status'] as const
const onThisHost = [...local, 'history'] as const

export const optionTable = {
  ...group('Data directory', onThisHost, {
    pgdata: {
      short: 'D',
      value: 'DIR',
      variable: 'PGDATA',
      help: ["the server's data directory [PGDATA]"],
    },
  }),
  ...group('Data directory', local, {
    'control-check': {
      value: 'HOW',
      words: ['native', 'pg_controldata', 'off'],
      help: [
        'how to determine the role (default: native)',
        'native          read global/pg_control',
        "pg_controldata  run PostgreSQL's program of that",
        '                name, which reads it',
        'off             use signal files only, which set',
        '                the role of the next start',
      ],
    },
    'pg-controldata': {
      value: 'PATH',
      help: ['that program', "(default: of the server's version, else in PATH)"],
    },
  }),
  ...group('Data directory', ['serve'], {
    wait: {
      help: [
        'start even if that directory does not exist yet;',
        '--no-wait turns it off if it is on elsewhere',
      ],
    },
  }),
  ...group('Several clusters', ['serve'], {
    config: {
      value: 'FILE',
      help: ['configuration file, a [section] for each cluster;', 'read again on SIGHUP'],
    },
    'check-config': {
      variable: null,
      help: ['check that file, then exit'],
    },
    discover: {
      variable: null,
      help: ["print such a file for Debian's clusters, then exit"],
    },
  }),
  ...group('Maintenance', local, {
    'maintenance-file': {
      value: 'PATH',
      help: ['while this file exists, the server is', 'unavailable; its first line is the reason'],
    },
  }),
  ...group('Account', onThisHost, {
    user: {
      value: 'NAME',
      help: ['user to become if started as root', '(default: the owner of the data directory)'],
    },
  }),
  ...group('Answers', ['serve'], {
    port: {
      value: 'PORT',
      help: ['port to answer on (default: 5400)'],
    },
    bind: {
      value: 'ADDRESS',
      help: ['address to answer on; may be given several times', '(default: all of this host)'],
    },
    'when-unavailable': {
      value: 'HOW',
      words: ['refuse', 'close', 'reply'],
      help: [
        'while there is no role (default: refuse)',
        'refuse  close the port',
        'close   accept, and close without sending data',
        `reply   send ${wireWords.unavailable}`,
      ],
    },
    newline: {
      help: [
        'end each answer with a line feed; --no-newline',
        'turns it off if it is on elsewhere',
      ],
    },
    allow: {
      value: 'NETWORK',
      help: [
        'accept clients from this network only, on every',
        'port: an address, or a network such as',
        '192.0.2.0/24; may be given several times',
        '(default: all clients)',
      ],
    },
  }),
  ...group('HTTP', ['serve'], {
    http: {
      value: 'ADDRESS:PORT',
      help: [
        'answer HTTP checks there; may be given several',
        'times; without ADDRESS: all of this host;',
        'unix:PATH: a Unix socket (default: off)',
      ],
    },
    'http-health': {
      value: 'ADDRESS:PORT',
      help: [
        'answer HTTP checks there, but no page that shows',
        'more than the role (/status, /metrics, /history)',
        '(default: off)',
      ],
    },
    'http-host': {
      value: 'NAME',
      help: [
        'host name under which these pages may be requested,',
        'or .DOMAIN for every name in it; may be given',
        'several times (default: the name of this host)',
      ],
    },
    'http-cert': {
      value: 'FILE',
      help: ['answer HTTPS instead, with this certificate in PEM;', 'read again on SIGHUP'],
    },
    'http-key': {
      value: 'FILE',
      help: ['its private key (default: in the same file)'],
    },
    'http-client-ca': {
      value: 'FILE',
      help: [
        'pages that show more than the role only for clients',
        'with a certificate of one of these authorities',
      ],
    },
  }),
  ...group('Other members of the cluster', ['serve'], {
    peer: {
      value: 'HOST:PORT',
      help: [
        'HTTP address (--http) of pg-replstatus of another',
        'member, or https://HOST:PORT; may be repeated: a',
        'primary that one of them has replaced becomes',
        'unavailable (default: none)',
      ],
    },
    'peer-timeout': {
      value: 'MS',
      help: ['time limit of a question (default: 1000)'],
    },
    'when-superseded': {
      value: 'HOW',
      words: ['unavailable', 'warn'],
      help: [
        'a primary that was replaced is unavailable, or has',
        'a warning (default: unavailable)',
      ],
    },
  }),
  ...group('HAProxy agent-check', ['serve'], {
    agent: {
      value: 'WHERE',
      help: [
        'answer an agent-check on ADDRESS:PORT, [IPV6]:PORT',
        'or PORT; may be given several times',
        '(default: nowhere)',
      ],
    },
    'agent-up-for': {
      value: 'ROLE',
      words: ['primary', 'standby', 'any'],
      help: ['role that is up: primary, standby, or any for', 'either of them (default: primary)'],
    },
    'agent-lag': {
      value: 'SIZE',
      help: [
        'a standby is down if it is further behind, or if',
        'that is unknown: bytes, or 512kB, 10MB, ...;',
        'requires --peer (default: no limit)',
      ],
    },
  }),
  ...group('Changes', ['serve'], {
    'on-change': {
      value: 'COMMAND',
      help: [
        'run this with /bin/sh when the answer changes, with',
        'PG_REPLSTATUS_ROLE and more in its environment',
      ],
    },
  }),
  ...group('Watching, in milliseconds', ['serve'], {
    interval: {
      value: 'MS',
      help: ['time between checks, even if no file changes', '(default: 500)'],
    },
    lease: {
      value: 'MS',
      help: ['maximum age of a result', '(default: 3 intervals; at least 2)'],
    },
  }),
  ...group('Log, on standard error', ['serve'], {
    'log-level': {
      value: 'LEVEL',
      words: logLevels,
      help: ['error, warning, notice, info or debug', '(default: info)'],
    },
    'log-format': {
      value: 'FORMAT',
      words: logFormats,
      help: ['text or json (default: text)'],
    },
  }),
  ...commandOptions,
  ...group('', commandNames, {
    help: {
      short: '?',
      variable: null,
      help: ['show this help, then exit'],
    },
  }),
}

export type OptionName = keyof typeof optionTable
