import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import {
  decodeProcessActivity,
  decodeProcessStat,
  type ProcessStat,
} from '../../../src/facts/decode/process-stat.ts'
import { anyText, damaged, textOf } from '../../harness/foreign-text.ts'

/** Fields 5 to 8, 10 to 21, 23 to 47 and 52 as Linux 6.18 printed them for a postmaster. */
const before = '4711 4711 0 -1'
const between = '3772 492 0 0 0 2 0 0 20 0 1 0'
const after = '222392320 7300 18446744073709551615 94386471800832 94386477257177 140727929750160'
const later = `0 0 0 0 24129536 84487 1 0 0 17 1 0 0 0 0 0 94386479736912 94386479954634 94386739118080`
/** Fields 48 to 51: where arguments begin and end in memory, and the environment after them. */
const addresses = '140727929752032 140727929752119 140727929752119 140727929753556'
const statOf = ({
  pid = '4711',
  comm = 'postgres',
  state = 'S',
  parent = '1',
  flags = '4194560',
  started = '987654',
  room = addresses,
}) => {
  const numbers = `${before} ${flags} ${between} ${started} ${after} ${later} ${room} 0`
  return `${pid} (${comm}) ${state} ${parent} ${numbers}\n`
}

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
    titleRoom: 87 + 1437,
  })
  t.end()
})

t.test('each state letter is decoded', t => {
  const letters = { R: 'running', S: 'running', D: 'running', I: 'running', P: 'running' } as const
  const others = { W: 'running', Q: 'running', T: 'stopped', t: 'traced' } as const
  const ends = { Z: 'zombie', X: 'dead', x: 'dead' } as const
  for (const [state, expected] of Object.entries({ ...letters, ...others, ...ends })) {
    t.equal(factOf(statOf({ state })).state, expected, state)
  }
  t.end()
})

t.test('a process that the kernel is removing is exiting, whatever its letter', async t => {
  const [exiting, forked] = [`${4_194_560 + 4}`, `${4_194_560 + 0x40}`]
  for (const state of ['R', 'S', 'D'])
    t.equal(factOf(statOf({ state, flags: exiting })).state, 'exiting', state)
  t.equal(factOf(statOf({ flags: forked })).state, 'running', 'another flag')
  // As Linux printed it.
  t.equal(factOf(statOf({ state: 'Z', flags: '4227084' })).state, 'zombie')
  t.equal(factOf(statOf({ state: 'X', flags: exiting })).state, 'dead')
})

t.test('the room for a title is that of arguments and environment together', async t => {
  t.equal(factOf(statOf({ room: '1000 1010 1010 1300' })).titleRoom, 300)
  t.equal(factOf(statOf({ room: '1000 1010 0 0' })).titleRoom, null, 'half of it is none')
})

t.test('it is unknown if the kernel does not report it', async t => {
  // To another user or group the kernel prints zeros.
  t.equal(factOf(statOf({ room: '0 0 0 0' })).titleRoom, null)
  const line = statOf({})
  const old = line.slice(0, line.indexOf(` ${addresses}`))
  t.match(factOf(old), { started: 987_654, titleRoom: null }, 'before Linux 3.5')
  const cut = line.slice(0, line.indexOf('556 0\n'))
  t.match(factOf(cut), { started: 987_654, titleRoom: null }, 'a line cut short')
})

t.test('a command name may contain what resembles the fields around it', t => {
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
    titleRoom: fc.integer({ min: 1, max: 0x20_0000 }),
  })
  const property = fc.property(anyProcess, ({ pid, comm, state, parent, started, titleRoom }) => {
    const text = statOf({
      pid: `${pid}`,
      comm,
      state,
      parent: `${parent}`,
      started: `${started}`,
      room: `140727929752032 1 1 ${140_727_929_752_032 + titleRoom}`,
    })
    const words = { S: 'running', Z: 'zombie', T: 'stopped' } as const
    const fact = { pid, comm, state: words[state], parent, started, titleRoom }
    assert.deepStrictEqual(factOf(text), fact)
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

/** As Linux 6.18 prints it, some lines left out. */
const status = ({ state = 'S (sleeping)', voluntary = '25', forced = '13' }) =>
  [
    'Name:\tpostgres',
    'Umask:\t0077',
    `State:\t${state}`,
    'Pid:\t4711',
    'Threads:\t1',
    'Cpus_allowed_list:\t0-1',
    `voluntary_ctxt_switches:\t${voluntary}`,
    `nonvoluntary_ctxt_switches:\t${forced}`,
    '',
  ].join('\n')

t.test('a process that waits for an event sleeps, and has a count of its turns', async t => {
  t.strictSame(decodeProcessActivity(status({})), { sleeping: true, contextSwitches: 38 })
})

t.test('no other state is sleep, that of a process that waits for a disk included', async t => {
  for (const state of ['R (running)', 'D (disk sleep)', 'T (stopped)', 'Z (zombie)', 'I (idle)'])
    t.match(decodeProcessActivity(status({ state })), { sleeping: false }, state)
})

t.test('each kind of turn counts', async t => {
  for (const more of [{ voluntary: '26' }, { forced: '14' }])
    t.match(decodeProcessActivity(status(more)), { contextSwitches: 39 })
})

t.test('a name cannot hold a line: the kernel prints its line feed as two characters', async t => {
  const named = status({}).replace('postgres', String.raw`x\nState:\tR\nvoluntary_ctxt_switches: 1`)
  t.strictSame(decodeProcessActivity(named), { sleeping: true, contextSwitches: 38 })
})

t.test('incomplete text has no result', async t => {
  const whole = status({})
  const lines = ['State:', 'voluntary_ctxt_switches:', 'nonvoluntary_ctxt_switches:']
  for (const name of lines) {
    const less = whole.split('\n').filter(line => !line.startsWith(name))
    t.equal(decodeProcessActivity(less.join('\n')), null, name)
  }
  for (const broken of [
    '',
    status({ state: '' }),
    status({ voluntary: 'x' }),
    status({ forced: '' }),
  ])
    t.equal(decodeProcessActivity(broken), null, broken)
})

t.test('no text makes it throw', async t => {
  const property = fc.property(fc.oneof(anyText, damaged(status({}))), text => {
    const activity = decodeProcessActivity(text)
    return activity === null || activity.contextSwitches >= 0
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})
