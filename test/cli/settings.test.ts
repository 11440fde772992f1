import t from 'tap'
import { createSettings, type Flags, type Form } from '../../src/cli/settings.ts'

const hint = 'read the manual'
const settingsOf = (flags: Flags, environment: Record<string, string> = {}) =>
  createSettings(flags, { environment, hint })

const small: Form<number> = {
  wanted: 'a digit',
  read: text => (/^\d$/.test(text) ? Number(text) : null),
}

t.test('a flag goes before the environment, and that before the default', async t => {
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
  t.strictSame(settings.mistakes, [])
})

t.test('a list is repeated, or separated by commas, or both', async t => {
  t.strictSame(settingsOf(new Map([['bind', ['1', '2, 3']]])).all('bind', small), [1, 2, 3])
  t.strictSame(settingsOf(new Map(), { PG_REPLSTATUS_BIND: '1,2' }).all('bind', small), [1, 2])
})

t.test('a flag replaces the whole list of the environment', async t => {
  const settings = settingsOf(new Map([['bind', ['1']]]), { PG_REPLSTATUS_BIND: '2,3' })
  t.strictSame(settings.all('bind', small), [1])
})

t.test(
  'mistakes are gathered in the order of reading, each under the name it was given',
  async t => {
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
    t.strictSame(settings.mistakes, [
      { message: 'PG_REPLSTATUS_PORT is "a \\"b\\"", wanted a digit', hint },
      { message: '--lease is "x", wanted a digit', hint },
      { message: '--bind is "y", wanted a digit', hint },
    ])
  },
)

t.test('some options are for the command line only', async t => {
  const settings = settingsOf(new Map(), { PG_REPLSTATUS_EXPECT: '1', EXPECT: '1', null: '1' })
  t.equal(settings.one('expect', small, 3), 3)
})
