import t from 'tap'
import type { OptionName } from '../../../src/cli/options/option-table.ts'
import { createSettings, sourceOf, withSource } from '../../../src/cli/options/settings.ts'
import type { Entries, Entry, Flags, Form } from '../../../src/cli/options/settings.ts'

const hint = 'read the manual'
const settingsOf = (flags: Flags, environment: Record<string, string> = {}) =>
  createSettings(flags, { environment, hint })

const small: Form<number> = {
  expected: 'a digit',
  read: text => (/^\d$/.test(text) ? Number(text) : null),
}

t.test('a flag takes precedence over the environment, and that over the default', async t => {
  const flags: Flags = new Map([['port', ['1']]])
  const environment = { PG_REPLSTATUS_PORT: '2' }
  t.equal(settingsOf(flags, environment).one('port', small, 3), 1)
  t.equal(settingsOf(new Map(), environment).one('port', small, 3), 2)
  t.equal(settingsOf(new Map()).one('port', small, 3), 3)
})

t.test('of a flag given twice the last one counts', async t => {
  t.equal(settingsOf(new Map([['port', ['1', '2']]])).one('port', small, 3), 2)
})

t.test('a variable left empty was not given', async t => {
  const settings = settingsOf(new Map(), { PG_REPLSTATUS_PORT: '', PG_REPLSTATUS_BIND: '' })
  t.equal(settings.one('port', small, 3), 3)
  t.strictSame(settings.all('bind', small), [])
  t.strictSame(settings.errors, [])
})

t.test('a list is repeated, or separated by commas, or both', async t => {
  t.strictSame(settingsOf(new Map([['bind', ['1', '2, 3']]])).all('bind', small), [1, 2, 3])
  t.strictSame(settingsOf(new Map(), { PG_REPLSTATUS_BIND: '1,2' }).all('bind', small), [1, 2])
})

t.test('a flag replaces the whole list of the environment', async t => {
  const settings = settingsOf(new Map([['bind', ['1']]]), { PG_REPLSTATUS_BIND: '2,3' })
  t.strictSame(settings.all('bind', small), [1])
})

t.test('errors are collected in the order of reading, each under its given name', async t => {
  const settings = settingsOf(
    new Map([
      ['lease', ['x']],
      ['bind', ['1,y']],
    ]),
    {
      PG_REPLSTATUS_PORT: 'a "b"',
    },
  )
  t.equal(settings.one('port', small, 3), 3, 'the default stands in')
  t.equal(settings.one('lease', small, 4), 4)
  t.strictSame(settings.all('bind', small), [1])
  t.strictSame(settings.errors, [
    { message: 'PG_REPLSTATUS_PORT must be a digit, but is "a \\"b\\""', hint },
    { message: '--lease must be a digit, but is "x"', hint },
    { message: '--bind must be a digit, but is "y"', hint },
  ])
})

t.test('some options are for the command line only', async t => {
  const settings = settingsOf(new Map(), { PG_REPLSTATUS_EXPECT: '1', EXPECT: '1', null: '1' })
  t.equal(settings.one('expect', small, 3), 3)
})

const fileOf = (...parts: readonly Entries[]) =>
  createSettings(new Map(), { environment: {}, file: { path: 'x.conf', parts }, hint })
const entries = (...given: readonly (readonly [OptionName, ...Entry[]])[]): Entries =>
  new Map(given.map(([name, ...texts]) => [name, texts]))

t.test('the environment takes precedence over a file, a section over its top', async t => {
  const section = entries(['port', { text: '1', line: 3 }])
  const top = entries(['port', { text: '2', line: 1 }], ['lease', { text: '3', line: 2 }])
  t.equal(fileOf(section, top).one('port', small, 0), 1)
  t.equal(fileOf(section, top).one('lease', small, 0), 3)
  t.equal(fileOf(section, top).one('interval', small, 4), 4)
  const environment = { PG_REPLSTATUS_PORT: '5', PG_REPLSTATUS_LEASE: '' }
  const file = { path: 'x.conf', parts: [section, top] }
  const settings = createSettings(new Map(), { environment, file, hint })
  t.equal(settings.one('port', small, 0), 5)
  t.equal(settings.one('lease', small, 0), 3)
})

t.test('errors in a file are reported with their line', async t => {
  const settings = fileOf(
    entries(
      ['port', { text: 'x', line: 3 }],
      ['lease', { text: '1', line: 4 }, { text: 'y', line: 6 }],
      ['bind', { text: '1, z', line: 7 }, { text: '2', line: 8 }],
    ),
  )
  t.equal(settings.one('port', small, 0), 0)
  t.equal(settings.one('lease', small, 0), 0)
  t.strictSame(settings.all('bind', small), [1, 2])
  t.strictSame(settings.errors, [
    { message: 'x.conf:3: port must be a digit, but is "x"', hint, line: 3 },
    { message: 'x.conf:6: lease is already set in line 4', hint, line: 6 },
    { message: 'x.conf:6: lease must be a digit, but is "y"', hint, line: 6 },
    { message: 'x.conf:7: bind must be a digit, but is "z"', hint, line: 7 },
  ])
})

t.test('an option that is useless alone is an error where it was given', async t => {
  const settings = fileOf(entries(['lease', { text: '1', line: 4 }]))
  settings.need('port', 'lease')
  t.strictSame(settings.errors, [], 'it was given nowhere')
  settings.one('lease', small, 0)
  settings.need('lease', 'port')
  t.strictSame(settings.errors, [{ message: 'x.conf:4: lease requires port', hint, line: 4 }])
})

t.test('for a value that seems to have a comment, the hint shows how to write that', async t => {
  const settings = fileOf(entries(['port', { text: '1 ; of a', line: 3 }]))
  settings.one('port', small, 0)
  t.strictSame(settings.errors, [
    {
      message: 'x.conf:3: port must be a digit, but is "1 ; of a"',
      hint: 'a comment must be on a line of its own',
      line: 3,
    },
  ])
})

t.test('an error names what gave the value, unless that is the command line', async t => {
  const error = { message: 'no', hint: 'yes' }
  const blamed = (name: string, at: { path: string; line: number } | null) =>
    withSource(error, new Map([['pgdata', [{ name, text: '', at }]]]), 'pgdata').message
  t.equal(blamed('PGDATA', null), 'PGDATA: no')
  t.equal(blamed('pgdata', { path: 'x', line: 1 }), 'pgdata (x:1): no')
  t.equal(blamed('--pgdata', null), 'no')
  t.strictSame(withSource(error, new Map(), 'pgdata'), error)
})

t.test('what was read is known with where it was given', async t => {
  const parts = [entries(['bind', { text: '1, 2', line: 7 }, { text: '3', line: 8 }])]
  const settings = createSettings(new Map([['port', ['4', '5']]]), {
    environment: { PG_REPLSTATUS_LEASE: '6' },
    file: { path: 'x.conf', parts },
    hint,
  })
  for (const option of ['port', 'lease', 'interval'] as const) settings.one(option, small, 0)
  settings.all('bind', small)
  settings.all('http', small)
  const sources = [...settings.given.values()].map(given =>
    given.map(one => `${one.text} by ${sourceOf(one)}`),
  )
  t.strictSame(sources, [
    ['5 by --port'],
    ['6 by PG_REPLSTATUS_LEASE'],
    ['1 by bind (x.conf:7)', '2 by bind (x.conf:7)', '3 by bind (x.conf:8)'],
  ])
})
