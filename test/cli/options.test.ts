import { join } from 'node:path'
import t from 'tap'
import { parseCommandLine } from '../../src/cli/options.ts'

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
    newline: false,
    onChange: null,
    http: [],
    allow: [],
    agent: [],
    agentUpFor: 'primary',
    intervalMs: 500,
    leaseMs: 1500,
    logLevel: 'info',
    logFormat: 'text',
  })
  t.strictSame(understood('serve -D /data'), understood('-D /data'))
  t.strictSame(served('', { PGDATA: '/data' }), served('-D /data'))
})

t.test('each option of serve has its effect', async t => {
  const effects = {
    '--control-check off': { controlCheck: 'off' },
    '--control-check pg_controldata': { controlCheck: 'pg_controldata' },
    '--pg-controldata /bin/pg_controldata': { pgControldata: '/bin/pg_controldata' },
    '--maintenance-file /run/drained': { maintenanceFile: '/run/drained' },
    '--port 5401': { port: 5401 },
    '--bind ::1': { bind: ['::1'] },
    '--when-unavailable close': { whenUnavailable: 'close' },
    '--when-unavailable reply': { whenUnavailable: 'reply' },
    '--newline': { newline: true },
    '--on-change notify': { onChange: 'notify' },
    '--http 8008': { http: [{ address: null, port: 8008 }] },
    '--allow 192.0.2.0/24': { allow: [{ address: '192.0.2.0', prefix: 24 }] },
    '--agent 127.0.0.1:5410': { agent: [{ address: '127.0.0.1', port: 5410 }] },
    '--agent-up-for any': { agentUpFor: 'any' },
    '--interval 100': { intervalMs: 100, leaseMs: 300 },
    '--lease 1000': { intervalMs: 500, leaseMs: 1000 },
    '--log-level error': { logLevel: 'error' },
    '--log-format json': { logFormat: 'json' },
  }
  const options = served('-D /data')
  for (const [line, effect] of Object.entries(effects)) {
    t.strictSame(served(`-D /data ${line}`), { ...options, ...effect }, line)
  }
})

t.test('so has each variable of the environment, unless a flag says otherwise', async t => {
  const environment = {
    PGDATA: '/from/env',
    PG_REPLSTATUS_CONTROL_CHECK: 'off',
    PG_REPLSTATUS_PG_CONTROLDATA: '/env/pg_controldata',
    PG_REPLSTATUS_MAINTENANCE_FILE: '/env/drained',
    PG_REPLSTATUS_PORT: '1',
    PG_REPLSTATUS_BIND: '127.0.0.1,::1',
    PG_REPLSTATUS_WHEN_UNAVAILABLE: 'close',
    PG_REPLSTATUS_NEWLINE: 'on',
    PG_REPLSTATUS_ON_CHANGE: 'notify',
    PG_REPLSTATUS_HTTP: '8008,[::1]:8009',
    PG_REPLSTATUS_ALLOW: '192.0.2.0/24, ::1',
    PG_REPLSTATUS_AGENT: '5410,[::1]:5411',
    PG_REPLSTATUS_AGENT_UP_FOR: 'standby',
    PG_REPLSTATUS_INTERVAL: '1000',
    PG_REPLSTATUS_LEASE: '2000',
    PG_REPLSTATUS_LOG_LEVEL: 'error',
    PG_REPLSTATUS_LOG_FORMAT: 'json',
  }
  t.strictSame(served('', environment), {
    pgdata: '/from/env',
    controlCheck: 'off',
    pgControldata: '/env/pg_controldata',
    maintenanceFile: '/env/drained',
    port: 1,
    bind: ['127.0.0.1', '::1'],
    whenUnavailable: 'close',
    newline: true,
    onChange: 'notify',
    http: [
      { address: null, port: 8008 },
      { address: '::1', port: 8009 },
    ],
    allow: [
      { address: '192.0.2.0', prefix: 24 },
      { address: '::1', prefix: 128 },
    ],
    agent: [
      { address: null, port: 5410 },
      { address: '::1', port: 5411 },
    ],
    agentUpFor: 'standby',
    intervalMs: 1000,
    leaseMs: 2000,
    logLevel: 'error',
    logFormat: 'json',
  })
  const line =
    '-D /flag --control-check native --pg-controldata /flag/pg_controldata ' +
    '--maintenance-file /flag/drained --port 2 --bind ::2 --when-unavailable reply ' +
    '--on-change other --http 3 --allow ::3 --agent 3 --agent-up-for any --interval 100 ' +
    '--lease 200 --log-level debug --log-format text'
  t.strictSame(
    understood(`${line} --newline`, { ...environment, PG_REPLSTATUS_NEWLINE: 'off' }),
    understood(`${line} --newline`),
  )
})

t.test('a variable can say off as well as on', async t => {
  const newline = (text: string) => served('-D /data', { PG_REPLSTATUS_NEWLINE: text })
  t.match(newline('off'), { newline: false })
  t.match(newline('0'), { newline: false })
  t.match(mistake('-D /data', { PG_REPLSTATUS_NEWLINE: 'maybe' }), {
    message: 'PG_REPLSTATUS_NEWLINE is "maybe", wanted on or off',
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
  for (const option of ['http', 'agent']) {
    const line = `--${option} 5410 --${option} [::1]:5410,5410 --${option} [::1]:5410`
    t.match(served(`-D /data ${line}`), {
      [option]: [
        { address: null, port: 5410 },
        { address: '::1', port: 5410 },
      ],
    })
  }
})

t.test('paths are absolute from here on', async t => {
  t.match(served('-D data --pg-controldata bin/pg_controldata --maintenance-file drained'), {
    pgdata: join(process.cwd(), 'data'),
    pgControldata: join(process.cwd(), 'bin/pg_controldata'),
    maintenanceFile: join(process.cwd(), 'drained'),
  })
})

t.test('values out of bounds are told with the bounds', async t => {
  const hint = 'see "pg-replstatus serve --help"'
  const messages = {
    '--port 65536': '--port is "65536", wanted a whole number from 0 to 65535',
    '--port http': '--port is "http", wanted a whole number from 0 to 65535',
    '--interval 49': '--interval is "49", wanted a whole number from 50 to 60000',
    '--interval 60001': '--interval is "60001", wanted a whole number from 50 to 60000',
    '--bind localhost': '--bind is "localhost", wanted an IPv4 or IPv6 address',
    '--allow 192.0.2.0/33':
      '--allow is "192.0.2.0/33", wanted an address, or a network as 192.0.2.0/24 or 2001:db8::/32',
    '--agent localhost:1':
      '--agent is "localhost:1", wanted PORT, ADDRESS:PORT or [ADDRESS]:PORT, with a port from 0 to 65535',
    '--agent-up-for master': '--agent-up-for is "master", wanted primary, standby or any',
    '--bind ::1,': '--bind is "", wanted an IPv4 or IPv6 address',
    '--http ::1:8008':
      '--http is "::1:8008", wanted PORT, ADDRESS:PORT or [ADDRESS]:PORT, with a port from 0 to 65535',
    '--when-unavailable die': '--when-unavailable is "die", wanted refuse, close or reply',
    '--control-check on': '--control-check is "on", wanted native, pg_controldata or off',
    '--log-level warn': '--log-level is "warn", wanted error, warning, notice, info or debug',
    '--log-format xml': '--log-format is "xml", wanted text or json',
    '--maintenance-file=': '--maintenance-file is "", wanted a path',
    '--pg-controldata=': '--pg-controldata is "", wanted a path',
  }
  for (const [line, message] of Object.entries(messages)) {
    t.strictSame(mistake(`-D /data ${line}`), { message, hint })
  }
})

t.test('a lease that would end at every tick is a mistake', async t => {
  t.match(served('-D /data --interval 100 --lease 200'), { leaseMs: 200 })
  t.match(mistake('-D /data --lease 199', { PG_REPLSTATUS_INTERVAL: '100' }), {
    message: /^--lease is "199", wanted .* 200, which is twice PG_REPLSTATUS_INTERVAL,/,
  })
  t.match(mistake('-D /data --interval 100 --lease 199'), {
    message:
      '--lease is "199", wanted a whole number from 200, which is twice --interval, to 600000',
  })
})

t.test('of several mistakes each is told', async t => {
  t.match(mistakes('-D /data --port x --bind y,z --log-level loud'), [
    { message: /^--port is "x"/ },
    { message: /^--bind is "y"/ },
    { message: /^--bind is "z"/ },
    { message: /^--log-level is "loud"/ },
  ])
  t.match(mistakes('serve /data --port x'), [
    { message: 'unexpected argument "/data"' },
    { message: 'no data directory was given' },
    { message: /^--port/ },
  ])
  t.match(mistakes('status --control-check x --expect y'), [
    { message: 'no data directory was given' },
    { message: /^--control-check/ },
    { message: /^--expect/ },
  ])
  t.match(mistakes('query a:b c:d --timeout x'), [
    { message: /^"a:b"/ },
    { message: /^"c:d"/ },
    { message: /^--timeout/ },
  ])
})

t.test('a configuration file is told of, and read by others', async t => {
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
      message: '--pgdata is given beside a configuration file, wanted in its sections',
      hint: 'write pgdata = ... below the [section] of the cluster, or leave out --config',
    },
    { message: /^--port is given beside/ },
  ])
  t.match(mistake('--port 5400', { PG_REPLSTATUS_CONFIG: '/x' }), {
    message: /^--port is given beside a configuration file/,
    hint: /, or leave out PG_REPLSTATUS_CONFIG$/,
  })
  t.match(mistake('--config='), { message: '--config is "", wanted a path' })
})

t.test('to check a file it has to be named', async t => {
  t.strictSame(mistake('-D /data --check-config'), {
    message: 'no configuration file was given to check',
    hint: 'name it with --config',
  })
  t.match(mistake('--check-config'), { message: 'no configuration file was given to check' })
})

t.test("Debian's clusters are looked for whatever else is said", async t => {
  t.strictSame(understood('--discover'), { command: 'discover' })
  t.match(mistake('--discover x'), { message: 'unexpected argument "x"' })
})

t.test('without a data directory there is nothing to do', async t => {
  const expected = {
    message: 'no data directory was given',
    hint: 'name it with -D, or in PGDATA',
  }
  t.strictSame(mistake(''), expected)
  t.strictSame(mistake('status'), expected)
  t.strictSame(mistake('', { PGDATA: '' }), expected)
})

t.test('an empty data directory is not taken for the current one', async t => {
  t.match(mistake('--pgdata='), { message: '--pgdata is "", wanted a path' })
})

t.test('status looks where serve looks', async t => {
  t.strictSame(understood('status -D /data'), {
    command: 'status',
    options: {
      pgdata: '/data',
      controlCheck: 'native',
      pgControldata: null,
      maintenanceFile: null,
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
    message: '--json and --nagios are given together, wanted one of them',
    hint: 'both say what to print, each for another kind of program',
  })
  t.match(understood('status -D /data --maintenance-file /run/drained'), {
    options: { maintenanceFile: '/run/drained' },
  })
  t.match(understood('status -D /data --expect primary'), { options: { expect: 'primary' } })
  t.match(mistake('status -D /data --expect master'), {
    message: '--expect is "master", wanted primary, standby or any',
    hint: 'see "pg-replstatus status --help"',
  })
})

t.test('variables that are wrong for serve do not matter to status', async t => {
  t.match(understood('status -D /data', { PG_REPLSTATUS_PORT: 'x' }), { command: 'status' })
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
    message: '"db1:http" has port "http", wanted 1 to 65535',
    hint,
  })
  t.match(mistake('query --timeout 0'), { message: /^--timeout is "0"/, hint })
})

t.test('what stands in the wrong place is told where it belongs', async t => {
  t.strictSame(mistake('-D /data status'), {
    message: '"status" has to come first',
    hint: 'pg-replstatus status [OPTION]...',
  })
  t.strictSame(mistake('status /data -D /data'), {
    message: 'unexpected argument "/data"',
    hint: 'the data directory is given with -D',
  })
})

t.test('a mistake in the words themselves comes first', async t => {
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

t.test('help and version are had wherever they are asked for, whatever is wrong', async t => {
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
