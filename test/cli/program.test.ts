import t, { type Test } from 'tap'
import { help } from '../../src/cli/help.ts'
import { runProgram, type Surroundings } from '../../src/cli/program.ts'
import { fact, fault } from '../../src/facts/outcome.ts'
import { wireWords } from '../../src/serve/reply.ts'
import { primaryEvidence, standbyEvidence } from '../harness/evidence.ts'
import { fakeOutside, noAccounts } from '../harness/fake-outside.ts'
import { deferred } from '../harness/manual-clock.ts'
import { listenAsStranger } from '../harness/tcp-client.ts'

const run = async (
  argv: readonly string[],
  changes: Partial<Surroundings> = {},
  evidence = primaryEvidence(),
) => {
  const fake = fakeOutside(evidence)
  let out = ''
  let err = ''
  const surroundings: Surroundings = {
    version: '1.2.3',
    environment: {},
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
    journal: false,
    accounts: noAccounts,
    outside: fake.outside,
    stopAsked: () => deferred<string>().promise,
    whenRecordAsked: () => undefined,
    onDrainSignal: () => {},
    reloadAsked: () => undefined,
    readConfig: () => Promise.resolve(fault({ message: 'no file', hint: 'write one' })),
    findClusters: () => Promise.resolve([]),
    ...changes,
  }
  const exitCode = await runProgram(argv, surroundings)
  return { exitCode, out, err }
}

t.test('help and version go to standard output', async t => {
  t.strictSame(await run(['--help']), { exitCode: 0, out: help.program, err: '' })
  t.strictSame(await run(['serve', '--help']), { exitCode: 0, out: help.serve, err: '' })
  t.strictSame(await run(['status', '-?']), { exitCode: 0, out: help.status, err: '' })
  t.strictSame(await run(['-V']), { exitCode: 0, out: 'pg-replstatus 1.2.3\n', err: '' })
})

t.test('a wrong usage goes to standard error, and is no answer', async t => {
  t.strictSame(await run(['status', '--expct', 'primary']), {
    exitCode: 3,
    out: '',
    err: "pg-replstatus: error: unknown option '--expct'\nhint: did you mean --expect?\n",
  })
})

t.test('all mistakes are told at once', async t => {
  const { exitCode, err } = await run(['--port', 'x', '--bind', 'y'])
  t.equal(exitCode, 3)
  t.equal(err.match(/^pg-replstatus: error: .*\nhint: .*\n/gm)?.length, 3)
})

t.test('in the journal mistakes are errors', async t => {
  const { err } = await run(['--port', 'x', '-D', '/data'], { journal: true })
  t.match(err, /^<3>pg-replstatus: error: --port is "x".*\n<3>hint: .*\n$/)
})

t.test('status answers', async t => {
  const primary = await run(['status', '-D', '/pgdata'])
  t.match(primary, { exitCode: 0, out: /^primary: \/pgdata\n/, err: '' })
  const environment = { PGDATA: '/pgdata' }
  const standby = await run(['status', '--expect', 'primary'], { environment }, standbyEvidence())
  t.match(standby, { exitCode: 1, out: /^standby: / })
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
    stopAsked: () => stop.promise,
  })
  t.match(await ended, { exitCode: 0, out: '' })
  const lines = err
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  t.match(lines, [
    { level: 'notice', event: 'started', version: '1.2.3', time: '2026-01-01T12:00:00.000Z' },
    { event: 'listening' },
  ])
  t.match(lines.at(-1), { event: 'stopped' })
})

t.test('the level decides what serve logs', async t => {
  const serve = ['-D', '/pgdata', '--port', '0', '--bind', '127.0.0.1', '--log-level', 'error']
  const stopAsked = () => Promise.resolve('SIGTERM')
  t.strictSame(await run(serve, { stopAsked }), { exitCode: 0, out: '', err: '' })
})

const portThatSays = async (t: Test, word: string): Promise<number> => {
  const { server, port } = await listenAsStranger(socket => {
    socket.end(word)
  })
  t.teardown(() => server.close())
  return port
}

t.test('query tells what ports say', async t => {
  const primary = `127.0.0.1:${await portThatSays(t, wireWords.primary)}`
  const standby = `127.0.0.1:${await portThatSays(t, wireWords.standby)}`
  t.match(await run(['query', standby]), { exitCode: 1, out: /^127.*standby.*\n$/, err: '' })
  t.match(await run(['query', primary, standby]), {
    exitCode: 0,
    out: /^127.*primary.*\n127.*standby.*\n$/,
  })
  t.match(await run(['query', primary, primary]), { exitCode: 1, out: /\n2 primaries: .*\n$/ })
})

const saying = (text: string): Partial<Surroundings> => ({
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
    err: `pg-replstatus: error: /x.conf:2: cluster a has no pgdata, wanted its data directory
hint: add a line such as: pgdata = /var/lib/postgresql/16/main
pg-replstatus: error: /x.conf:3: port is "x", wanted a whole number from 0 to 65535
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
    reloadAsked: listener => {
      reload = listener
    },
    stopAsked: () => stop.promise,
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
    reloadAsked: listener => listener(),
    stopAsked: () => stop.promise,
  })
  t.match(await ended, { exitCode: 0 })
  t.match(err, / notice: nothing to reload /)
})

t.test("Debian's clusters make a configuration file", async t => {
  t.match(await run(['--discover']), { exitCode: 3, out: '', err: /error: found no cluster/ })
  const found = { name: '15-main', pgdata: '/data', settings: new Map(), complete: true }
  const findClusters = () => Promise.resolve([found])
  t.match(await run(['--discover'], { findClusters }), {
    exitCode: 0,
    out: /\n\[15-main\]\npgdata = \/data\nport = 5400\n$/,
    err: '',
  })
})
