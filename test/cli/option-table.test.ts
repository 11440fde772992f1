import t from 'tap'
import { sortWords } from '../../src/cli/command-words.ts'
import {
  commandNames,
  flagOf,
  isFileKey,
  optionList,
  optionsOf,
} from '../../src/cli/option-table.ts'

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

t.test('a configuration file may say what the environment may, but not which file', async t => {
  for (const name of ['pgdata', 'port', 'bind', 'log-level']) t.ok(isFileKey(name), name)
  for (const name of ['config', 'check-config', 'discover', 'help', 'json', 'x', '']) {
    t.notOk(isFileKey(name), name)
  }
})
