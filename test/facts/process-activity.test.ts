import * as fc from 'fast-check'
import t from 'tap'
import { decodeProcessActivity } from '../../src/facts/process-activity.ts'
import { anyText, damaged } from '../harness/foreign-text.ts'

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

t.test('a name can not hold a line: the kernel prints its line feed as two characters', async t => {
  const named = status({}).replace('postgres', String.raw`x\nState:\tR\nvoluntary_ctxt_switches: 1`)
  t.strictSame(decodeProcessActivity(named), { sleeping: true, contextSwitches: 38 })
})

t.test('what does not tell all of it tells nothing', async t => {
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
