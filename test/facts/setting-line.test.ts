import t from 'tap'
import { parseSettingLine } from '../../src/facts/setting-line.ts'

t.test('a name and a value, in every spelling the server understands', t => {
  const settings = {
    'port = 5432': ['port', '5432'],
    '\tport\t5432  # comment\r': ['port', '5432'],
    "a='b'": ['a', 'b'],
    "a'b'": ['a', 'b'],
    "A = ''": ['A', ''],
    "a = 'it''s'": ['a', "it's"],
    "a = '\\157\\t\\b\\f\\n\\r\\x'": ['a', 'o\t\b\f\n\rx'],
    'bgw_replstatus.port = 5401': ['bgw_replstatus.port', '5401'],
    "bgw_replstatus.bind = '10.0.0.7'": ['bgw_replstatus.bind', '10.0.0.7'],
  }
  for (const [line, [name, value]] of Object.entries(settings)) {
    t.strictSame(parseSettingLine(line), { name, value }, line)
  }
  t.end()
})

t.test('what sets nothing', t => {
  const lines = ['', '# a = b', 'a', 'a =', 'a.b.c = d', 'a. = b', '1 = 2', "a = 'b", 'a = b c']
  for (const line of lines) t.equal(parseSettingLine(line), null, line)
  t.end()
})
