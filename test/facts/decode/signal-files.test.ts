import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import {
  nextStart,
  parseRecoveryConf,
  type NextStart,
} from '../../../src/facts/decode/signal-files.ts'
import { textOf } from '../../harness/foreign-text.ts'

const standbyMode = (text: string): boolean => parseRecoveryConf(text).standbyMode

t.test('a recovery.conf as pg_basebackup -R writes it asks for a standby', t => {
  const text = `standby_mode = 'on'
primary_conninfo = 'user=replicator password=''it''s'' host=10.0.0.7 port=5432 sslmode=prefer'
primary_slot_name = 'east'
recovery_target_timeline = 'latest'
`
  t.ok(standbyMode(text))
  t.end()
})

t.test('a recovery.conf without standby_mode requests recovery alone', t => {
  const texts = [
    '',
    '\n\n',
    "restore_command = 'cp /archive/%f %p'\n",
    "# standby_mode = 'on'\n",
    "restore_command = 'x' # standby_mode = on",
    "primary_conninfo = 'standby_mode = on'",
    'my.standby_mode = on',
    'standby_modes = on',
    'standby_modeon',
    'standby_mode',
    'standby_mode =',
    'standby_mode = # on',
  ]
  for (const text of texts) t.notOk(standbyMode(text), JSON.stringify(text))
  t.end()
})

t.test('standby_mode is understood in every spelling the server understands', t => {
  const lines = [
    'standby_mode=on',
    'standby_mode on',
    "standby_mode'on'",
    "standby_mode='on'",
    '\t standby_mode \t=\t on \t',
    'standby_mode = on\r',
    'standby_mode = on # comment',
    'standby_mode = on#comment',
    'standby_mode = on # comment\r',
    "standby_mode = 'on' # it's a comment",
    'STANDBY_MODE = on',
    "standby_mode = '\\157n'",
    "standby_mode = 'o\\156'",
    "standby_mode = '\\on'",
  ]
  for (const line of lines) t.ok(standbyMode(line), JSON.stringify(line))
  t.end()
})

t.test('a value with quotes, escapes and control characters is taken apart, not misread', t => {
  const lines = [
    "standby_mode = 'on''",
    "standby_mode = '''on'''",
    "standby_mode = 'o\\n'",
    "standby_mode = '\\bon'",
    "standby_mode = 'on\\\\'",
    "standby_mode = 'on\\'",
    "standby_mode = 'on' 'on'",
    'standby_mode = on off',
    'standby_mode = = on',
    'standby_mode == on',
    'standby_mode : on',
    'standby_mode = "on"',
    "standby_mode = ''",
    "standby_mode = ' on'",
    'standby_mode = o\nn',
  ]
  for (const line of lines) t.notOk(standbyMode(line), JSON.stringify(line))
  t.end()
})

t.test('booleans are spelled as PostgreSQL spells them', t => {
  const spellings = {
    true: ['on', 'ON', 'On', 't', 'tr', 'tru', 'true', 'TRUE', 'y', 'ye', 'yes', 'Yes', '1'],
    false: ['off', 'OFF', 'of', 'f', 'fa', 'fal', 'fals', 'false', 'n', 'no', 'NO', '0'],
  }
  for (const value of spellings.true) {
    t.ok(standbyMode(`standby_mode = ${value}`), value)
    t.ok(standbyMode(`standby_mode = '${value}'`), `'${value}'`)
  }
  for (const value of spellings.false) {
    t.notOk(standbyMode(`standby_mode = on\nstandby_mode = ${value}`), value)
    t.notOk(standbyMode(`standby_mode = on\nstandby_mode = '${value}'`), `'${value}'`)
  }
  t.end()
})

t.test('what is no boolean changes nothing', t => {
  for (const value of [
    'o',
    'onn',
    'offf',
    'truee',
    'yess',
    'none',
    '2',
    '10',
    '+1',
    '1.0',
    '0x1',
  ]) {
    t.notOk(standbyMode(`standby_mode = ${value}`), value)
    t.ok(standbyMode(`standby_mode = on\nstandby_mode = ${value}`), `on, then ${value}`)
  }
  t.end()
})

t.test('the last one wins', t => {
  t.ok(standbyMode('standby_mode = off\nstandby_mode = on'))
  t.notOk(standbyMode('standby_mode = on\nstandby_mode = off\n'))
  t.end()
})

const oneLine = (text: string): string => text.replaceAll('\n', ' ')

/** A letter as it is, or by its number. */
const spelled = (letter: string): fc.Arbitrary<string> =>
  fc.constantFrom(letter, `\\${letter.charCodeAt(0).toString(8)}`)

t.test('whatever else a file sets, the last standby_mode of it is found', t => {
  const text = textOf("'", '\\', '#', ' ', '=', 'standby_mode', 'on', '\r').map(oneLine)
  const quoted = text.map(value => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`)
  const other = fc
    .tuple(fc.constantFrom('primary_conninfo', 'restore_command', 'standby_mode_x', '_'), quoted)
    .map(([name, value]) => ({ line: `${name} = ${value}`, says: null }))
  const comment = text.map(words => ({ line: `# ${words}`, says: null }))
  const standby = fc.constantFrom('on', 'true', 'off', 'no').chain(word =>
    fc.tuple(fc.tuple(...Array.from(word, spelled)), text).map(([letters, words]) => ({
      line: `standby_mode = '${letters.join('')}' # ${words}`,
      says: word === 'on' || word === 'true',
    })),
  )
  const property = fc.property(fc.array(fc.oneof(other, comment, standby)), settings => {
    const said = settings.map(({ says }) => says).filter(says => says !== null)
    const conf = settings.map(({ line }) => `${line}\n`).join('')
    assert.equal(standbyMode(conf), said.at(-1) ?? false)
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})

t.test('no text makes it throw', t => {
  const piece = fc.oneof(
    fc.constantFrom('standby_mode', ' ', '=', "'", "''", '\\', 'on', '#', '\n', '\\7', '\\n'),
    fc.string({ unit: 'binary' }),
  )
  const property = fc.property(fc.array(piece), pieces => {
    assert.equal(typeof standbyMode(pieces.join('')), 'boolean')
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})

t.test('a line without end is no trap', t => {
  // Were the time to grow with the square of the length, these would run into tap's time limit.
  for (const hard of [' ', "'", '\\', "''", "\\'", 'a', '=', ' #', '.']) {
    const long = hard.repeat(1_000_000)
    t.notOk(standbyMode(`standby_mode = '${long}\nstandby_mode ${long}!`), JSON.stringify(hard))
  }
  t.end()
})

const none = {
  standbySignal: false,
  recoverySignal: false,
  recoveryConf: null,
  backupLabel: false,
}
const recovery = { recoveryConf: { standbyMode: false } }
const standby = { recoveryConf: { standbyMode: true } }
const signals = { standbySignal: true, recoverySignal: true }

t.test('the existing files determine the next start', t => {
  const rows: readonly (readonly [object, NextStart, NextStart])[] = [
    // files, up to 11, from 12 on
    [{}, 'primary', 'primary'],
    [{ backupLabel: true }, 'primary', 'primary'],
    [{ standbySignal: true }, 'primary', 'standby'],
    [{ recoverySignal: true }, 'primary', 'recovery'],
    [signals, 'primary', 'standby'],
    [recovery, 'recovery', 'fails'],
    [standby, 'standby', 'fails'],
    [{ ...signals, ...recovery }, 'recovery', 'fails'],
    [{ ...signals, ...standby, backupLabel: true }, 'standby', 'fails'],
  ]
  for (const [files, upTo11, from12] of rows) {
    const found = { ...none, ...files }
    for (const major of [9, 10, 11]) t.equal(nextStart(found, major), upTo11, `${major}`)
    for (const major of [12, 18, Infinity]) t.equal(nextStart(found, major), from12, `${major}`)
  }
  t.end()
})
