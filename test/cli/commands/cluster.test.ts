import t from 'tap'
import { showCluster } from '../../../src/cli/commands/cluster.ts'
import type { ClusterOptions } from '../../../src/cli/options/option-values.ts'
import { fault, type Outcome } from '../../../src/facts/outcome.ts'
import { decodeCluster, type ClusterView } from '../../../src/facts/report/cluster-view.ts'
import { fakeHost } from '../../harness/fake-host.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'

const viewOf = (...roles: readonly string[]): Outcome<ClusterView, string> => {
  const members = roles.map((role, at) => ({ name: `db${at + 1}`, role, state: 'running' }))
  return decodeCluster(JSON.stringify({ members, scope: '5' }))
}

const asked: ClusterOptions = {
  target: { text: 'db1:8008', secure: false, host: 'db1', port: 8008 },
  json: false,
  watch: false,
  timeoutMs: 3000,
}

const start = (
  options: Partial<ClusterOptions>,
  {
    answers,
    terminal = false,
  }: { readonly answers: readonly Outcome<ClusterView, string>[]; readonly terminal?: boolean },
) => {
  const fake = fakeHost(null)
  for (const answer of answers) fake.giveCluster(answer)
  const printed: string[] = []
  const signal = deferred<string>()
  const gone = deferred<void>()
  const exitCode = showCluster(
    { ...asked, ...options },
    {
      host: fake.host,
      out: text => printed.push(text),
      fail: ({ message, hint }) => printed.push(`${message}\n${hint}`),
      terminal,
      stopRequested: () => signal.promise,
      readerGone: () => gone.promise,
    },
  )
  return {
    fake,
    printed,
    exitCode,
    stop: () => signal.resolve('SIGINT'),
    leave: () => gone.resolve(),
  }
}

t.test('a table, and in the exit code whether all is well', async t => {
  const well = start({}, { answers: [viewOf('leader', 'replica')] })
  t.equal(await well.exitCode, 0)
  t.match(
    well.printed.join(''),
    /^cluster 5, as reported by db1:8008\n\nMEMBER .*\ndb1 .*\ndb2 .*\n$/,
  )
  t.equal(await start({}, { answers: [viewOf('replica')] }).exitCode, 1)
  t.equal(await start({}, { answers: [viewOf('leader', 'leader')] }).exitCode, 1)
})

t.test('or the document', async t => {
  const { exitCode, printed } = start({ json: true }, { answers: [viewOf('leader')] })
  t.equal(await exitCode, 0)
  t.match(JSON.parse(printed.join('')), { members: [{ name: 'db1' }], scope: '5' })
})

t.test('without an answer there is the reason, and a hint', async t => {
  const { exitCode, printed } = start({}, { answers: [fault('\u001B ECONNREFUSED')] })
  t.equal(await exitCode, 3)
  t.strictSame(printed, [
    String.raw`could not get the cluster from db1:8008: \u001b ECONNREFUSED
pg-replstatus must run there with --http; see "pg-replstatus cluster --help"`,
  ])
})

t.test('with --watch it is asked again each second, until a signal', async t => {
  const answers = [viewOf('leader'), fault('ECONNREFUSED'), viewOf('replica')]
  const { fake, printed, exitCode, stop } = start({ watch: true }, { answers })
  await settle()
  t.equal(printed.length, 1)
  t.match(printed[0], /^cluster 5, [^]*db1 .*\n\n$/)
  fake.clock.advance(1000)
  await settle()
  t.match(printed[1], /ECONNREFUSED\n/)
  fake.clock.advance(1000)
  await settle()
  t.match(printed[2], /\n\nno primary\n\n$/)
  stop()
  t.equal(await exitCode, 0)
  t.equal(fake.clock.pending(), 0)
  t.strictSame(fake.asked, ['db1:8008', 'db1:8008', 'db1:8008'])
})

t.test('a signal ends it also while an answer is awaited', async t => {
  const { printed, exitCode, stop } = start({ watch: true }, { answers: [] })
  await settle()
  stop()
  t.equal(await exitCode, 0)
  t.strictSame(printed, [])
})

t.test('so does a reader that is gone', async t => {
  const { exitCode, leave } = start({ watch: true }, { answers: [viewOf('leader')] })
  await settle()
  leave()
  t.equal(await exitCode, 0)
})

t.test('on a terminal the last one is erased', async t => {
  const answers = [viewOf('leader'), fault('ECONNREFUSED')]
  const { fake, printed, exitCode, stop } = start({ watch: true }, { answers, terminal: true })
  await settle()
  fake.clock.advance(1000)
  await settle()
  stop()
  await exitCode
  t.match(printed, ['\u001B[H\u001B[J', /db1 .*\n$/, '\u001B[H\u001B[J', /ECONNREFUSED/])
  t.notMatch(printed[1], /\n\n$/)
})

t.test('documents follow each other without blank lines', async t => {
  const { printed, exitCode, stop } = start(
    { json: true, watch: true },
    { answers: [viewOf('leader')] },
  )
  await settle()
  stop()
  await exitCode
  t.match(printed, [/\}\n$/])
})
