import t from 'tap'
import { showHistory } from '../../../src/cli/commands/history.ts'
import type { HistoryOptions } from '../../../src/cli/options/option-values.ts'
import type { Accounts } from '../../../src/cli/system/accounts.ts'
import type { OperatorError } from '../../../src/cli/output/operator-error.ts'
import type { LocalDaemon } from '../../../src/facts/report/daemon-view.ts'
import { decodeHistory, type HistoryView } from '../../../src/facts/report/history-view.ts'
import { fault, type Outcome } from '../../../src/facts/outcome.ts'
import { primaryEvidence } from '../../harness/evidence.ts'
import { fakeHost, noAccounts, rootAccounts } from '../../harness/fake-host.ts'

const daemon: LocalDaemon = {
  socket: '/run/x.sock',
  directory: '/pgdata',
  answer: 'primary',
  rule: 'in production',
  because: 'ready',
}
const target = { text: 's1:8008', secure: false, host: 's1', port: 8008 }
const change = { time: '2026-01-01T11:59:00.000Z', to: 'primary', rule: 'a rule', because: 'ready' }
const view = decodeHistory(JSON.stringify({ changes: [change] }))

const run = async (
  options: Partial<HistoryOptions>,
  {
    accounts = noAccounts,
    found = daemon,
    answer = view,
  }: {
    readonly accounts?: Accounts
    readonly found?: LocalDaemon | null
    readonly answer?: Outcome<HistoryView, string>
  } = {},
) => {
  const { host } = fakeHost(primaryEvidence())
  const errors: OperatorError[] = []
  const asked: string[] = []
  let printed = ''
  const exitCode = await showHistory(
    { of: { target }, user: null, json: false, timeoutMs: 3000, ...options },
    {
      host: {
        clock: host.clock,
        findDaemon: () => Promise.resolve(found),
        openHistoryClient: () => peer => {
          asked.push(peer.socketPath ?? peer.text)
          return { answer: Promise.resolve(answer), cancel: () => undefined }
        },
      },
      accounts,
      given: new Map(),
      out: text => {
        printed += text
      },
      fail: error => {
        errors.push(error)
      },
    },
  )
  return { exitCode, printed, errors, asked }
}

t.test('the daemon that is named is asked', async t => {
  t.strictSame(await run({}), {
    exitCode: 0,
    printed:
      's1:8008: primary for 1 min 0 s: ready\n\n2026-01-01 11:59:00.000 UTC  primary  a rule: ready\n',
    errors: [],
    asked: ['s1:8008'],
  })
  t.match(JSON.parse((await run({ json: true })).printed), { changes: [change] })
})

t.test('or that of the data directory', async t => {
  const of = { pgdata: '/pgdata' }
  t.match(await run({ of }), { exitCode: 0, printed: /^\/pgdata: /, asked: ['/run/x.sock'] })
  t.match(await run({ of }, { found: null }), {
    exitCode: 3,
    printed: '',
    errors: [{ message: 'no daemon was found that watches /pgdata', hint: /unix:PATH/ }],
  })
})

t.test('as the account of that directory', async t => {
  const of = { pgdata: '/pgdata' }
  const accounts = rootAccounts({ '/pgdata': 101 })
  t.match(await run({ of }, { accounts }), { exitCode: 0 })
  t.equal(accounts.became.length, 1)
  const refused = await run({ of }, { accounts: rootAccounts({ '/pgdata': 0 }) })
  t.match(refused, { exitCode: 3, errors: [{ message: /belongs to root/ }], asked: [] })
  const unknown = await run({ of, user: 'nobody-like-it' }, { accounts })
  t.match(unknown, { exitCode: 3, errors: [{}] })
})

t.test('no answer is an error', async t => {
  t.match(await run({}, { answer: fault('ECONNREFUSED') }), {
    exitCode: 3,
    printed: '',
    errors: [{ message: 'could not get the history from s1:8008: ECONNREFUSED' }],
  })
})
