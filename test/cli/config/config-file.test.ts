import * as fc from 'fast-check'
import t from 'tap'
import { isFileKey, parseConfigFile } from '../../../src/cli/config/config-file.ts'

const parse = (...lines: readonly string[]) => parseConfigFile(lines.join('\n'), 'x.conf')
/** The text of a key in section `a`. */
const textOf = (line: string): string | undefined => {
  const { sections, errors } = parse('[a]', line)
  t.strictSame(errors, [], line)
  return [...(sections[0]?.entries.values() ?? [])][0]?.[0]?.text
}
const mistake = (...lines: readonly string[]) => {
  const { errors } = parse(...lines)
  return errors.length === 1 ? errors[0] : errors
}

t.test('sections, the settings above them, and the line of each', async t => {
  const file = parse(
    '\uFEFF; of all',
    'interval = 1000\r',
    '',
    '[16-main] ; the big one',
    'pgdata = /a',
    '  # bind = ::9',
    'bind = ::1',
    'bind=::2',
    ' [ b_2.c ]',
  )
  t.strictSame(file, {
    top: new Map([['interval', [{ text: '1000', line: 2 }]]]),
    sections: [
      {
        name: '16-main',
        line: 4,
        entries: new Map([
          ['pgdata', [{ text: '/a', line: 5 }]],
          [
            'bind',
            [
              { text: '::1', line: 7 },
              { text: '::2', line: 8 },
            ],
          ],
        ]),
      },
      { name: 'b_2.c', line: 9, entries: new Map() },
    ],
    errors: [],
  })
})

t.test('a value is the rest of its line, and a comment is a line of its own', async t => {
  const texts = {
    'on-change = touch one; touch two': 'touch one; touch two',
    'pgdata = /a # b': '/a # b',
    'pgdata = "/a ; b # c"': '/a ; b # c',
    [String.raw`pgdata = /a\;b`]: String.raw`/a\;b`,
    'pgdata =': '',
    'newline = null': 'null',
    "port = '5400'": '5400',
  }
  for (const [line, text] of Object.entries(texts)) t.equal(textOf(line), text, line)
})

t.test('a quote that is not closed is an error', async t => {
  t.strictSame(mistake('[a]', 'pgdata = "/a'), {
    message: 'x.conf:2: unterminated quoted value of pgdata',
    hint: 'put quotes around the whole value; nothing within them is escaped',
    line: 2,
  })
})

t.test('an unknown key is reported with a suggestion', async t => {
  const hints = {
    prot: 'did you mean port?',
    Port: 'did you mean port?',
    '--port': 'did you mean port?',
    lock_level: 'did you mean log-level?',
    pgdata1: 'did you mean pgdata?',
    'bind[]': 'did you mean bind?',
    confi: 'keys are the options without dashes; see "pg-replstatus serve --help"',
    ['__proto__']: 'keys are the options without dashes; see "pg-replstatus serve --help"',
    json: 'keys are the options without dashes; see "pg-replstatus serve --help"',
    'port ;': 'did you mean port?',
    'a b': 'keys are the options without dashes; see "pg-replstatus serve --help"',
    '--': 'keys are the options without dashes; see "pg-replstatus serve --help"',
  }
  for (const [key, hint] of Object.entries(hints)) {
    const message = `x.conf:2: unknown key ${JSON.stringify(key)}`
    t.strictSame(mistake('[a]', `${key} = 1`), { message, hint, line: 2 })
  }
})

t.test('some options are for the command line only', async t => {
  for (const key of ['help', 'config', 'check-config', 'discover']) {
    t.strictSame(mistake('[a]', `${key} = on`), {
      message: `x.conf:2: ${key} cannot be set in a file`,
      hint: `use --${key} on the command line`,
      line: 2,
    })
  }
})

t.test('some keys have their place', async t => {
  t.strictSame(mistake('[a]', 'log-level = debug'), {
    message: 'x.conf:2: log-level must be set above the first section',
    hint: 'it applies to the whole process',
    line: 2,
  })
  t.match(mistake('[a]', 'log-format = json'), { message: /log-format must be set above/ })
  t.strictSame(mistake('pgdata = /a', '[a]'), {
    message: 'x.conf:1: pgdata must be set in a section',
    hint: 'a section begins with the name of its cluster: [main]',
    line: 1,
  })
})

t.test('a line that is neither a section nor a setting', async t => {
  const hint = 'the value of a switch is on or off; a comment begins with ";" or "#"'
  const setting = { hint, line: 1 }
  for (const line of ['newline', '= 5', '"port"']) {
    const message = `x.conf:1: invalid setting ${JSON.stringify(line)}: must be KEY = VALUE`
    t.strictSame(mistake(line), { message, ...setting })
  }
  const section = {
    hint: 'a name consists of letters, digits, "-", "_" and ".", 64 at most',
    line: 1,
  }
  for (const line of ['[]', '[a', '[a b]', '[a]b', '[ä]', `[${'a'.repeat(65)}]`]) {
    const message = `x.conf:1: invalid section ${JSON.stringify(line)}: must be [NAME]`
    t.strictSame(mistake(line), { message, ...section })
  }
})

t.test('a section may occur once, and settings below a wrong one are checked as well', async t => {
  const file = parse('[a]', 'port = 1', '[a]', 'port = 2', 'prot = 3', '[?]', 'help = 4')
  t.match(file.errors, [
    { message: 'x.conf:3: section a already begins in line 1', line: 3 },
    { line: 5 },
    { line: 6 },
    { line: 7 },
  ])
  t.equal(file.sections.length, 1)
  t.strictSame(file.sections[0]?.entries.get('port'), [{ text: '1', line: 2 }])
})

t.test('any text can be quoted in an error', async () => {
  const pieces = fc.constantFrom(
    '[',
    ']',
    'port',
    '=',
    '"',
    "'",
    ';',
    '#',
    '\\',
    '\n',
    ' ',
    '-',
    'x',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces).map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(text, text => {
      const lines = text.split(/\r?\n/).length
      return parseConfigFile(text, 'x').errors.every(({ line }) => line >= 1 && line <= lines)
    }),
  )
})

t.test('a configuration file has the options of the environment, but not --config', async t => {
  for (const name of ['pgdata', 'port', 'bind', 'log-level']) t.ok(isFileKey(name), name)
  for (const name of ['config', 'check-config', 'discover', 'help', 'json', 'x', '']) {
    t.notOk(isFileKey(name), name)
  }
})
