import t from 'tap'
import {
  parseSettingLine,
  readSettings,
  workerSettings,
} from '../../../src/facts/decode/postgresql-conf.ts'

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

t.test('the last one wins, of lines and of files', t => {
  const settings = readSettings(['Port = 1\nport = 2\na = b\n# a = c\n', 'port = 3\n'])
  t.strictSame(
    [...settings],
    [
      ['port', '3'],
      ['a', 'b'],
    ],
  )
  t.end()
})

const worker = (...lines: readonly string[]) => workerSettings(readSettings(lines))

t.test('bgw_replstatus is where it is loaded or set', t => {
  t.equal(worker(), null)
  t.equal(worker("shared_preload_libraries = 'pg_stat_statements, my_bgw_replstatus'"), null)
  t.equal(worker("bgw_replstatus.bind = ''"), null)
  const usual = { port: 5400, bind: null }
  for (const libraries of [
    'bgw_replstatus',
    'a, "$libdir/bgw_replstatus.so"',
    'a,bgw_replstatus',
  ]) {
    t.strictSame(worker(`shared_preload_libraries = '${libraries}'`), usual, libraries)
  }
  t.strictSame(worker('bgw_replstatus.port = 5401', "bgw_replstatus.bind = '::1'"), {
    port: 5401,
    bind: '::1',
  })
  t.strictSame(worker("bgw_replstatus.bind = '::1'"), { port: 5400, bind: '::1' })
  t.end()
})
