import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import { decodeProcessStat, type ProcessStat } from '../../src/facts/process-stat.ts'
import { anyText, damaged, textOf } from '../harness/foreign-text.ts'

/** Fields 5 to 21 and 23 to 52 as Linux 6.18 printed them for a postmaster. */
const between = '4711 4711 0 -1 4194560 3085 21 0 2 1 2 0 0 20 0 1 0'
const after = `223531008 7012 18446744073709551615 1 1 ${'0 '.repeat(25)}0`
const statOf = ({
  pid = '4711',
  comm = 'postgres',
  state = 'S',
  parent = '1',
  started = '987654',
}) => `${pid} (${comm}) ${state} ${parent} ${between} ${started} ${after}\n`

const factOf = (text: string): ProcessStat => {
  const decoded = decodeProcessStat(text)
  assert(decoded.ok, JSON.stringify(decoded))
  return decoded.fact
}

t.test('a postmaster at work is read', t => {
  t.strictSame(factOf(statOf({})), {
    pid: 4711,
    comm: 'postgres',
    state: 'running',
    parent: 1,
    started: 987_654,
  })
  t.end()
})

t.test('each state letter is told for what it means', t => {
  const letters = { R: 'running', S: 'running', D: 'running', I: 'running', P: 'running' } as const
  const others = { W: 'running', Q: 'running', T: 'stopped', t: 'traced' } as const
  const ends = { Z: 'zombie', X: 'dead', x: 'dead' } as const
  for (const [state, expected] of Object.entries({ ...letters, ...others, ...ends })) {
    t.equal(factOf(statOf({ state })).state, expected, state)
  }
  t.end()
})

t.test('a command name may look like the fields around it', t => {
  const names = [
    '',
    ' ',
    ')',
    '(',
    'a) R (b',
    ') Z 1 2 3',
    'two\nlines',
    '((sd-pam))',
    'tmux: server',
  ]
  for (const comm of names) {
    t.match(factOf(statOf({ comm })), { comm, state: 'running', parent: 1 }, JSON.stringify(comm))
  }
  t.end()
})

t.test('a process of another pid namespace has parent 0', t => {
  t.equal(factOf(statOf({ parent: '0' })).parent, 0)
  t.end()
})

t.test('a line cut before the blank after the start time is not trusted', t => {
  const whole = statOf({})
  const enough = whole.indexOf('987654 ') + '987654 '.length
  const understood: number[] = []
  for (let length = 0; length < enough; length += 1) {
    if (decodeProcessStat(whole.slice(0, length)).ok) understood.push(length)
  }
  t.strictSame(understood, [])
  t.ok(decodeProcessStat(whole.slice(0, enough)).ok)
  t.end()
})

t.test('what is no stat line is a fault that shows its beginning', t => {
  const broken = [
    '',
    'postgres',
    ')',
    statOf({ pid: '0' }),
    statOf({ pid: '-1' }),
    statOf({ pid: 'x' }),
    statOf({ state: '?' }),
    statOf({ state: 'SS' }),
    statOf({ parent: '-1' }),
    statOf({ started: 'soon' }),
    statOf({}).replace('(', ''),
    statOf({}).replace(')', ''),
  ]
  for (const text of broken) {
    const fault = { kind: 'unintelligible', found: text.slice(0, 40) }
    t.strictSame(decodeProcessStat(text), { ok: false, fault }, JSON.stringify(text.slice(0, 40)))
  }
  t.end()
})

t.test('whatever a process is and calls itself, it is read back', t => {
  const anyProcess = fc.record({
    pid: fc.integer({ min: 1, max: 0x40_0000 }),
    comm: textOf(')', '(', ' ', 'R 1 ', 'Z'),
    state: fc.constantFrom('S', 'Z', 'T'),
    parent: fc.nat(0x40_0000),
    started: fc.nat(0xffff_ffff_ffff),
  })
  const property = fc.property(anyProcess, ({ pid, comm, state, parent, started }) => {
    const text = statOf({
      pid: `${pid}`,
      comm,
      state,
      parent: `${parent}`,
      started: `${started}`,
    })
    const words = { S: 'running', Z: 'zombie', T: 'stopped' } as const
    assert.deepStrictEqual(factOf(text), { pid, comm, state: words[state], parent, started })
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})

t.test('no text makes it throw', t => {
  const property = fc.property(fc.oneof(anyText, damaged(statOf({}))), text => {
    const decoded = decodeProcessStat(text)
    if (!decoded.ok) assert(text.startsWith(decoded.fault.found))
    else assert(decoded.fact.pid > 0 && decoded.fact.started >= 0)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
  t.end()
})
