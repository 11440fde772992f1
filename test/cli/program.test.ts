import assert from 'node:assert'
import t, { type Test } from 'tap'
import { help } from '../../src/cli/options/help.ts'
import { runProgram, type ProgramContext } from '../../src/cli/program.ts'
import { systemHost } from '../../src/cli/system/host.ts'
import { version } from '../../src/cli/output/version.ts'
import { fact, fault } from '../../src/facts/outcome.ts'
import { wireWords } from '../../src/serve/role/reply.ts'
import { primaryEvidence, standbyEvidence } from '../harness/evidence.ts'
import { fakeHost, noAccounts, rootAccounts } from '../harness/fake-host.ts'
import { deferred } from '../harness/manual-clock.ts'
import { listenAsStranger } from '../harness/tcp-client.ts'

const run = async (
  argv: readonly string[],
  changes: Partial<ProgramContext> = {},
  evidence = primaryEvidence(),
) => {
  const fake = fakeHost(evidence)
  let out = ''
  let err = ''
  const context: ProgramContext = {
    environment: {},
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
    journal: false,
    terminal: false,
    readerGone: () => deferred<void>().promise,
    accounts: noAccounts,
    host: fake.host,
    stopRequested: () => deferred<string>().promise,
    onHistory: () => undefined,
    onMaintenance: () => {},
    onReload: () => undefined,
    readConfig: () => Promise.resolve(fault({ message: 'no file', hint: 'write one' })),
    findClusters: () => Promise.resolve([]),
    ...changes,
  }
  const exitCode = await runProgram(argv, context)
  return { exitCode, out, err }
}

t.test('help and version go to standard output', async t => {
  t.strictSame(await run(['--help']), { exitCode: 0, out: help.program, err: '' })
  t.strictSame(await run(['serve', '--help']), { exitCode: 0, out: help.serve, err: '' })
  t.strictSame(await run(['status', '-?']), { exitCode: 0, out: help.status, err: '' })
  t.strictSame(await run(['-V']), { exitCode: 0, out: `pg-replstatus ${version}\n`, err: '' })
})

t.test('a wrong usage goes to standard error, and is no answer', async t => {
  t.strictSame(await run(['status', '--expct', 'primary']), {
    exitCode: 3,
    out: '',
    err: "pg-replstatus: error: unknown option '--expct'\nhint: did you mean --expect?\n",
  })
})

t.test('all errors are reported at once', async t => {
  const { exitCode, err } = await run(['--port', 'x', '--bind', 'y'])
  t.equal(exitCode, 3)
  t.equal(err.match(/^pg-replstatus: error: .*\nhint: .*\n/gm)?.length, 3)
})

t.test('in the journal errors have the priority of errors', async t => {
  const { err } = await run(['--port', 'x', '-D', '/data'], { journal: true })
  t.match(err, /^<3>pg-replstatus: error: --port must be .*"x".*\n<3>hint: .*\n$/)
})

t.test('status answers', async t => {
  const primary = await run(['status', '-D', '/pgdata'])
  t.match(primary, { exitCode: 0, out: /^primary: \/pgdata\n/, err: '' })
  const environment = { PGDATA: '/pgdata' }
  const standby = await run(['status', '--expect', 'primary'], { environment }, standbyEvidence())
  t.match(standby, { exitCode: 1, out: /^standby: / })
})

t.test('history needs a daemon', async t => {
  t.match(await run(['history', 'localhost:8008']), {
    exitCode: 3,
    out: '',
    err: /^pg-replstatus: error: could not get the history from localhost:8008: ECONNREFUSED\n/,
  })
})

t.test('serve logs on standard error, in the chosen form', async t => {
  const serve = ['-D', '/pgdata', '--port', '0', '--bind', '127.0.0.1', '--log-format', 'json']
  const stop = deferred<string>()
  let err = ''
  const ended = run(serve, {
    err: text => {
      err += text
      if (text.includes('"listening"')) stop.resolve('SIGTERM')
    },
    stopRequested: () => stop.promise,
  })
  t.match(await ended, { exitCode: 0, out: '' })
  const lines = err
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  t.match(lines, [
    { level: 'notice', event: 'started', version, time: '2026-01-01T12:00:00.000Z' },
    { event: 'listening' },
  ])
  t.match(lines.at(-1), { event: 'stopped' })
})

t.test('the level decides what serve logs', async t => {
  const serve = ['-D', '/pgdata', '--port', '0', '--bind', '127.0.0.1', '--log-level', 'error']
  const stopRequested = () => Promise.resolve('SIGTERM')
  t.strictSame(await run(serve, { stopRequested }), { exitCode: 0, out: '', err: '' })
})

const portThatSays = async (t: Test, word: string): Promise<number> => {
  const { server, port } = await listenAsStranger(socket => {
    socket.end(word)
  })
  t.teardown(() => server.close())
  return port
}

t.test('query prints the answers of ports', async t => {
  const primary = `127.0.0.1:${await portThatSays(t, wireWords.primary)}`
  const standby = `127.0.0.1:${await portThatSays(t, wireWords.standby)}`
  t.match(await run(['query', standby]), { exitCode: 1, out: /^127.*standby.*\n$/, err: '' })
  t.match(await run(['query', primary, standby]), {
    exitCode: 0,
    out: /^127.*primary.*\n127.*standby.*\n$/,
  })
  t.match(await run(['query', primary, primary]), { exitCode: 1, out: /\n2 primaries: .*\n$/ })
})

t.test('cluster prints what a daemon reports', async t => {
  const body = JSON.stringify({ members: [{ name: 'db1', role: 'leader', state: 'running' }] })
  const port = await portThatSays(t, `HTTP/1.1 200 OK\r\n\r\n${body}`)
  const { openClusterClient } = systemHost({}, 1)
  const host = { ...fakeHost(null).host, openClusterClient }
  t.match(await run(['cluster', `127.0.0.1:${port}`], { host }), {
    exitCode: 0,
    out: /^cluster, as reported by 127.*\n\nMEMBER .*\ndb1 +primary +running .*\n$/,
    err: '',
  })
})

const saying = (text: string): Partial<ProgramContext> => ({
  readConfig: path => Promise.resolve(fact(`; ${path}\n${text}`)),
})
const two = `port = 0
bind = 127.0.0.1
[a]
pgdata = /pgdata
[b]
pgdata = /pgdata2
`

t.test('a configuration file is checked', async t => {
  const check = ['--config', '/x.conf', '--check-config']
  const good = { exitCode: 0, out: '/x.conf: 2 clusters, no errors\n', err: '' }
  t.strictSame(await run(check, saying(two)), good)
  t.match(await run(check, saying('[a]\npgdata = /a')), { out: '/x.conf: 1 cluster, no errors\n' })
  t.strictSame(await run(check, saying('[a]\nport = x')), {
    exitCode: 3,
    out: '',
    err: `pg-replstatus: error: /x.conf:2: pgdata of cluster a is not set
hint: add a line such as: pgdata = /var/lib/postgresql/16/main
pg-replstatus: error: /x.conf:3: port must be a whole number from 0 to 65535, but is "x"
hint: see "pg-replstatus serve --help"
`,
  })
  t.match(await run(check), { exitCode: 3, err: /error: --config: no file\nhint: write one\n$/ })
})

t.test('and served, and read again', async t => {
  const stop = deferred<string>()
  let err = ''
  let reload = (): void => undefined
  const ended = run(['--config', '/x.conf'], {
    ...saying(two),
    err: text => {
      err += text
      if (/cluster=b .*listening|listening cluster=b/.test(text)) setImmediate(() => reload())
      if (text.includes('reloaded')) stop.resolve('SIGTERM')
    },
    onReload: listener => {
      reload = listener
    },
    stopRequested: () => stop.promise,
  })
  t.match(await ended, { exitCode: 0, out: '' })
  t.match(err, / started cluster=a [^]* started cluster=b /)
  t.match(err, / reloaded started=0 changed=0 stopped=0 unchanged=2\n/)
})

t.test('SIGHUP without a file is no reason to stop', async t => {
  const serve = ['-D', '/pgdata', '--port', '0', '--bind', '127.0.0.1']
  const stop = deferred<string>()
  let err = ''
  const ended = run(serve, {
    err: text => {
      err += text
      if (text.includes('nothing to reload')) stop.resolve('SIGTERM')
    },
    onReload: listener => listener(),
    stopRequested: () => stop.promise,
  })
  t.match(await ended, { exitCode: 0 })
  t.match(err, / notice: nothing to reload /)
})

t.test('directories that are wrong are errors of the file', async t => {
  const check = ['--config', '/x.conf', '--check-config']
  const host = systemHost({}, process.pid)
  const nowhere = { ...saying('[a]\npgdata = /no/such/place'), host }
  t.match(await run(check, nowhere), {
    exitCode: 3,
    out: '',
    err: /^pg-replstatus: error: cluster a: pgdata \(\/x.conf:3\): .* does not exist\nhint: .*\n$/,
  })
})

t.test('a configuration file that another user can change is read as that user', async t => {
  const accounts = rootAccounts({ '/etc': 0, '/etc/x.conf': 101, '/a': 101, '/b': 101 })
  const readAs: number[] = []
  const { readConfig = assert.fail } = saying(two)
  const reading = {
    accounts,
    readConfig: (path: string) => {
      readAs.push(accounts.effectiveUser())
      return readConfig(path)
    },
  }
  t.match(await run(['--config', '/etc/x.conf', '--check-config'], reading), { exitCode: 0 })
  t.strictSame(readAs, [101])
  const stop = deferred<string>()
  let log = ''
  const ended = run(['--config', '/etc/x.conf'], {
    ...reading,
    accounts: rootAccounts({ '/etc': 0, '/etc/x.conf': 101 }),
    err: text => {
      log += text
      if (log.includes('listening')) stop.resolve('SIGTERM')
    },
    stopRequested: () => stop.promise,
  })
  t.match(await ended, { exitCode: 0 })
  t.match(log, /^\S+ notice: privileges dropped uid=101 gid=102\n/)
})

t.test('one that only root can change is read as root, before the user is determined', async t => {
  const accounts = rootAccounts({ '/etc/x.conf': 0, '/a': 101, '/b': 101 })
  const check = ['--config', '/etc/x.conf', '--check-config']
  t.match(await run(check, { ...saying(two), accounts }), { exitCode: 0 })
  t.strictSame(accounts.became, [])
})

t.test('one that several users can change is not read', async t => {
  const accounts = rootAccounts({ '/home': 102, '/home/x.conf': 101 })
  const readConfig = () => assert.fail('it was read')
  const check = ['--config', '/home/x.conf', '--check-config']
  t.match(await run(check, { readConfig, accounts }), {
    exitCode: 3,
    err: /cannot become postgres, .*: \/home belongs to user id 102\n/,
  })
})

t.test("Debian's clusters make a configuration file", async t => {
  t.match(await run(['--discover']), { exitCode: 3, out: '', err: /error: no cluster found/ })
  const found = {
    name: '15-main',
    pgdata: '/data',
    settings: new Map(),
    unread: [],
    complete: true,
  }
  const findClusters = () => Promise.resolve([found])
  t.match(await run(['--discover'], { findClusters }), {
    exitCode: 0,
    out: /\n\[15-main\]\npgdata = \/data\nport = 5400\n$/,
    err: '',
  })
})
