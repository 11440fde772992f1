import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfiguration } from '../../../src/cli/config/configuration.ts'
import type { ConfigRequest } from '../../../src/cli/options/option-values.ts'
import { repositoryRoot } from '../../harness/repository.ts'
import { serveDefaults } from '../../harness/serve-options.ts'

const read = (lines: readonly string[], changes: Partial<ConfigRequest> = {}) =>
  readConfiguration(lines.join('\n'), {
    path: 'x.conf',
    source: '--config',
    flags: new Map([['config', ['x.conf']]]),
    environment: {},
    ...changes,
  })
const understood = (lines: readonly string[], changes: Partial<ConfigRequest> = {}) => {
  const result = read(lines, changes)
  if (!result.ok) throw new Error(JSON.stringify(result.fault))
  const clusters = result.fact.clusters.map(({ name, options }) => ({ name, options }))
  return { ...result.fact, clusters }
}
const mistakes = (lines: readonly string[], changes: Partial<ConfigRequest> = {}) => {
  const result = read(lines, changes)
  return result.ok ? [] : result.fault
}
const messages = (...lines: readonly string[]) => mistakes(lines).map(({ message }) => message)

t.test('each section is a cluster, and settings above the first apply to all of them', async t => {
  const found = understood([
    'log-level = debug',
    'log-format = json',
    'interval = 100',
    'bind = 127.0.0.1',
    '[a]',
    'pgdata = /a',
    '[b]',
    'pgdata = /b',
    'port = 5401',
    'interval = 200',
    'newline = on',
    'bind = ::1',
    'bind = ::2, ::3',
  ])
  t.strictSame(found, {
    logLevel: 'debug',
    logFormat: 'json',
    user: null,
    clusters: [
      {
        name: 'a',
        options: { ...serveDefaults, pgdata: '/a', port: 5400, intervalMs: 100, leaseMs: 300 },
      },
      {
        name: 'b',
        options: {
          ...serveDefaults,
          pgdata: '/b',
          port: 5401,
          intervalMs: 200,
          leaseMs: 600,
          newline: true,
          bind: ['::1', '::2', '::3'],
        },
      },
    ],
  })
})

t.test('the user to become is of the whole process', async t => {
  const lines = ['user = postgres', '[a]', 'pgdata = /a']
  t.match(understood(lines), { user: 'postgres' })
  t.match(understood(lines, { flags: new Map([['user', ['alice']]] as const) }), { user: 'alice' })
  t.match(messages('[a]', 'pgdata = /a', 'user = alice'), [
    /user must be set above the first section/,
  ])
})

t.test('a flag takes precedence over the environment, and that over the file', async t => {
  const lines = ['interval = 100', '[a]', 'pgdata = /a', 'interval = 200']
  const environment = { PG_REPLSTATUS_INTERVAL: '300', PG_REPLSTATUS_LOG_LEVEL: 'error' }
  t.match(understood(lines, { environment }), {
    logLevel: 'error',
    clusters: [{ options: { intervalMs: 300 } }],
  })
  const flags = new Map([['interval', ['400']]] as const)
  t.match(understood(lines, { environment, flags }), {
    clusters: [{ options: { intervalMs: 400 } }],
  })
})

t.test('a switch of the file can be turned off on the command line', async t => {
  const flags = new Map([['newline', ['off']]] as const)
  t.match(understood(['newline = on', '[a]', 'pgdata = /a'], { flags }), {
    clusters: [{ options: { newline: false } }],
  })
})

t.test('the environment sets neither the cluster nor the port', async t => {
  const environment = { PGDATA: '/other', PG_REPLSTATUS_PORT: 'x' }
  t.match(understood(['[a]', 'pgdata = /a'], { environment }), {
    clusters: [{ options: { pgdata: '/a', port: 5400 } }],
  })
})

t.test('every error is reported once, in the order of lines', async t => {
  const flags = new Map([['lease', ['x']]] as const)
  const lines = [
    'bind = here',
    'log-level = loud',
    '[a]',
    'port = abc',
    'prot = 1',
    '[b]',
    'pgdata = /b',
    'port = 1',
    'port = 2',
    'port = 3',
  ]
  const hint = 'see "pg-replstatus serve --help"'
  t.strictSame(mistakes(lines, { flags }), [
    {
      message:
        '--lease must be a whole number from 1000 (twice the default of interval) to 600000, but is "x"',
      hint,
    },
    { message: 'x.conf:1: bind must be an IPv4 or IPv6 address, but is "here"', hint },
    {
      message: 'x.conf:2: log-level must be error, warning, notice, info or debug, but is "loud"',
      hint,
    },
    {
      message: 'x.conf:3: pgdata of cluster a is not set',
      hint: 'add a line such as: pgdata = /var/lib/postgresql/16/main',
    },
    { message: 'x.conf:4: port must be a whole number from 0 to 65535, but is "abc"', hint },
    { message: 'x.conf:5: unknown key "prot"', hint: 'did you mean port?' },
    { message: 'x.conf:10: port is already set in line 8', hint },
    { message: 'x.conf:10: port is already set in line 9', hint },
  ])
})

t.test('each cluster has the place where its settings were given', async t => {
  const result = read(['port = 1', '[a]', 'pgdata = /a', 'bind = ::1'])
  const given = result.ok ? result.fact.clusters[0]?.given : null
  t.strictSame(given?.get('port'), [{ name: 'port', text: '1', at: { path: 'x.conf', line: 1 } }])
  t.match(given?.get('bind'), [{ at: { line: 4 } }])
})

t.test('without a section there is nothing to do', async t => {
  t.strictSame(mistakes(['; nothing']), [
    {
      message: 'x.conf has no section',
      hint: 'add a section for each cluster: [main], and below it pgdata = ...',
    },
  ])
  t.strictSame(messages('[a]', 'pgdata ='), ['x.conf:2: pgdata must be a path, but is ""'])
})

t.test('two clusters share neither directory nor port', async t => {
  t.strictSame(messages('[a]', 'pgdata = /d', '[b]', 'pgdata = /d/', 'port = 5401'), [
    'x.conf:4: pgdata "/d" is already used by cluster a',
  ])
  t.strictSame(messages('[a]', 'pgdata = /a', '[b]', 'pgdata = /b'), [
    'x.conf:3: port 5400 of cluster b is already used by cluster a (x.conf:1)',
  ])
})

t.test('what is given on the command line is not blamed on a line of the file', async t => {
  const lines = ['[a]', 'pgdata = /a', 'port = 1', '[b]', 'pgdata = /b', 'port = 2']
  const flags = new Map([['http', ['8008']]] as const)
  t.strictSame(mistakes(lines, { flags }), [
    {
      message: '--http: port 8008 of cluster b is already used by cluster a',
      hint: '--http applies to every cluster: set http in each section instead',
    },
  ])
})

t.test('the example of its page is understood', async t => {
  const page = readFileSync(join(repositoryRoot(), 'fixtures/docs/several-clusters.md'), 'utf8')
  const [, example = ''] = /^```ini\n(; These apply to all[^]*?)^```$/m.exec(page) ?? []
  t.match(understood([example]), {
    logFormat: 'json',
    clusters: [
      { name: '16-main', options: { pgdata: '/var/lib/postgresql/16/main', intervalMs: 250 } },
      { name: '17-reports', options: { port: 5401, bind: ['10.0.0.7', 'fd00::7'], newline: true } },
    ],
  })
})
