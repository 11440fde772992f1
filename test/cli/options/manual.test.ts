import t from 'tap'
import { parseCommandLine } from '../../../src/cli/options/command-line.ts'
import { help } from '../../../src/cli/options/help.ts'
import { manualPage } from '../../../src/cli/options/manual.ts'
import { optionsOf, variableOf } from '../../../src/cli/options/option-list.ts'
import { commandNames } from '../../../src/cli/options/option-spec.ts'

const page = manualPage({ version: '1.2.3', date: '2026-01-31' })

/** What a reader sees of it, one word after the other. */
const words = page
  .replaceAll(/^\.(?:TH|SH|SS|TP|B|PP|EX|EE|RS|RE)\b ?/gm, '')
  .replaceAll('\\-', '-')
  .replaceAll('\\(aq', "'")
  .split(/\s+/)
  .join(' ')

t.test('begins with what man, whatis and apropos read', async t => {
  const [title, heading, name] = page.split('\n')
  t.equal(title, '.TH PG\\-REPLSTATUS 1 2026-01-31 "pg\\-replstatus 1.2.3" "PostgreSQL"')
  t.equal(heading, '.SH NAME')
  t.match(name, /^pg\\-replstatus \\- reports the role of a PostgreSQL server to load balancers$/)
  t.match(page, /\S\n$/)
  t.notMatch(page, /[ \t]$/m, 'nothing trails')
  t.notMatch(page, /\n\n/, 'blank lines are requests of their own')
})

t.test('contains all of the help', async t => {
  for (const [name, text] of Object.entries(help)) {
    const lines = text
      .split(/\n\n/)
      .filter(paragraph => !/^ {2}-\S, --(?:help|version)/m.test(paragraph))
      .flatMap(paragraph => paragraph.split('\n'))
      // What each command does is told once, under its own heading.
      .map(line => line.trim().replace(/^(pg-replstatus .*?) {2,}.*/, '$1'))
      .map(line => line.replaceAll(/ +/g, ' '))
    for (const line of lines) {
      const seen = words.includes(line) || words.includes(line.replace(/:$/, ''))
      const isHeading = /^(?:Exit codes|Signals):$/.test(line)
      t.ok(seen || isHeading, `${name}: ${line}`)
    }
  }
})

t.test('has each option of each command, and what the environment is asked for', async t => {
  const sections = page.split(/^\.SH /m)
  for (const command of commandNames) {
    const section = sections.find(text => text.startsWith(`${command.toUpperCase()}\n`)) ?? ''
    for (const [name] of optionsOf(command)) {
      t.match(section, new RegExp(`^\\.B .*\\\\-\\\\-${name.replaceAll('-', '\\\\-')}( |$)`, 'm'))
    }
  }
  const environment = sections.find(text => text.startsWith('ENVIRONMENT\n')) ?? ''
  for (const [name] of commandNames.flatMap(optionsOf)) {
    const variable = variableOf(name)
    if (variable !== null) t.match(environment, `.B ${variable}\n`)
  }
})

t.test('the values of an option are a list within its text', async t => {
  const [, found = ''] = /^(\.B \\-\\-control\\-check [^]*?)\n\.TP\n\.B \\-\\-pg/m.exec(page) ?? []
  t.equal(
    found,
    `\
.B \\-\\-control\\-check HOW
how to determine the role (default: native)
.RS
.TP
.B native
read global/pg_control
.TP
.B pg_controldata
run PostgreSQL\\(aqs program of that
name, which reads it
.TP
.B off
use signal files only, which set
the role of the next start
.RE`,
  )
})

t.test('has examples that are valid, and the signals once', async t => {
  const lines = Array.from(page.matchAll(/^ {2}pg\\-replstatus (.*)$/gm), ([, line = '']) => line)
  const examples = lines
    .map(line => line.replaceAll('\\-', '-'))
    .filter(line => !/[[\]]/.test(line))
  t.ok(examples.length >= 5, examples.join('; '))
  for (const example of examples.filter(line => !/DIR|HOST:PORT/.test(line)))
    t.ok(parseCommandLine(example.split(' '), {}).ok, example)
  t.equal(page.match(/^\.B SIGUSR1$/gm)?.length, 1)
  t.match(page, /^\.SH SIGNALS\n\.TP\n\.B SIGTERM,? ?/m)
  t.match(page, /^\.SH FILES\n\.TP\n\.B \/etc\/pg\\-replstatus.conf\n/m)
})
