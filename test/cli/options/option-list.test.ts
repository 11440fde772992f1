import t from 'tap'
import { sortWords } from '../../../src/cli/options/command-words.ts'
import {
  negationOf,
  optionList,
  optionsOf,
  synopsisOf,
  variableOf,
} from '../../../src/cli/options/option-list.ts'
import { commandNames } from '../../../src/cli/options/option-spec.ts'

/** `--port` and the like as the page lists them, at the beginning of a line. */
const listed = (page: string): readonly string[] =>
  Array.from(page.matchAll(/^ {2}(?:-\S, )?--([a-z-]+)/gm), ([, name = '']) => name)

for (const command of commandNames) {
  t.test(`the list of ${command} has its options, each of them once and no other`, async t => {
    const names = optionsOf(command).map(([name]) => name)
    t.strictSame(listed(optionList(command)), names)
    for (const [name, { value }] of optionsOf(command)) {
      const words = [command, `--${name}`, ...(value === undefined ? [] : ['x'])]
      t.match(sortWords(words), {
        ok: true,
        fact: { flags: new Map([[name, [value ? 'x' : 'on']]]) },
      })
    }
  })
}

t.test('a switch that may be on elsewhere can be turned off, and its help shows how', async t => {
  for (const [name, { value, help }] of commandNames.flatMap(optionsOf)) {
    const negation = negationOf(name)
    t.equal(negation !== null, value === undefined && variableOf(name) !== null, name)
    if (negation !== null) t.match(help.join(' '), negation)
  }
  t.equal(negationOf('newline'), '--no-newline')
})

t.test('options are under their headings, with their text beside them', async t => {
  t.equal(
    optionList('query'),
    `Connections:
  --timeout MS               time limit in milliseconds (default: 3000)

  -?, --help                 show this help, then exit
`,
  )
  t.match(optionList('serve'), /^ {2}--bind ADDRESS {13}address .*\n {31}\(default/m)
  t.equal(synopsisOf('pgdata'), '-D, --pgdata DIR')
  t.equal(synopsisOf('pgdata', '<>'), '-D, --pgdata <DIR>')
  t.equal(synopsisOf('newline', '<>'), '--newline')
})

t.test('each command has its own options, and help', async t => {
  const names = commandNames.map(command => optionsOf(command).map(([name]) => name))
  const [serve = [], status = [], history = [], query = [], cluster = []] = names
  t.strictSame(history, ['pgdata', 'user', 'json', 'timeout', 'help'])
  t.ok(serve.includes('port') && !status.includes('port') && !query.includes('port'))
  t.strictSame(query, ['timeout', 'help'])
  t.strictSame(cluster, ['json', 'watch', 'timeout', 'help'])
  for (const options of names) t.equal(options.at(-1), 'help')
})
