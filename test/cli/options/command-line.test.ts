import { join } from 'node:path'
import t from 'tap'
import { parseCommandLine } from '../../../src/cli/options/command-line.ts'

type Environment = Parameters<typeof parseCommandLine>[1]

const parsed = (line: string, environment: Environment = {}) =>
  parseCommandLine(line === '' ? [] : line.split(' '), environment)
const understood = (line: string, environment: Environment = {}) => {
  const result = parsed(line, environment)
  if (!result.ok) throw new Error(result.fault[0]?.message)
  return result.fact
}
const mistakes = (line: string, environment: Environment = {}) => {
  const result = parsed(line, environment)
  return result.ok ? [] : result.fault
}
/** The only one. */
const mistake = (line: string, environment: Environment = {}) => {
  const all = mistakes(line, environment)
  return all.length === 1 ? all[0] : all
}
/** What is served, with how it is logged. */
const served = (line: string, environment: Environment = {}) => {
  const found = understood(line, environment)
  if (found.command !== 'serve') throw new Error(`it is ${found.command}`)
  const { clusters, ...log } = found.configuration
  const [{ name, options } = { name: '' }] = clusters
  t.equal(clusters.length, 1)
  t.equal(name, null)
  return { ...options, ...log }
}

t.test('serve needs a data directory, and has a default for all else', async t => {
  t.strictSame(served('-D /data'), {
    pgdata: '/data',
    controlCheck: 'native',
    pgControldata: null,
    maintenanceFile: null,
    port: 5400,
    bind: [],
    whenUnavailable: 'refuse',
    wait: false,
    newline: false,
    onChange: null,
    http: [],
    httpHealth: [],
    httpHosts: [],
    httpTls: null,
    allow: [],
    agent: [],
    agentUpFor: 'primary',
    agentLag: null,
    peers: [],
    peerTimeoutMs: 1000,
    whenSuperseded: 'unavailable',
    intervalMs: 500,
    leaseMs: 1500,
    logLevel: 'info',
    logFormat: 'text',
    user: null,
  })
  t.strictSame(understood('serve -D /data'), understood('-D /data'))
  t.strictSame(served('', { PGDATA: '/data' }), served('-D /data'))
})

const s2 = { text: 's2:8008', secure: false, host: 's2', port: 8008 }

t.test('each option of serve has its effect', async t => {
  const effects = {
    '--control-check off': { controlCheck: 'off' },
    '--control-check pg_controldata': { controlCheck: 'pg_controldata' },
    '--pg-controldata /bin/pg_controldata': { pgControldata: '/bin/pg_controldata' },
    '--maintenance-file /run/maintenance': { maintenanceFile: '/run/maintenance' },
    '--port 5401': { port: 5401 },
    '--bind ::1': { bind: ['::1'] },
    '--when-unavailable close': { whenUnavailable: 'close' },
    '--when-unavailable reply': { whenUnavailable: 'reply' },
    '--newline': { newline: true },
    '--wait': { wait: true },
    '--on-change notify': { onChange: 'notify' },
    '--http 8008': { http: [{ address: null, port: 8008 }] },
    '--http unix:/run/x/http.sock': { http: [{ address: '/run/x/http.sock', port: 0 }] },
    '--http-health 8009': { httpHealth: [{ address: null, port: 8009 }] },
    '--http-host DB1.example.com': { httpHosts: ['db1.example.com'] },
    '--http-cert /c': { httpTls: { cert: '/c', key: null, clientCa: null } },
    '--http-cert /c --http-key /k --http-client-ca /a': {
      httpTls: { cert: '/c', key: '/k', clientCa: '/a' },
    },
    '--allow 192.0.2.0/24': { allow: [{ address: '192.0.2.0', prefix: 24 }] },
    '--agent 127.0.0.1:5410': { agent: [{ address: '127.0.0.1', port: 5410 }] },
    '--agent-up-for any': { agentUpFor: 'any' },
    '--agent 5410 --agent-up-for standby --agent-lag 512kB --peer s2:8008': {
      agent: [{ address: null, port: 5410 }],
      agentUpFor: 'standby',
      agentLag: 524_288,
      peers: [s2],
    },
    '--peer s2:8008': { peers: [s2] },
    '--peer s2:8008 --peer-timeout 300 --when-superseded warn': {
      peers: [s2],
      peerTimeoutMs: 300,
      whenSuperseded: 'warn',
    },
    '--interval 100': { intervalMs: 100, leaseMs: 300 },
    '--lease 1000': { intervalMs: 500, leaseMs: 1000 },
    '--log-level error': { logLevel: 'error' },
    '--log-format json': { logFormat: 'json' },
    '--user postgres': { user: 'postgres' },
  }
  const options = served('-D /data')
  for (const [line, effect] of Object.entries(effects)) {
    t.strictSame(served(`-D /data ${line}`), { ...options, ...effect }, line)
  }
})

t.test('so has each variable of the environment, which a flag overrides', async t => {
  const environment = {
    PGDATA: '/from/env',
    PG_REPLSTATUS_CONTROL_CHECK: 'pg_controldata',
    PG_REPLSTATUS_PG_CONTROLDATA: '/env/pg_controldata',
    PG_REPLSTATUS_MAINTENANCE_FILE: '/env/maintenance',
    PG_REPLSTATUS_PORT: '1',
    PG_REPLSTATUS_BIND: '127.0.0.1,::1',
    PG_REPLSTATUS_WHEN_UNAVAILABLE: 'close',
    PG_REPLSTATUS_NEWLINE: 'on',
    PG_REPLSTATUS_WAIT: 'on',
    PG_REPLSTATUS_ON_CHANGE: 'notify',
    PG_REPLSTATUS_HTTP: '8008,[::1]:8009',
    PG_REPLSTATUS_HTTP_HEALTH: '8010',
    PG_REPLSTATUS_HTTP_HOST: 'A.example, .b.example',
    PG_REPLSTATUS_HTTP_CERT: '/env/c',
    PG_REPLSTATUS_HTTP_KEY: '/env/k',
    PG_REPLSTATUS_HTTP_CLIENT_CA: '/env/a',
    PG_REPLSTATUS_ALLOW: '192.0.2.0/24, ::1',
    PG_REPLSTATUS_AGENT: '5410,[::1]:5411',
    PG_REPLSTATUS_AGENT_UP_FOR: 'standby',
    PG_REPLSTATUS_AGENT_LAG: '16MB',
    PG_REPLSTATUS_PEER: 's2:8008,https://[::1]:8009',
    PG_REPLSTATUS_PEER_TIMEOUT: '200',
    PG_REPLSTATUS_WHEN_SUPERSEDED: 'warn',
    PG_REPLSTATUS_INTERVAL: '1000',
    PG_REPLSTATUS_LEASE: '2000',
    PG_REPLSTATUS_LOG_LEVEL: 'error',
    PG_REPLSTATUS_LOG_FORMAT: 'json',
    PG_REPLSTATUS_USER: 'alice',
  }
  t.strictSame(served('', environment), {
    pgdata: '/from/env',
    controlCheck: 'pg_controldata',
    pgControldata: '/env/pg_controldata',
    maintenanceFile: '/env/maintenance',
    port: 1,
    bind: ['127.0.0.1', '::1'],
    whenUnavailable: 'close',
    wait: true,
    newline: true,
    onChange: 'notify',
    http: [
      { address: null, port: 8008 },
      { address: '::1', port: 8009 },
    ],
    httpHealth: [{ address: null, port: 8010 }],
    httpHosts: ['a.example', '.b.example'],
    httpTls: { cert: '/env/c', key: '/env/k', clientCa: '/env/a' },
    allow: [
      { address: '192.0.2.0', prefix: 24 },
      { address: '::1', prefix: 128 },
    ],
    agent: [
      { address: null, port: 5410 },
      { address: '::1', port: 5411 },
    ],
    agentUpFor: 'standby',
    agentLag: 16_777_216,
    peers: [s2, { text: 'https://[::1]:8009', secure: true, host: '::1', port: 8009 }],
    peerTimeoutMs: 200,
    whenSuperseded: 'warn',
    intervalMs: 1000,
    leaseMs: 2000,
    logLevel: 'error',
    logFormat: 'json',
    user: 'alice',
  })
  const line =
    '-D /flag --control-check native --pg-controldata /flag/pg_controldata ' +
    '--maintenance-file /flag/maintenance --port 2 --bind ::2 --when-unavailable reply ' +
    '--on-change other --http 3 --http-health 4 --http-host c --http-cert /c --http-key /k ' +
    '--http-client-ca /a --allow ::3 --agent 3 --agent-up-for any --agent-lag 1kB --interval 100 ' +
    '--peer s3:1 --peer-timeout 100 --when-superseded unavailable ' +
    '--lease 200 --log-level debug --log-format text --user bob --no-wait'
  t.strictSame(
    understood(`${line} --newline`, { ...environment, PG_REPLSTATUS_NEWLINE: 'off' }),
    understood(`${line} --newline`),
  )
})

t.test('a key and an authority are of no use without a certificate', async t => {
  const hint = 'see "pg-replstatus serve --help"'
  t.strictSame(mistake('-D /data --http-key /k'), {
    message: '--http-key requires http-cert',
    hint,
  })
  t.strictSame(mistake('-D /data', { PG_REPLSTATUS_HTTP_CLIENT_CA: '/a' }), {
    message: 'PG_REPLSTATUS_HTTP_CLIENT_CA requires http-cert',
    hint,
  })
})

t.test('options about peers require a peer, and the control file', async t => {
  const hint = 'see "pg-replstatus serve --help"'
  t.strictSame(mistake('-D /data --peer-timeout 300'), {
    message: '--peer-timeout requires peer',
    hint,
  })
  t.strictSame(mistake('-D /data --when-superseded warn'), {
    message: '--when-superseded requires peer',
    hint,
  })
  t.strictSame(mistake('-D /data --peer s2:8008 --control-check off'), {
    message: '--peer cannot be used with --control-check off',
    hint,
  })
})

t.test('a limit of the lag needs an agent for standbys, and a peer', async t => {
  const hint = 'see "pg-replstatus serve --help"'
  const messages = {
    '--peer s2:1 --agent-up-for any': '--agent-lag requires agent',
    '--agent 1 --agent-up-for standby': '--agent-lag requires peer',
    '--agent 1 --peer s2:1': '--agent-lag requires agent-up-for standby or any',
  }
  for (const [line, message] of Object.entries(messages)) {
    t.strictSame(mistake(`-D /data --agent-lag 1MB ${line}`), { message, hint })
  }
})

t.test('peers are repeated or listed, and the same one counts once', async t => {
  const peers = (line: string) => served(`-D /data ${line}`).peers?.map(({ text }) => text)
  t.strictSame(peers('--peer s2:1,s3:1 --peer s2:1'), ['s2:1', 's3:1'])
})

t.test('a variable can be off as well as on', async t => {
  const newline = (text: string) => served('-D /data', { PG_REPLSTATUS_NEWLINE: text })
  t.match(newline('off'), { newline: false })
  t.match(newline('0'), { newline: false })
  t.match(mistake('-D /data', { PG_REPLSTATUS_NEWLINE: 'maybe' }), {
    message: 'PG_REPLSTATUS_NEWLINE must be on or off, but is "maybe"',
  })
})

t.test('a switch of the environment can be turned off on the command line', async t => {
  const environment = { PG_REPLSTATUS_NEWLINE: 'on' }
  t.match(served('-D /data', environment), { newline: true })
  t.match(served('-D /data --no-newline', environment), { newline: false })
  t.match(served('-D /data --newline --no-newline'), { newline: false })
  t.match(served('-D /data --no-newline --newline'), { newline: true })
})

t.test('addresses are repeated or listed, and the same one counts once', async t => {
  const bind = (line: string) => served(`-D /data ${line}`).bind
  t.strictSame(bind('--bind 127.0.0.1 --bind ::1'), ['127.0.0.1', '::1'])
  t.strictSame(bind('--bind 127.0.0.1,::1 --bind ::1'), ['127.0.0.1', '::1'])
})

t.test('so are places for HTTP and for the agent', async t => {
  const names = { http: 'http', 'http-health': 'httpHealth', agent: 'agent' }
  for (const [option, name] of Object.entries(names)) {
    const line = `--${option} 5410 --${option} [::1]:5410,5410 --${option} [::1]:5410`
    t.match(served(`-D /data ${line}`), {
      [name]: [
        { address: null, port: 5410 },
        { address: '::1', port: 5410 },
      ],
    })
  }
})

t.test('paths are absolute from here on', async t => {
  t.match(served('-D data --pg-controldata bin/pg_controldata --maintenance-file maintenance'), {
    pgdata: join(process.cwd(), 'data'),
    pgControldata: join(process.cwd(), 'bin/pg_controldata'),
    maintenanceFile: join(process.cwd(), 'maintenance'),
  })
})

t.test('values out of bounds are reported with the bounds', async t => {
  const hint = 'see "pg-replstatus serve --help"'
  const messages = {
    '--port 65536': '--port must be a whole number from 0 to 65535, but is "65536"',
    '--port http': '--port must be a whole number from 0 to 65535, but is "http"',
    '--interval 49': '--interval must be a whole number from 50 to 60000, but is "49"',
    '--interval 60001': '--interval must be a whole number from 50 to 60000, but is "60001"',
    '--bind localhost': '--bind must be an IPv4 or IPv6 address, but is "localhost"',
    '--allow 192.0.2.0/33':
      '--allow must be an address, or a network such as 192.0.2.0/24 or 2001:db8::/32, but is "192.0.2.0/33"',
    '--agent localhost:1':
      '--agent must be PORT, ADDRESS:PORT or [ADDRESS]:PORT, with a port from 0 to 65535, but is "localhost:1"',
    '--agent-up-for master': '--agent-up-for must be primary, standby or any, but is "master"',
    '--agent 1 --agent-up-for any --peer s2:1 --agent-lag 1mb':
      '--agent-lag must be a number of bytes, or one with B, kB, MB, GB or TB, but is "1mb"',
    '--peer s2': '--peer must be HOST:PORT, http://HOST:PORT or https://HOST:PORT, but is "s2"',
    '--bind ::1,': '--bind must be an IPv4 or IPv6 address, but is ""',
    '--http ::1:8008':
      '--http must be PORT, ADDRESS:PORT or [ADDRESS]:PORT, with a port from 0 to 65535, or unix:PATH, but is "::1:8008"',
    '--http unix:':
      '--http must be PORT, ADDRESS:PORT or [ADDRESS]:PORT, with a port from 0 to 65535, or unix:PATH, but is "unix:"',
    '--when-unavailable die': '--when-unavailable must be refuse, close or reply, but is "die"',
    '--control-check on': '--control-check must be native, pg_controldata or off, but is "on"',
    '--log-level warn': '--log-level must be error, warning, notice, info or debug, but is "warn"',
    '--user a:b': '--user must be a user name, but is "a:b"',
    '--log-format xml': '--log-format must be text or json, but is "xml"',
    '--maintenance-file=': '--maintenance-file must be a path, but is ""',
    '--pg-controldata=': '--pg-controldata must be a path, but is ""',
  }
  for (const [line, message] of Object.entries(messages)) {
    t.strictSame(mistake(`-D /data ${line}`), { message, hint })
  }
})

t.test('a lease that would end at every tick is an error', async t => {
  t.match(served('-D /data --interval 100 --lease 200'), { leaseMs: 200 })
  t.match(mistake('-D /data --lease 199', { PG_REPLSTATUS_INTERVAL: '100' }), {
    message: /^--lease must be .* 200 \(twice PG_REPLSTATUS_INTERVAL\)/,
  })
  t.match(mistake('-D /data --interval 100 --lease 199'), {
    message: '--lease must be a whole number from 200 (twice --interval) to 600000, but is "199"',
  })
})

t.test('of several errors each is reported', async t => {
  t.match(mistakes('-D /data --port x --bind y,z --log-level loud'), [
    { message: /^--port must be .*"x"$/ },
    { message: /^--bind must be .*"y"$/ },
    { message: /^--bind must be .*"z"$/ },
    { message: /^--log-level must be .*"loud"$/ },
  ])
  t.match(mistakes('serve /data --port x'), [
    { message: 'unexpected argument "/data"' },
    { message: 'no data directory specified' },
    { message: /^--port/ },
  ])
  t.match(mistakes('status --control-check x --expect y'), [
    { message: 'no data directory specified' },
    { message: /^--control-check/ },
    { message: /^--expect/ },
  ])
  t.match(mistakes('query a:b c:d --timeout x'), [
    { message: /^invalid port "b" in "a:b"/ },
    { message: /^invalid port "d" in "c:d"/ },
    { message: /^--timeout/ },
  ])
})

t.test('a configuration file is named here, and read elsewhere', async t => {
  const found = understood('--config /etc/x.conf --interval 100', { A: 'b' })
  t.strictSame(found, {
    command: 'serve from file',
    request: {
      path: '/etc/x.conf',
      source: '--config',
      flags: new Map([
        ['config', ['/etc/x.conf']],
        ['interval', ['100']],
      ]),
      environment: { A: 'b' },
      user: null,
    },
  })
  const environment = { PG_REPLSTATUS_CONFIG: '/etc/x.conf', PGDATA: '/data' }
  t.match(understood('', environment), {
    command: 'serve from file',
    request: { source: 'PG_REPLSTATUS_CONFIG' },
  })
  t.match(understood('--check-config', environment), { command: 'check file' })
  t.match(served('-D /data', environment), { pgdata: '/data' }, 'flags go before variables')
})

t.test('what no two clusters share is not for the command line beside a file', async t => {
  t.match(mistakes('--config /x -D /data --port 5400 more'), [
    { message: 'unexpected argument "more"' },
    {
      message: '--pgdata cannot be used with a configuration file',
      hint: 'set pgdata in the [section] of the cluster, or omit --config',
    },
    { message: /^--port cannot be used with/ },
  ])
  t.match(mistake('--port 5400', { PG_REPLSTATUS_CONFIG: '/x' }), {
    message: /^--port cannot be used with a configuration file/,
    hint: /, or omit PG_REPLSTATUS_CONFIG$/,
  })
  t.match(mistake('--config='), { message: '--config must be a path, but is ""' })
})

t.test('to check a file it has to be named', async t => {
  t.strictSame(mistake('-D /data --check-config'), {
    message: 'no configuration file to check',
    hint: 'specify it with --config',
  })
  t.match(mistake('--check-config'), { message: 'no configuration file to check' })
})

t.test('--discover works whatever the other options are', async t => {
  t.strictSame(understood('--discover'), { command: 'discover' })
  t.match(mistake('--discover x'), { message: 'unexpected argument "x"' })
})

t.test('without a data directory there is nothing to do', async t => {
  const expected = {
    message: 'no data directory specified',
    hint: 'specify it with -D or PGDATA',
  }
  t.strictSame(mistake(''), expected)
  t.strictSame(mistake('status'), expected)
  t.strictSame(mistake('', { PGDATA: '' }), expected)
})

t.test('an empty data directory is not taken for the current one', async t => {
  t.match(mistake('--pgdata='), { message: '--pgdata must be a path, but is ""' })
})

t.test('status checks the same directory as serve', async t => {
  t.strictSame(understood('status -D /data'), {
    command: 'status',
    options: {
      pgdata: '/data',
      controlCheck: 'native',
      pgControldata: null,
      maintenanceFile: null,
      user: null,
      print: 'screen',
      expect: null,
    },
    given: new Map([['pgdata', [{ name: '--pgdata', text: '/data', at: null }]]]),
  })
  t.match(understood('status --json --expect any', { PGDATA: '/data' }), {
    options: { pgdata: '/data', print: 'json', expect: 'any' },
  })
  t.match(understood('status -D /data --nagios'), { options: { print: 'nagios' } })
  t.match(mistake('status -D /data --nagios --json'), {
    message: '--json and --nagios cannot be used together',
    hint: 'each sets the format of the output',
  })
  t.match(understood('status -D /data --maintenance-file /run/maintenance'), {
    options: { maintenanceFile: '/run/maintenance' },
  })
  t.match(understood('status -D /data --user postgres'), { options: { user: 'postgres' } })
  t.match(understood('status -D /data --expect primary'), { options: { expect: 'primary' } })
  t.match(mistake('status -D /data --expect master'), {
    message: '--expect must be primary, standby or any, but is "master"',
    hint: 'see "pg-replstatus status --help"',
  })
})

t.test('variables that are wrong for serve do not matter to status', async t => {
  t.match(understood('status -D /data', { PG_REPLSTATUS_PORT: 'x' }), { command: 'status' })
})

t.test('history asks the daemon of a directory, or the one it is given', async t => {
  t.match(understood('history -D /data --json --user postgres'), {
    command: 'history',
    options: { of: { pgdata: '/data' }, user: 'postgres', json: true, timeoutMs: 3000 },
  })
  t.match(understood('history', { PGDATA: '/data' }), { options: { of: { pgdata: '/data' } } })
  const target = { text: 'db1:8008', secure: false, host: 'db1', port: 8008 }
  t.match(understood('history db1:8008 --timeout 100', { PGDATA: '/data' }), {
    command: 'history',
    options: { of: { target }, user: null, json: false, timeoutMs: 100 },
  })
  t.match(mistake('history'), { message: 'no data directory specified' })
  t.match(mistake('history db1:8008 -D /data'), { message: /cannot be used together$/ })
  t.match(mistakes('history db1 x:1'), [
    { message: /^"db1" must be HOST:PORT/, hint: 'see "pg-replstatus history --help"' },
    { message: 'unexpected argument "x:1"' },
  ])
})

t.test('cluster asks the daemon it is given, or that of this host', async t => {
  t.strictSame(understood('cluster'), {
    command: 'cluster',
    options: {
      target: { text: 'localhost:8008', secure: false, host: 'localhost', port: 8008 },
      json: false,
      watch: false,
      timeoutMs: 3000,
    },
  })
  t.match(understood('cluster https://db1:8009 --json --watch --timeout 100'), {
    options: {
      target: { text: 'https://db1:8009', secure: true, host: 'db1', port: 8009 },
      json: true,
      watch: true,
      timeoutMs: 100,
    },
  })
  const hint = 'see "pg-replstatus cluster --help"'
  t.strictSame(mistakes('cluster db1 x:1 --timeout 0'), [
    { message: '"db1" must be HOST:PORT, http://HOST:PORT or https://HOST:PORT', hint },
    { message: 'unexpected argument "x:1"', hint },
    { message: '--timeout must be a whole number from 1 to 600000, but is "0"', hint },
  ])
})

t.test('query asks the ports it is given, or the usual one of this host', async t => {
  t.strictSame(understood('query'), {
    command: 'query',
    options: { targets: [{ host: 'localhost', port: 5400 }], timeoutMs: 3000 },
  })
  t.strictSame(understood('query db1 [::1]:5401 --timeout 100'), {
    command: 'query',
    options: {
      targets: [
        { host: 'db1', port: 5400 },
        { host: '::1', port: 5401 },
      ],
      timeoutMs: 100,
    },
  })
  const hint = 'see "pg-replstatus query --help"'
  t.strictSame(mistake('query db1:http'), {
    message: 'invalid port "http" in "db1:http": must be from 1 to 65535',
    hint,
  })
  t.match(mistake('query --timeout 0'), { message: /^--timeout must be .*"0"$/, hint })
})

t.test('an argument in the wrong place is reported with the right place', async t => {
  t.strictSame(mistake('-D /data status'), {
    message: '"status" must be the first argument',
    hint: 'pg-replstatus status [OPTION]...',
  })
  t.strictSame(mistake('status /data -D /data'), {
    message: 'unexpected argument "/data"',
    hint: 'the data directory must be specified with -D',
  })
})

t.test('an error in the words themselves comes first', async t => {
  t.match(mistake('--prot 5400'), { message: "unknown option '--prot'" })
})

t.test('help and version', async t => {
  t.strictSame(understood('--help'), { command: 'help', of: 'program' })
  t.strictSame(understood('-?'), { command: 'help', of: 'program' })
  t.strictSame(understood('--version'), { command: 'version' })
  t.strictSame(understood('-V'), { command: 'version' })
  t.strictSame(understood('status --help --expect nonsense'), { command: 'help', of: 'status' })
  t.strictSame(understood('-D /data -?'), { command: 'help', of: 'serve' })
})

t.test('help and version are printed wherever they are given, whatever is wrong', async t => {
  const pages = {
    'serve -D x --help': 'serve',
    'status --help --bogus': 'status',
    'status --bogus --help': 'status',
    'query -? :::': 'query',
    '--bogus --help': 'serve',
    '-D --help': 'serve',
    '--port abc -?': 'serve',
    '--help --version': 'program',
    'statsu --help': 'program',
  }
  for (const [line, of] of Object.entries(pages)) {
    t.strictSame(understood(line, { PG_REPLSTATUS_PORT: 'x' }), { command: 'help', of }, line)
  }
  for (const line of [
    '--port abc --version',
    'status -V',
    'query x -V',
    '--bogus -V',
    '-V --help',
  ]) {
    t.strictSame(understood(line), { command: 'version' }, line)
  }
  t.match(understood('query -- --help'), { options: { targets: [{ host: '--help' }] } })
  t.match(mistakes('-D /data -- -V'), [{ message: 'unexpected argument "-V"' }])
})
