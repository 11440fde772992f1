import * as fc from 'fast-check'
import t from 'tap'
import { parsePostmasterArguments } from '../../../src/facts/decode/postmaster-arguments.ts'
import { textOf } from '../../harness/foreign-text.ts'

/** The command line of a postmaster with these arguments. */
const parse = (...args: readonly string[]) =>
  parsePostmasterArguments(['/usr/lib/postgresql/15/bin/postgres', ...args, ''].join('\0'))

type Case = readonly [args: readonly string[], dataDirectory: string | null, upgrade: boolean]
const cases: readonly Case[] = [
  [[], null, false],
  [['-p', '5432'], null, false],
  // -D in all its spellings.
  [['-D', '/pgdata'], '/pgdata', false],
  [['-D/pgdata'], '/pgdata', false],
  [['-FD', '/pgdata'], '/pgdata', false],
  [['-eFD/pgdata'], '/pgdata', false],
  [['-p', '5432', '-D', '/pgdata', '-k', '/tmp'], '/pgdata', false],
  [['-D', '/one', '-D', '/two'], '/two', false],
  [['-D'], '', false],
  // A path may hold anything but NUL.
  [['-D', '/a path\nof two lines'], '/a path\nof two lines', false],
  [['-D/a path\nof two lines'], '/a path\nof two lines', false],
  [['-D', '-b'], '-b', false],
  [['-D-b'], '-b', false],
  // -b alone and among others.
  [['-b'], null, true],
  [['-D', '/pgdata', '-b'], '/pgdata', true],
  [['-Fb'], null, true],
  [['-bF'], null, true],
  [['-FbD', '/pgdata'], '/pgdata', true],
  // As pg_ctl starts it for pg_upgrade.
  [['-D', '/pgdata', '-p', '50432', '-b', '-c', 'synchronous_commit=off'], '/pgdata', true],
  // Values that look like options.
  [['-c', '-b'], null, false],
  [['-c', 'x=-b'], null, false],
  [['-cx=-b'], null, false],
  [['-Fc', '-D'], null, false],
  [['-c', '-D', '/pgdata'], null, false],
  [['-Cdata_directory'], null, false],
  [['-Bb'], null, false],
  [['-hb'], null, false],
  [['-lb'], null, true],
  // Long options, and what is no option.
  [['--name=value'], null, false],
  [['--debug_print=b', '--D=/pgdata'], null, false],
  [['--', '-b'], null, true],
  [['-', 'b', 'D', '/pgdata'], null, false],
]

t.test('the data directory and a binary upgrade are found as the server finds them', async t => {
  for (const [args, dataDirectory, binaryUpgrade] of cases) {
    t.strictSame(parse(...args), { dataDirectory, binaryUpgrade }, JSON.stringify(args))
  }
})

t.test('the name of the program is no argument', async t => {
  const nothing = { dataDirectory: null, binaryUpgrade: false }
  t.strictSame(parsePostmasterArguments('-b\0'), nothing)
  t.strictSame(parsePostmasterArguments(''), nothing)
})

t.test('a truncated command line shows no more than it has', async t => {
  const nothing = { dataDirectory: null, binaryUpgrade: false }
  t.strictSame(parsePostmasterArguments('postgres\0-D'), nothing)
  t.strictSame(parsePostmasterArguments('postgres\0-F\0-c'), nothing)
})

t.test('no command line makes it throw', async t => {
  const property = fc.property(textOf('\0', '-', 'D', 'b', '-c', '-D\0', '-b\0'), text => {
    const { dataDirectory } = parsePostmasterArguments(text)
    return dataDirectory === null || text.includes(dataDirectory)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})
