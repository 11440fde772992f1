import t, { type Test } from 'tap'
import type { Account, Accounts } from '../../../src/cli/system/accounts.ts'
import { exitCodes, exitDone } from '../../../src/cli/output/exit-codes.ts'
import type { OperatorError } from '../../../src/cli/output/operator-error.ts'
import type {
  Cluster,
  Configuration,
  LogOptions,
  ServeOptions,
} from '../../../src/cli/options/option-values.ts'
import type { Host } from '../../../src/cli/system/host.ts'
import { serve } from '../../../src/cli/daemon/run.ts'
import { version } from '../../../src/cli/output/version.ts'
import type { GivenOptions } from '../../../src/cli/options/settings.ts'
import type { Notify } from '../../../src/cli/system/systemd.ts'
import type { Event } from '../../../src/facts/report/event.ts'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import { fact, fault, type Outcome } from '../../../src/facts/outcome.ts'
import { wireWords } from '../../../src/serve/role/reply.ts'
import { noon, primaryEvidence } from '../../harness/evidence.ts'
import {
  fakeHost,
  noAccounts,
  openFolder,
  passTimeUntil,
  rootAccounts,
} from '../../harness/fake-host.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'
import { serveDefaults } from '../../harness/serve-options.ts'
import { hear, listenAsStranger } from '../../harness/tcp-client.ts'
import { until } from '../../harness/until.ts'

const absent = primaryEvidence({ directory: { kind: 'absent' } })
const unreadable = primaryEvidence({
  directory: { kind: 'unreadable', code: 'EACCES', owner: 101 },
})

const quiet: LogOptions = { logLevel: 'info', logFormat: 'text' }

const setUp = (
  t: Test,
  evidence: Evidence | null = primaryEvidence(),
  {
    accounts = noAccounts,
    port = 0,
    hung = false,
    names = [null],
    given = {},
    origins = new Map(),
    user = null,
    account = null,
    options = {},
  }: {
    readonly accounts?: Accounts
    readonly port?: number
    readonly hung?: boolean
    readonly names?: readonly (string | null)[]
    readonly given?: Partial<Host>
    readonly origins?: GivenOptions
    readonly user?: string | null
    readonly account?: Account | null
    readonly options?: Partial<ServeOptions>
  } = {},
) => {
  const fake = fakeHost(evidence)
  if (hung) t.teardown(fake.hang())
  const events: Event[] = []
  const errors: OperatorError[] = []
  const { promise, resolve } = deferred<string>()
  let askForRecord = (): void => undefined
  let drain = (): void => {
    throw new Error('nobody listens for the signal')
  }
  // Whatever goes wrong in a test, it leaves nothing running.
  t.teardown(() => resolve('the end of the test'))
  const clustersOf = (names: readonly (string | null)[]): readonly Cluster[] =>
    names.map(name => ({
      name,
      options: {
        ...serveDefaults,
        port,
        pgdata: name === null ? '/pgdata' : `/${name}`,
        ...options,
      },
      given: origins,
    }))
  const configurationOf = (...names: readonly (string | null)[]): Configuration => ({
    ...quiet,
    user,
    clusters: clustersOf(names),
  })
  const of: (string | null)[] = []
  const logged: LogOptions[] = []
  let hup = (): void => undefined
  let next: Outcome<Configuration, readonly OperatorError[]> = fault([])
  const ends = serve(configurationOf(...names), {
    accounts,
    account,
    host: { ...fake.host, ...given },
    logAs: ({ logLevel, logFormat }) => {
      logged.push({ logLevel, logFormat })
      return (event, cluster = null) => {
        events.push(event)
        of.push(cluster)
      }
    },
    fail: error => {
      errors.push(error)
    },
    stopRequested: () => promise,
    onHistory: action => {
      askForRecord = action
    },
    onMaintenance: toggle => {
      drain = toggle
    },
    onReload: listener => {
      hup = listener
    },
    reread: names[0] === null ? null : () => Promise.resolve(next),
  })
  const happened = (kind: Event['kind']) => events.find(event => event.kind === kind)
  return {
    ...fake,
    ends,
    events,
    errors,
    of,
    logged,
    /** SIGHUP, where the file says this by then. */
    reload: (found: typeof next) => {
      next = found
      hup()
    },
    configurationOf,
    kinds: () => events.map(({ kind }) => kind),
    drain: () => drain(),
    stop: (signal = 'SIGTERM') => resolve(signal),
    askForRecord: () => askForRecord(),
    /** Lets time pass until it has happened. */
    until: (kind: Event['kind']): Promise<void> =>
      until(
        () => {
          fake.clock.advance(100)
          return happened(kind) !== undefined
        },
        { what: `the daemon to be ${kind}`, limitMs: 30_000, everyMs: 1 },
      ),
    port: (): number => {
      const event = happened('listening')
      return event?.kind === 'listening' ? event.port : -1
    },
  }
}

t.test('from the start to the signal, in the order of the log', async t => {
  const daemon = setUp(t)
  await daemon.until('verdict changed')
  const port = daemon.port()
  t.equal((await hear({ port })).bytes.toString(), wireWords.primary)
  daemon.stop('SIGINT')
  t.equal(await daemon.ends, exitDone)
  t.strictSame(daemon.kinds(), ['started', 'listening', 'verdict changed', 'stopping', 'stopped'])
  t.match(daemon.events[0], { version, directory: '/pgdata', pid: process.pid })
  t.match(daemon.events[3], { signal: 'SIGINT' })
  t.strictSame(daemon.errors, [])
})

t.test('SIGUSR1 logs each change again, oldest first', async t => {
  const daemon = setUp(t)
  await daemon.until('verdict changed')
  daemon.find(absent)
  daemon.clock.advance(500)
  await settle()
  await daemon.until('verdict changed')
  const before = daemon.events.length
  daemon.askForRecord()
  t.match(daemon.events.slice(before), [
    { kind: 'change recorded', from: null, to: { role: 'primary' }, at: Number },
    { kind: 'change recorded', from: { role: 'primary' }, to: { rule: 'no data directory' } },
  ])
  daemon.stop()
  await daemon.ends
})

t.test('the end leaves nothing behind', async t => {
  const daemon = setUp(t)
  await daemon.until('verdict changed')
  const port = daemon.port()
  daemon.stop()
  await daemon.ends
  t.equal(daemon.open(), 0, 'no probe and no watcher')
  t.equal(daemon.clock.pending(), 0, 'no timer')
  t.match(await hear({ port }), { end: 'ECONNREFUSED' })
})

t.test('a signal during the first check ends it at once, even while the disk hangs', async t => {
  const daemon = setUp(t, primaryEvidence(), { hung: true })
  daemon.stop()
  t.equal(await daemon.ends, exitDone)
  t.strictSame(daemon.kinds(), [], 'it had not yet started')
})

t.test('a signal drains the server, and another one ends that', async t => {
  const daemon = setUp(t)
  await daemon.until('verdict changed')
  const port = daemon.port()
  daemon.drain()
  t.match(await hear({ port }), { end: 'ECONNREFUSED' })
  daemon.drain()
  const isBack = async () => (await hear({ port })).bytes.toString() === wireWords.primary
  await until(isBack, { what: 'the port' })
  daemon.stop()
  await daemon.ends
  t.match(daemon.events.slice(3), [
    { kind: 'maintenance toggled', on: true },
    { kind: 'verdict changed', to: { rule: 'maintenance', because: 'maintenance mode is on' } },
    { kind: 'maintenance toggled', on: false },
    { kind: 'verdict changed', to: { role: 'primary' } },
    { kind: 'stopping' },
    { kind: 'stopped' },
  ])
})

t.test('also one that comes while the first check is not yet complete', async t => {
  const daemon = setUp(t, primaryEvidence(), { hung: true })
  daemon.drain()
  await daemon.until('listening')
  daemon.stop()
  t.equal(await daemon.ends, exitDone)
  t.match(daemon.events, [{ kind: 'maintenance toggled', on: true }, { kind: 'started' }])
})

t.test('a disk that hangs at the start is waited for, with the port there', async t => {
  const daemon = setUp(t, primaryEvidence(), { hung: true })
  await daemon.until('listening')
  daemon.stop()
  t.equal(await daemon.ends, exitDone)
})

t.test('a directory that is still to be made is waited for, if that is wanted', async t => {
  const daemon = setUp(t, absent, { options: { wait: true } })
  await daemon.until('listening')
  t.strictSame(daemon.errors, [])
  const other = setUp(t, absent)
  t.equal(await passTimeUntil(other.ends, other), exitCodes.error)
  t.match(other.errors, [{ message: /does not exist$/, hint: /use --wait$/ }])
})

t.test('a permanent error ends it before it has started', async t => {
  const daemon = setUp(t, unreadable)
  t.equal(await passTimeUntil(daemon.ends, daemon), exitCodes.error)
  t.match(daemon.errors, [{ hint: 'run as postgres, the user that runs the server' }])
  t.strictSame(daemon.kinds(), [])
  t.equal(daemon.open(), 0)
})

t.test('so does a port in use', async t => {
  const stranger = await listenAsStranger()
  t.teardown(() => stranger.server.close())
  const daemon = setUp(t, primaryEvidence(), { port: stranger.port })
  t.equal(await daemon.ends, exitCodes.error)
  t.match(daemon.errors, [{ message: /address already in use/, hint: /with --port$/ }])
  const at = { path: '/x.conf', line: 4 }
  const given = new Map([['port', [{ name: 'port', text: `${stranger.port}`, at }]]] as const)
  const other = setUp(t, primaryEvidence(), { port: stranger.port, names: ['a'], origins: given })
  t.equal(await other.ends, exitCodes.error)
  t.match(other.errors, [{ message: /address already in use/, hint: /with port \(\/x\.conf:4\)$/ }])
  t.notOk(daemon.kinds().includes('listening'))
  const inFile = setUp(t, primaryEvidence(), { port: stranger.port, names: ['a'] })
  t.equal(await inFile.ends, exitCodes.error)
  t.match(inFile.errors, [{ message: /^cluster a: /, hint: /with port$/ }])
})

t.test('root becomes the owner of the data directory before anything else', async t => {
  const accounts = rootAccounts({ '/pgdata': 101 })
  const daemon = setUp(t, primaryEvidence(), { accounts })
  await daemon.until('listening')
  t.strictSame(accounts.became, [101])
  t.match(daemon.events, [
    { kind: 'privileges dropped', user: 101, group: 102 },
    { kind: 'started' },
  ])
})

t.test('root that may not become the owner does not even check', async t => {
  const become = (): never => {
    throw new Error('EPERM')
  }
  const accounts = { ...rootAccounts({ '/pgdata': 101 }), become }
  const daemon = setUp(t, primaryEvidence(), { accounts })
  t.equal(await daemon.ends, exitCodes.error)
  t.match(daemon.errors, [{ message: /^started as root, but could not become user101: / }])
  t.strictSame(daemon.opened, [])
})

t.test('root does not serve a directory of its own', async t => {
  const accounts = rootAccounts({ '/pgdata': 0 })
  const at = { path: '/x.conf', line: 4 }
  const origins = new Map([['pgdata', [{ name: 'pgdata', text: '/pgdata', at }]]] as const)
  const daemon = setUp(t, primaryEvidence(), { accounts, origins })
  t.equal(await daemon.ends, exitCodes.error)
  t.match(daemon.errors, [
    { message: 'pgdata (/x.conf:4): started as root, and /pgdata belongs to root' },
  ])
  t.strictSame(daemon.opened, [], 'nor does it look at it')
})

t.test('it becomes the user of --user, or does not start', async t => {
  const accounts = rootAccounts({ '/pgdata': 0 })
  const daemon = setUp(t, primaryEvidence(), { accounts, user: 'postgres' })
  await daemon.until('listening')
  t.strictSame(accounts.became, [101])
  const other = setUp(t, primaryEvidence(), { accounts, user: 'mallory', names: ['a'] })
  t.equal(await other.ends, exitCodes.error)
  t.match(other.errors, [{ message: /^user "mallory" of --user/ }])
  t.strictSame(other.opened, [])
})

t.test('the user that it becomes to read its configuration is in the log', async t => {
  const account = { user: 101, group: 102, name: 'postgres', home: '/', shell: null }
  const daemon = setUp(t, primaryEvidence(), { account })
  await daemon.until('listening')
  t.match(daemon.events, [{ kind: 'privileges dropped', user: 101, group: 102 }])
})

t.test('several clusters each have a port, and their name in the log', async t => {
  const daemon = setUp(t, primaryEvidence(), { names: ['a', 'b'] })
  await daemon.until('verdict changed')
  const named = daemon.events.map(({ kind }, index) => `${daemon.of[index]} ${kind}`)
  t.strictSame(named.slice(0, 4), ['a started', 'a listening', 'b started', 'b listening'])
  t.match(daemon.events[2], { directory: '/b' })
  daemon.stop()
  t.equal(await daemon.ends, exitDone)
  t.strictSame(daemon.of.slice(-2), [null, null], 'the end is that of the process')
  t.equal(daemon.open(), 0)
})

t.test('what is wrong with each of them is reported before anything has started', async t => {
  const daemon = setUp(t, unreadable, { names: ['a', 'b'] })
  t.equal(await passTimeUntil(daemon.ends, daemon), exitCodes.error)
  t.match(daemon.errors, [{ message: /^cluster a: / }, { message: /^cluster b: / }])
  t.strictSame(daemon.kinds(), [])
  const at = { path: 'x.conf', line: 4 }
  const origins = new Map([['pgdata', [{ name: 'pgdata', text: '/a', at }]]] as const)
  const other = setUp(t, unreadable, { names: ['a'], origins })
  t.equal(await passTimeUntil(other.ends, other), exitCodes.error)
  t.match(other.errors, [
    { message: /^cluster a: pgdata \(x\.conf:4\): could not read data directory/ },
  ])
})

t.test('a port that one of them cannot have is the end of all', async t => {
  const stranger = await listenAsStranger()
  t.teardown(() => stranger.server.close())
  const daemon = setUp(t, primaryEvidence(), { names: ['a', 'b'], port: stranger.port })
  t.equal(await daemon.ends, exitCodes.error)
  t.match(daemon.errors, [
    { message: /^cluster a: could not listen on port/ },
    { message: /^cluster b: could not listen on port/ },
  ])
  // A look that is under way comes to its end first.
  await settle()
  t.equal(daemon.open(), 0)
})

t.test('root becomes the owner of the first, whatever the owners of the others', async t => {
  const accounts = rootAccounts({ '/a': 101, '/b': 102 })
  const daemon = setUp(t, primaryEvidence(), { accounts, names: ['a', 'b'] })
  await daemon.until('listening')
  t.strictSame(accounts.became, [101])
})

t.test("the owner of the maintenance file's folder is checked then, and at the start", async t => {
  const daemon = setUp(t, primaryEvidence(), {
    names: ['a'],
    options: { maintenanceFile: `${openFolder}/maintenance` },
  })
  await daemon.until('maintenance open')
  const told = (): number => daemon.events.filter(({ kind }) => kind === 'maintenance open').length
  t.equal(told(), 1)
  daemon.reload(fact(daemon.configurationOf('a')))
  await daemon.until('reloaded')
  await settle()
  t.equal(told(), 2)
})

t.test('SIGHUP has the configuration read again, with its log', async t => {
  const daemon = setUp(t, primaryEvidence(), { names: ['a', 'b'] })
  await daemon.until('verdict changed')
  daemon.reload(fact({ ...daemon.configurationOf('a', 'c'), logLevel: 'debug' }))
  await daemon.until('reloaded')
  t.match(
    daemon.events.find(({ kind }) => kind === 'reloaded'),
    { started: 1, changed: 0, stopped: 1, unchanged: 1 },
  )
  t.strictSame(daemon.logged, [quiet, { ...quiet, logLevel: 'debug' }])
  daemon.stop()
  t.equal(await daemon.ends, exitDone)
  // A look that is under way comes to its end first.
  await settle()
  t.equal(daemon.open(), 0)
})

t.test(
  'a limit of descriptors that lowers others is logged, and again with more clusters',
  async t => {
    const daemon = setUp(t, primaryEvidence(), { names: ['a'] })
    const told = () => daemon.events.filter(({ kind }) => kind === 'connection limits lowered')
    daemon.limitDescriptors(1024)
    await daemon.until('verdict changed')
    t.match(told(), [{ limit: 1024, requested: 4096 }])
    daemon.reload(fact(daemon.configurationOf('a', 'b')))
    await daemon.until('reloaded')
    t.match(told(), [{ requested: 4096 }, { requested: 8192 }])
    daemon.limitDescriptors(1_000_000)
    daemon.reload(fact(daemon.configurationOf('a', 'b', 'c')))
    await until(() => daemon.kinds().filter(kind => kind === 'reloaded').length === 2, {
      what: 'another reload',
      everyMs: 1,
    })
    t.equal(told().length, 2)
  },
)

t.test('a limit of descriptors that is far too low keeps it from starting', async t => {
  const daemon = setUp(t, primaryEvidence(), { names: ['a'] })
  daemon.limitDescriptors(64)
  t.equal(await passTimeUntil(daemon.ends, daemon), exitCodes.error)
  t.match(daemon.errors, [{ message: /^the limit of open files is 64, but at least 114 are/ }])
  t.strictSame(daemon.kinds(), [])
})

t.test('and a configuration from being taken that needs more', async t => {
  const daemon = setUp(t, primaryEvidence(), { names: ['a'] })
  daemon.limitDescriptors(128)
  await daemon.until('listening')
  daemon.reload(fact(daemon.configurationOf('a', 'b')))
  await daemon.until('reload refused')
  const refused = daemon.events.find(({ kind }) => kind === 'reload refused')
  t.match(refused, { because: /^the limit of open files is 128, but at least 188 are/ })
  t.equal((await hear({ port: daemon.port() })).bytes.toString(), wireWords.primary)
})

const httpTls = { cert: '/x.crt', key: null, clientCa: null }
const found = {
  credentials: { cert: '', key: '', ca: null, expiresAt: noon },
  exposedKey: null,
}

t.test('a certificate that cannot be used ends it before it has started', async t => {
  const daemon = setUp(t, primaryEvidence(), { options: { httpTls } })
  t.equal(await passTimeUntil(daemon.ends, daemon), exitCodes.error)
  t.strictSame(daemon.errors, [{ message: 'none', hint: 'none' }])
  t.strictSame(daemon.kinds(), [])
})

t.test('SIGHUP has a certificate read again, without a configuration file as well', async t => {
  let reads = 0
  const readCredentials: Host['readCredentials'] = () => {
    reads += 1
    return Promise.resolve(fact(found))
  }
  const daemon = setUp(t, primaryEvidence(), { options: { httpTls }, given: { readCredentials } })
  await daemon.until('verdict changed')
  const before = reads
  daemon.reload(fault([]))
  await daemon.until('reloaded')
  t.equal(reads, before + 1)
  t.match(daemon.events.at(-1), { kind: 'reloaded', changed: 0, unchanged: 1 })
})

t.test('without either there is nothing to read', async t => {
  const daemon = setUp(t)
  await daemon.until('verdict changed')
  daemon.reload(fault([]))
  await daemon.until('reload needless')
})

t.test('a file with errors changes nothing', async t => {
  const daemon = setUp(t, primaryEvidence(), { names: ['a'] })
  await daemon.until('listening')
  daemon.reload(fault([{ message: 'x:1: port is "x"', hint: 'y' }]))
  await daemon.until('reload refused')
  t.strictSame(daemon.logged, [quiet])
  t.equal((await hear({ port: daemon.port() })).bytes.toString(), wireWords.primary)
})

t.test('a cluster that cannot be served is reported, and the others keep running', async t => {
  const daemon = setUp(t, primaryEvidence(), { names: ['a'] })
  await daemon.until('listening')
  daemon.find(unreadable)
  daemon.reload(fact(daemon.configurationOf('a', 'b')))
  await daemon.until('cluster failed')
  t.equal(daemon.of[daemon.kinds().indexOf('cluster failed')], 'b')
})

t.test('without a file there is nothing to read again', async t => {
  const daemon = setUp(t)
  await daemon.until('listening')
  daemon.reload(fault([]))
  await daemon.until('reload needless')
  t.strictSame(daemon.logged, [quiet])
})

t.test(
  'a signal drains all clusters, also one that comes later, and the record is of all',
  async t => {
    const daemon = setUp(t, primaryEvidence(), { names: ['a', 'b'] })
    await daemon.until('verdict changed')
    daemon.drain()
    daemon.reload(fact(daemon.configurationOf('a', 'c')))
    await daemon.until('reloaded')
    await settle()
    const isDrained = (event: Event, at: number): readonly (string | null)[] =>
      event.kind === 'verdict changed' && event.to.rule === 'maintenance'
        ? [daemon.of[at] ?? null]
        : []
    t.strictSame(new Set(daemon.events.flatMap(isDrained)), new Set(['a', 'b', 'c']))
    const before = daemon.events.length
    daemon.askForRecord()
    const recorded = daemon.events
      .slice(before)
      .map(({ kind }, at) => [kind, daemon.of[before + at]])
    t.ok(recorded.length > 2)
    t.strictSame(new Set(recorded.map(([kind]) => kind)), new Set(['change recorded']))
    t.strictSame(new Set(recorded.map(([, name]) => name)), new Set(['a', 'c']))
    daemon.stop()
    await daemon.ends
  },
)

/** What systemd is told. */
const hearTold = () => {
  const told: string[] = []
  const notify: Notify = notification => {
    told.push(notification.kind === 'ready' ? notification.statusLine : notification.kind)
    return Promise.resolve(null)
  }
  return { told, given: { notify } }
}

t.test('systemd is notified of several clusters when all of them are open', async t => {
  const { told, given } = hearTold()
  const daemon = setUp(t, primaryEvidence(), { names: ['a', 'b', 'c'], given })
  await daemon.until('listening')
  await until(() => told.length > 0, { what: 'systemd to be told' })
  t.equal(daemon.kinds().filter(kind => kind === 'listening').length, 3)
  t.match(told[0], /^3 clusters, /)
  daemon.reload(fact(daemon.configurationOf('a')))
  await daemon.until('reloaded')
  const after = (): readonly string[] => told.slice(told.indexOf('reloading'))
  await until(
    () => {
      daemon.clock.advance(100)
      return after().length >= 2
    },
    { what: 'the reload to be over', everyMs: 1 },
  )
  t.match(after(), ['reloading', /^a: primary: /])
  daemon.stop()
  await daemon.ends
})

t.test('and of the only one what it is', async t => {
  const { told, given } = hearTold()
  const alone = setUp(t, primaryEvidence(), { given })
  await alone.until('listening')
  await until(() => told.length > 0, { what: 'systemd to be told' })
  t.match(told[0], /^(primary|unavailable): /)
  alone.stop()
  await alone.ends
})

t.test('a daemon that cannot serve all of them is never ready', async t => {
  const { told, given } = hearTold()
  const { server, port } = await listenAsStranger()
  t.teardown(() => server.close())
  const daemon = setUp(t, primaryEvidence(), { names: ['a', 'b'], port, given })
  t.equal(await daemon.ends, exitCodes.error)
  t.strictSame(told, [])
})

t.test('a socket of systemd is for one cluster', async t => {
  const given = { sockets: fact([3]) }
  const daemon = setUp(t, primaryEvidence(), { names: ['a'], given })
  t.equal(await daemon.ends, exitCodes.error)
  t.match(daemon.errors, [{ message: /^cannot assign a socket/, hint: /a unit with a socket/ }])
  const wrong = { sockets: fault({ message: 'not ours', hint: 'none' }) }
  const other = setUp(t, primaryEvidence(), { names: ['a'], given: wrong })
  t.equal(await other.ends, exitCodes.error)
  t.match(other.errors, [{ message: /not ours/ }])
})
