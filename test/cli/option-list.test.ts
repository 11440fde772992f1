import t from 'tap'
import { sortWords } from '../../src/cli/command-words.ts'
import { flagOf, negationOf, optionList } from '../../src/cli/option-list.ts'
import { commandNames, optionsOf } from '../../src/cli/option-table.ts'

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

t.test('a switch that may be on elsewhere can be turned off, and its help says how', async t => {
  for (const [name, { value, variable, help }] of commandNames.flatMap(optionsOf)) {
    const negation = negationOf(name)
    t.equal(negation !== null, value === undefined && variable !== null, name)
    if (negation !== null) t.match(help.join(' '), negation)
  }
  t.equal(negationOf('newline'), '--no-newline')
})

t.test('options stand under their headings, and what is said of them beside', async t => {
  t.equal(
    optionList('query'),
    `Asking:
  --timeout MS               give up after so many milliseconds (default: 3000)

  -?, --help                 show this help, then exit
`,
  )
  t.match(optionList('serve'), /^ {2}--bind ADDRESS {13}address .*\n {31}\(default/m)
  t.equal(flagOf('pgdata'), '-D, --pgdata <DIR>')
  t.equal(flagOf('newline'), '--newline')
})
