import * as fc from 'fast-check'
import t from 'tap'
import { readConfigLine, writeConfigValue } from '../../../src/cli/config/config-line.ts'

/** Undefined for what is no setting. */
const valueOf = (line: string): string | null | undefined => {
  const read = readConfigLine(line)
  return read.kind === 'setting' ? read.value : undefined
}

t.test('a comment is a whole line', async t => {
  for (const line of ['', ' ', '; a = b', '# a = b', '\t ;', ' # [x]', '\r']) {
    t.strictSame(readConfigLine(line), { kind: 'nothing' }, line)
  }
})

t.test('a value goes to the end of its line, and is trimmed', async t => {
  const values = {
    'a = touch one; touch two': 'touch one; touch two',
    'a = x # y ; z': 'x # y ; z',
    'a=b=c': 'b=c',
    'a = [x]': '[x]',
    'a =\t/b c \r': '/b c',
    [String.raw`a = /b\;c\n`]: String.raw`/b\;c\n`,
    'a = null': 'null',
    'a =': '',
  }
  for (const [line, value] of Object.entries(values)) t.equal(valueOf(line), value, line)
})

t.test(
  'one pair of quotes around the whole value is removed, and nothing is unescaped',
  async t => {
    const values = {
      'a = "b"': 'b',
      "a = 'b'": 'b',
      'a = " b; c # d "': ' b; c # d ',
      'a = ""': '',
      [`a = "'b'"`]: "'b'",
      [`a = ""b""`]: '"b"',
      [String.raw`a = "\"b\""`]: String.raw`\"b\"`,
      [String.raw`a = "\u0041"`]: String.raw`\u0041`,
    }
    for (const [line, value] of Object.entries(values)) t.equal(valueOf(line), value, line)
  },
)

t.test('quotes elsewhere belong to the value', async t => {
  for (const value of ['a "b"', '"a b" c', `'a' "b"`, '"a" ; b', 'a"', "it's"]) {
    t.equal(valueOf(`x = ${value}`), value)
  }
})

t.test('a quote at the beginning that is nowhere closed is found', async t => {
  for (const value of ['"/a', "'/a", '"', `"a'`, `'"`])
    t.equal(valueOf(`x = ${value}`), null, value)
})

t.test('a key is the text before the first equals sign', async t => {
  for (const key of ['a', 'a b', 'a ; b', '__proto__', 'a[]', '"a"', '%include']) {
    t.strictSame(readConfigLine(` ${key} = v`), { kind: 'setting', key, value: 'v' })
  }
  for (const line of ['a', '= v', ' =', '"a"']) {
    t.strictSame(readConfigLine(line), { kind: 'bad setting' }, line)
  }
})

t.test('a section has a name in brackets, and possibly a comment behind it', async t => {
  for (const line of ['[a.b]', ' [ a.b ]\t', '[a.b] ; c', '[a.b]# c']) {
    t.strictSame(readConfigLine(line), { kind: 'section', name: 'a.b' }, line)
  }
  t.strictSame(readConfigLine('[]'), { kind: 'section', name: '' })
  for (const line of ['[a', '[a]b', '[a] = b']) {
    t.strictSame(readConfigLine(line), { kind: 'bad section' }, line)
  }
})

/** What matters to the format, and all else. */
const character = fc.oneof(
  fc.constantFrom(
    '"',
    "'",
    ' ',
    '\t',
    ';',
    '#',
    '=',
    '[',
    ']',
    '\\',
    '\r',
    '\u00A0',
    '\uFEFF',
    '\u2028',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
)
const anyText = fc.string({ unit: character })

t.test('each value without a line feed is read as it was written', async () => {
  fc.assert(
    fc.property(
      anyText.filter(text => !text.includes('\n')),
      text => valueOf(`a = ${writeConfigValue(text)}`) === text,
    ),
    { numRuns: 2000 },
  )
})

t.test('a value is written without quotes if it needs none', async t => {
  for (const value of ['/a b', 'a; b # c', "it's", 'a"', '[x]', 'a\\']) {
    t.equal(writeConfigValue(value), value)
  }
  t.equal(writeConfigValue(' a'), '" a"')
  t.equal(writeConfigValue('"a"'), '""a""')
})

t.test('a value with a line feed cannot be written', async t => {
  t.equal(writeConfigValue('a\nb'), null)
})

t.test('no line is too odd to be read', async () => {
  fc.assert(
    fc.property(
      anyText,
      text => typeof readConfigLine(text.replaceAll('\n', '')).kind === 'string',
    ),
  )
})
