import t from 'tap'
import { exitCodes, nagiosExitCodes } from '../../../src/cli/output/exit-codes.ts'
import type { OperatorError } from '../../../src/cli/output/operator-error.ts'
import type { GivenOptions } from '../../../src/cli/options/settings.ts'
import type { StatusOptions } from '../../../src/cli/options/option-values.ts'
import { timeLimitMs } from '../../../src/cli/system/time-limit.ts'
import { status } from '../../../src/cli/commands/status.ts'
import type { LocalDaemon } from '../../../src/facts/report/daemon-view.ts'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import { maintenanceOn, type Maintenance } from '../../../src/facts/decide/maintenance-mode.ts'
import {
  lockFile,
  noSignalFiles,
  primaryEvidence,
  seen,
  standbyEvidence,
} from '../../harness/evidence.ts'
import { fakeHost, noAccounts, passTimeUntil, rootAccounts } from '../../harness/fake-host.ts'

const defaults: StatusOptions = {
  pgdata: '/pgdata',
  controlCheck: 'native',
  pgControldata: null,
  maintenanceFile: null,
  user: null,
  print: 'screen',
  expect: null,
}
const nothing: GivenOptions = new Map()
const down = primaryEvidence({ lockFile: { kind: 'absent' } })

const ask = async (
  evidence: Evidence | null,
  changes: Partial<StatusOptions> = {},
  {
    accounts = noAccounts,
    hung = false,
    lacking = null as string | null,
    maintenance = null as Maintenance | null,
    daemon = null as LocalDaemon | null,
    given = nothing,
  } = {},
) => {
  const fake = fakeHost(evidence)
  if (maintenance !== null) fake.maintain(maintenance)
  if (daemon !== null) fake.runDaemon(daemon)
  if (hung) t.teardown(fake.hang())
  fake.lack(lacking)
  const errors: OperatorError[] = []
  let printed = ''
  const needs = {
    accounts,
    given,
    host: fake.host,
    out: (text: string) => {
      printed += text
    },
    fail: (error: OperatorError) => {
      errors.push(error)
    },
  }
  const exitCode = await passTimeUntil(status({ ...defaults, ...changes }, needs), fake)
  return { exitCode, printed, errors, ...fake }
}

t.test('the exit code shows the role', async t => {
  t.match(await ask(primaryEvidence()), { exitCode: exitCodes.primary, errors: [] })
  t.match(await ask(standbyEvidence()), { exitCode: exitCodes.standby, errors: [] })
  t.match(await ask(down), { exitCode: exitCodes.unavailable, errors: [] })
})

t.test('or whether it is what was expected', async t => {
  const codes = async (expect: StatusOptions['expect']) =>
    Promise.all(
      [primaryEvidence(), standbyEvidence(), down].map(
        async evidence => (await ask(evidence, { expect })).exitCode,
      ),
    )
  t.strictSame(await codes('primary'), [0, 1, 1])
  t.strictSame(await codes('standby'), [1, 0, 1])
  t.strictSame(await codes('any'), [0, 0, 1])
})

const socketOnly = primaryEvidence({ lockFile: seen(lockFile({ listenAddress: '' })) })

t.test('a server that no load balancer reaches is not expected', async t => {
  for (const expect of ['primary', 'any'] as const) {
    const { exitCode, printed } = await ask(socketOnly, { expect })
    t.equal(exitCode, 1)
    t.match(printed, /\nnot as expected: primary, but it listens on no address.*\n$/)
    t.equal((await ask(socketOnly, { expect, print: 'json' })).exitCode, 1)
  }
  const nagios = await ask(socketOnly, { expect: 'any', print: 'nagios' })
  t.equal(nagios.exitCode, nagiosExitCodes.CRITICAL)
  t.match(nagios.printed, /CRITICAL - primary, but it listens on no address, .*: postmaster pid/)
  const unasked = await ask(socketOnly)
  t.equal(unasked.exitCode, exitCodes.primary)
  t.notMatch(unasked.printed, /not as expected/)
  t.equal((await ask(socketOnly, { print: 'nagios' })).exitCode, nagiosExitCodes.OK)
})

t.test('the text shows what was found, and why it means that', async t => {
  const { printed } = await ask(standbyEvidence({ signalFiles: noSignalFiles }))
  t.match(printed, /^standby: \/pgdata\n\n/)
  t.match(printed, /\nbecause postmaster pid 4711 is ready and the cluster state is in archive/)
  t.match(printed, /\nwarning: standby\.signal is missing.*\n$/)
})

t.test('a server in maintenance mode is unavailable, and the reason is printed', async t => {
  const maintenance = maintenanceOn('new kernel')
  const options = { maintenanceFile: '/run/maintenance' }
  const people = await ask(primaryEvidence(), options, { maintenance })
  t.equal(people.exitCode, exitCodes.unavailable)
  t.match(people.printed, /^unavailable: \/pgdata\n\n {2}maintenance {5}new kernel\n/)
  const programs = await ask(primaryEvidence(), { ...options, print: 'json' }, { maintenance })
  t.match(JSON.parse(programs.printed), { verdict: 'unavailable', maintenance: 'new kernel' })
  const unasked = await ask(primaryEvidence(), {}, { maintenance })
  t.equal(unasked.exitCode, exitCodes.primary, 'no file was named')
})

t.test('programs read JSON', async t => {
  const { printed } = await ask(primaryEvidence(), { print: 'json' })
  t.match(JSON.parse(printed), { verdict: 'primary', data_directory: { path: '/pgdata' } })
  t.match(printed, /^\{\n {2}"[^]*\n\}\n$/)
})

t.test('monitoring reads a line, and exit codes of its own', async t => {
  const options = { print: 'nagios' } as const
  const codes = async (expect: StatusOptions['expect']) =>
    Promise.all(
      [primaryEvidence(), standbyEvidence(), down].map(
        async evidence => (await ask(evidence, { ...options, expect })).exitCode,
      ),
    )
  const { OK, WARNING, CRITICAL, UNKNOWN } = nagiosExitCodes
  t.strictSame(await codes(null), [OK, OK, CRITICAL])
  t.strictSame(await codes('any'), [OK, OK, CRITICAL])
  t.strictSame(await codes('primary'), [OK, CRITICAL, CRITICAL])
  t.strictSame(await codes('standby'), [CRITICAL, OK, CRITICAL])
  t.match(await ask(standbyEvidence({ signalFiles: noSignalFiles }), options), {
    exitCode: WARNING,
    printed:
      /^PG_REPLSTATUS WARNING - standby: [^\n|]*, but standby\.signal is missing[^\n|]* \| .*\n$/,
    errors: [],
  })
  const absent = primaryEvidence({ directory: { kind: 'absent' } })
  t.match(await ask(absent, options), {
    exitCode: UNKNOWN,
    printed: /^PG_REPLSTATUS UNKNOWN - data directory \/pgdata does not exist \(.*\)\n$/,
    errors: [],
  })
})

t.test('it checks the given directory', async t => {
  const { opened, open } = await ask(down, { pgdata: '/srv/data', controlCheck: 'off' })
  t.match(opened, [{ pgdata: '/srv/data', controlCheck: 'off' }])
  t.equal(open(), 0, 'and leaves nothing open')
})

t.test('without anything to check it reports that, and prints no answer', async t => {
  const { exitCode, printed, errors } = await ask(
    primaryEvidence({ directory: { kind: 'unreadable', code: 'EACCES', owner: 101 } }),
    { expect: 'primary', print: 'json' },
  )
  t.equal(exitCode, exitCodes.error)
  t.equal(printed, '')
  t.strictSame(
    errors.map(({ message, hint }) => ({ message, hint })),
    [
      {
        message: 'could not read data directory /pgdata: EACCES',
        hint: 'run as postgres, the user that runs the server',
      },
    ],
  )
})

t.test('a disk that does not answer is given up', async t => {
  const { exitCode, printed, errors, clock } = await ask(primaryEvidence(), {}, { hung: true })
  t.equal(exitCode, exitCodes.error)
  t.equal(printed, '')
  t.match(errors, [{ message: 'could not read /pgdata: the disk does not respond', hint: /dmesg/ }])
  t.ok(clock.now() >= timeLimitMs && clock.now() < timeLimitMs + 100, `${clock.now()} ms`)
})

t.test('so is a lock file that keeps changing', async t => {
  const { exitCode, errors } = await ask(null)
  t.equal(exitCode, exitCodes.error)
  t.match(errors, [{ message: 'could not read /pgdata/postmaster.pid: it keeps changing' }])
})

t.test('root checks as the owner of the directory', async t => {
  const accounts = rootAccounts({ '/pgdata': 101 })
  t.match(await ask(primaryEvidence(), {}, { accounts }), { exitCode: exitCodes.primary })
  t.strictSame(accounts.became, [101])
})

t.test('or as the user that is named, whomever it belongs to', async t => {
  const accounts = rootAccounts({ '/pgdata': 0 })
  const named = { user: 'postgres' }
  t.match(await ask(primaryEvidence(), named, { accounts }), { exitCode: exitCodes.primary })
  t.strictSame(accounts.became, [101])
  const given: GivenOptions = new Map([['pgdata', [{ name: 'PGDATA', text: '/pgdata', at: null }]]])
  t.match(await ask(primaryEvidence(), { user: 'mallory' }, { accounts, given }), {
    exitCode: exitCodes.error,
    errors: [{ message: 'user "mallory" of --user is not in /etc/passwd' }],
  })
})

t.test("a directory of root's, or a missing one, is refused before any check", async t => {
  const accounts = rootAccounts({ '/pgdata': 0 })
  const given: GivenOptions = new Map([['pgdata', [{ name: 'PGDATA', text: '/pgdata', at: null }]]])
  t.match(await ask(down, {}, { accounts, given }), {
    exitCode: exitCodes.error,
    errors: [{ message: 'PGDATA: started as root, and /pgdata belongs to root' }],
    opened: [],
  })
  t.match(await ask(down, { pgdata: '/missing' }, { accounts }), {
    exitCode: exitCodes.error,
    errors: [{ message: 'data directory /missing does not exist' }],
    opened: [],
  })
  t.match(await ask(down, { print: 'nagios' }, { accounts }), {
    exitCode: nagiosExitCodes.UNKNOWN,
    printed: /belongs to root/,
  })
})

t.test('root that may not become the owner does not check', async t => {
  const become = (): never => {
    throw new Error('EPERM')
  }
  const accounts = { ...rootAccounts({ '/pgdata': 101 }), become }
  const { exitCode, errors, opened } = await ask(primaryEvidence(), {}, { accounts })
  t.equal(exitCode, exitCodes.error)
  t.match(errors, [{ message: /^started as root, but could not become user101: / }])
  t.strictSame(opened, [])
})

t.test('a directory of the environment is blamed on its variable', async t => {
  const given: GivenOptions = new Map([['pgdata', [{ name: 'PGDATA', text: '/pgdata', at: null }]]])
  const absent = primaryEvidence({ directory: { kind: 'absent' } })
  t.match(await ask(absent, {}, { given }), {
    errors: [{ message: 'PGDATA: data directory /pgdata does not exist' }],
  })
})

t.test('in a shortage nothing is reported about the server', async t => {
  for (const lacking of ['EMFILE', 'ENFILE', 'ENOMEM']) {
    const { exitCode, errors, printed } = await ask(primaryEvidence(), {}, { lacking })
    t.equal(exitCode, exitCodes.error)
    t.strictSame(errors, [
      {
        message: `could not determine the state of /pgdata: ${lacking}`,
        hint: 'too many files are open, or no memory is left: see ulimit -n and fs.file-max',
      },
    ])
    t.equal(printed, '')
    const nagios = await ask(primaryEvidence(), { print: 'nagios' }, { lacking })
    t.equal(nagios.exitCode, nagiosExitCodes.UNKNOWN)
    t.match(nagios.printed, new RegExp(`UNKNOWN.*${lacking}`))
  }
})

t.test('a daemon that was found is asked, and its additional information counts', async t => {
  const daemon: LocalDaemon = {
    socket: '/run/x.sock',
    directory: '/pgdata',
    answer: 'unavailable',
    rule: 'maintenance',
    because: 'new kernel\x1b',
  }
  const inMaintenance = await ask(primaryEvidence(), {}, { daemon })
  t.equal(inMaintenance.exitCode, exitCodes.unavailable)
  t.match(inMaintenance.printed, /^unavailable: /)
  t.match(
    inMaintenance.printed,
    /\nthe daemon answers {2}unavailable {2}maintenance: new kernel\\u001b \(\/run\/x.sock\)\nthis check found {4}primary {6}in production: /,
  )
  const expected = await ask(primaryEvidence(), { expect: 'primary' }, { daemon })
  t.equal(expected.exitCode, 1)
  const json = await ask(primaryEvidence(), { print: 'json' }, { daemon })
  t.match(JSON.parse(json.printed), {
    verdict: 'unavailable',
    daemon: { verdict: 'unavailable', rule: 'maintenance', socket: '/run/x.sock' },
  })

  const late = { ...daemon, rule: 'lease expired', because: 'the last check is 2000 ms old' }
  const hanging = await ask(primaryEvidence(), {}, { daemon: late })
  t.equal(hanging.exitCode, exitCodes.primary)
  t.match(hanging.printed, /\nthe daemon answers {2}unavailable {2}lease expired: /)
})
