import t from 'tap'
import { helpHint, sortWords } from '../../../src/cli/options/command-words.ts'
import type { CommandName } from '../../../src/cli/options/option-spec.ts'
import { commandNames } from '../../../src/cli/options/option-spec.ts'

const sorted = (line: string) => {
  const words = sortWords(line === '' ? [] : line.split(' '))
  t.equal(words.ok, true, line)
  if (!words.ok) throw new Error(words.fault.message)
  const { command, flags, operands } = words.fact
  return { command, flags: Object.fromEntries(flags), operands }
}
const mistake = (line: string) => {
  const words = sortWords(line.split(' '))
  return words.ok ? null : words.fault
}

t.test('serve is the command where none is named', async t => {
  t.strictSame(sorted(''), { command: 'serve', flags: {}, operands: [] })
  t.match(sorted('--newline'), { command: 'serve', flags: { newline: ['on'] } })
  t.match(sorted('serve --newline'), { command: 'serve', flags: { newline: ['on'] } })
})

t.test('options are written as everywhere', async t => {
  const flags = { pgdata: ['/data'] }
  for (const line of ['-D /data', '-D/data', '--pgdata /data', '--pgdata=/data']) {
    t.match(sorted(line), { flags })
  }
  t.strictSame(sorted('--newline --newline').flags, { newline: ['on', 'on'] })
  t.strictSame(sorted('--bind ::1 --bind=127.0.0.1').flags, { bind: ['::1', '127.0.0.1'] })
  t.strictSame(sorted('--port -1').flags, { port: ['-1'] }, 'a value may begin with a dash')
})

t.test('a switch that may be on elsewhere can be turned off, and the last word counts', async t => {
  t.strictSame(sorted('--no-newline').flags, { newline: ['off'] })
  t.strictSame(sorted('--newline --no-newline').flags, { newline: ['on', 'off'] })
  t.strictSame(sorted('--no-newline --newline').flags, { newline: ['off', 'on'] })
  t.match(mistake('--no-port'), { message: "unknown option '--no-port'" })
  t.match(mistake('--no-discover'), { message: "unknown option '--no-discover'" })
  t.match(mistake('--newline=off'), {
    message: "unknown option '--newline=off'",
    hint: 'a switch has no value: use --newline or --no-newline',
  })
})

t.test('operands may be before, between and behind options', async t => {
  t.strictSame(sorted('query a --timeout 5 b:1'), {
    command: 'query',
    flags: { timeout: ['5'] },
    operands: ['a', 'b:1'],
  })
  t.strictSame(sorted('query -- --timeout').operands, ['--timeout'])
  t.match(sorted('-D /data status'), { command: 'serve', operands: ['status'] })
})

t.test('help is asked for in either way', async t => {
  for (const command of commandNames) {
    t.strictSame(sorted(`${command} --help`).flags, { help: ['on'] })
    t.strictSame(sorted(`${command} -?`).flags, { help: ['on'] })
  }
})

t.test('a misspelt option or command is reported with a suggestion', async t => {
  t.strictSame(mistake('--prot 5400'), {
    message: "unknown option '--prot'",
    hint: 'did you mean --port?',
  })
  t.strictSame(mistake('statsu'), {
    message: "unknown command 'statsu'",
    hint: 'did you mean status?',
  })
  t.match(mistake('--log-formal text'), { hint: 'did you mean --log-format?' })
  t.match(mistake('--xon'), { hint: 'see "pg-replstatus serve --help"' })
})

t.test('a word without a suggestion is reported with the help to read', async t => {
  t.strictSame(mistake('/var/lib/postgresql/16/main'), {
    message: "unknown command '/var/lib/postgresql/16/main'",
    hint: 'see "pg-replstatus --help"; the data directory must be specified with -D',
  })
  t.strictSame(mistake('query -x'), {
    message: "unknown option '-x'",
    hint: 'see "pg-replstatus query --help"',
  })
  t.strictSame(mistake('status -D'), {
    message: "option '-D, --pgdata <DIR>' argument missing",
    hint: 'see "pg-replstatus status --help"',
  })
})

t.test('an option of another command is unknown', async t => {
  t.match(mistake('status --port 5400'), { message: "unknown option '--port'" })
  t.match(mistake('query -D /data'), { message: "unknown option '-D'" })
})

t.test('the hint names the command', async t => {
  t.equal(helpHint('query' satisfies CommandName), 'see "pg-replstatus query --help"')
})
