import t, { type Test } from 'tap'
import { exitCodes, exitDone } from '../../src/cli/exit-codes.ts'
import type { OperatorError } from '../../src/cli/operator-error.ts'
import { serve } from '../../src/cli/run.ts'
import type { Event } from '../../src/facts/event.ts'
import type { Evidence } from '../../src/facts/evidence.ts'
import { wireWords } from '../../src/serve/reply.ts'
import { primaryEvidence } from '../harness/evidence.ts'
import { fakeOutside, noAccounts, passTimeUntil, rootAccounts } from '../harness/fake-outside.ts'
import { deferred, settle } from '../harness/manual-clock.ts'
import { serveDefaults } from '../harness/serve-options.ts'
import { hear, listenAsStranger } from '../harness/tcp-client.ts'
import { until } from '../harness/until.ts'

const absent = primaryEvidence({ directory: { kind: 'absent' } })
const unreadable = primaryEvidence({
  directory: { kind: 'unreadable', code: 'EACCES', owner: 101 },
})

const setUp = (
  t: Test,
  evidence: Evidence | null = primaryEvidence(),
  { accounts = noAccounts, port = 0, hung = false } = {},
) => {
  const fake = fakeOutside(evidence)
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
  const ends = serve(
    { ...serveDefaults, port },
    {
      version: '1.2.3',
      accounts,
      outside: fake.outside,
      report: event => {
        events.push(event)
      },
      fail: error => {
        errors.push(error)
      },
      stopAsked: () => promise,
      whenRecordAsked: action => {
        askForRecord = action
      },
      onDrainSignal: toggle => {
        drain = toggle
      },
    },
  )
  const happened = (kind: Event['kind']) => events.find(event => event.kind === kind)
  return {
    ...fake,
    ends,
    events,
    errors,
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
  t.match(daemon.events[0], { version: '1.2.3', directory: '/pgdata', pid: process.pid })
  t.match(daemon.events[3], { signal: 'SIGINT' })
  t.strictSame(daemon.errors, [])
})

t.test('whoever asks for the record gets each change again, oldest first', async t => {
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

t.test('a signal during the first look ends it at once, even while the disk hangs', async t => {
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
    { kind: 'verdict changed', to: { rule: 'maintenance', because: 'drained by hand' } },
    { kind: 'maintenance toggled', on: false },
    { kind: 'verdict changed', to: { role: 'primary' } },
    { kind: 'stopping' },
    { kind: 'stopped' },
  ])
})

t.test('also one that comes while the first look is still under way', async t => {
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

t.test('a directory that is still to be made is waited for', async t => {
  const daemon = setUp(t, absent)
  await daemon.until('listening')
  t.strictSame(daemon.errors, [])
})

t.test('a mistake that no waiting mends ends it before it has started', async t => {
  const daemon = setUp(t, unreadable)
  t.equal(await passTimeUntil(daemon.ends, daemon), exitCodes.couldNotLook)
  t.match(daemon.errors, [{ hint: 'run as postgres, the user that runs the server' }])
  t.strictSame(daemon.kinds(), [])
  t.equal(daemon.open(), 0)
})

t.test('so does a port in use', async t => {
  const stranger = await listenAsStranger()
  t.teardown(() => stranger.server.close())
  const daemon = setUp(t, primaryEvidence(), { port: stranger.port })
  t.equal(await daemon.ends, exitCodes.couldNotLook)
  t.match(daemon.errors, [{ message: /is in use/, hint: /--port/ }])
  t.notOk(daemon.kinds().includes('listening'))
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

t.test('root that may not become the owner does not even look', async t => {
  const become = (): never => {
    throw new Error('EPERM')
  }
  const accounts = { ...rootAccounts({ '/pgdata': 101 }), become }
  const daemon = setUp(t, primaryEvidence(), { accounts })
  t.equal(await daemon.ends, exitCodes.couldNotLook)
  t.match(daemon.errors, [{ message: /^started as root, but can't become user101/ }])
  t.strictSame(daemon.opened, [])
})

t.test('root does not serve a directory of its own', async t => {
  const accounts = rootAccounts({ '/': 0, '/pgdata': 0 })
  const daemon = setUp(t, primaryEvidence(), { accounts })
  t.equal(await daemon.ends, exitCodes.couldNotLook)
  t.strictSame(daemon.errors, [
    {
      message: 'started as root, and /pgdata belongs to root, wanted the user that runs the server',
      hint: 'run as that user, such as: runuser -u postgres -- pg-replstatus',
    },
  ])
  const hung = setUp(t, primaryEvidence(), { accounts, hung: true })
  t.equal(await passTimeUntil(hung.ends, hung), exitCodes.couldNotLook)
})

t.test('and where something else is wrong, says that', async t => {
  const accounts = rootAccounts({ '/': 0 })
  const daemon = setUp(t, absent, { accounts })
  t.equal(await passTimeUntil(daemon.ends, daemon), exitCodes.couldNotLook)
  t.match(daemon.errors, [{ message: 'data directory /pgdata does not exist' }])
})
