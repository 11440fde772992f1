import t from 'tap'
import { readSettings, workerSettings } from '../../src/facts/server-settings.ts'

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
