import t from 'tap'
import type { Pid } from '../../../src/facts/units.ts'
import {
  createPulse,
  createSlot,
  holdBySignal,
  livingStat,
  noVitalSigns,
  takePulse,
  type VitalSigns,
} from '../../../src/observe/processes/liveness.ts'
import { fakeProcesses } from '../../harness/fake-processes.ts'
import { fakeFreezer } from '../../harness/fake-freezer.ts'
import { shortageCodes, systemFailure } from '../../harness/system-failure.ts'
import { createManualClock } from '../../harness/manual-clock.ts'

const [postmasterPid, checkpointerPid] = [10 as Pid, 11 as Pid]

const setUp = () => {
  const processes = fakeProcesses()
  const group = fakeFreezer()
  const postmaster = processes.add({ pid: postmasterPid })
  const checkpointer = processes.add({ pid: checkpointerPid })
  const hold = (pid: Pid) => {
    const handle = processes.table.open(pid)
    return typeof handle === 'object' ? handle : null
  }
  const vitals: VitalSigns = {
    postmaster: hold(postmasterPid),
    checkpointer: hold(checkpointerPid),
    freezer: group.freezer,
  }
  return { group, processes, postmaster, checkpointer, vitals }
}

t.test('while both run the pulse is steady', async t => {
  t.strictSame(takePulse(setUp().vitals), { kind: 'steady' })
  t.strictSame(takePulse(noVitalSigns), { kind: 'steady' }, 'nobody to lose')
})

t.test('a postmaster that is gone, dead or stopped is a lost pulse', async t => {
  const { processes, postmaster, vitals } = setUp()
  postmaster.state = 'stopped'
  t.strictSame(takePulse(vitals), { kind: 'lost', lost: 'postmaster pid 10 is stopped' })
  for (const state of ['exiting', 'zombie', 'dead'] as const) {
    postmaster.state = state
    t.strictSame(takePulse(vitals), { kind: 'lost', lost: 'postmaster pid 10 is gone' }, state)
  }
  processes.add({ pid: postmasterPid })
  t.match(takePulse(vitals), { kind: 'lost' }, 'another process with its number is another')
})

t.test('so is one whose control group is frozen, until it is thawed', async t => {
  const { group, vitals } = setUp()
  group.freeze()
  t.strictSame(takePulse(vitals), { kind: 'lost', lost: 'postmaster pid 10 is frozen' })
  group.thaw()
  t.strictSame(takePulse(vitals), { kind: 'steady' })
})

t.test('a tracer that flashes by loses nothing', async t => {
  const { postmaster, vitals } = setUp()
  postmaster.state = 'traced'
  t.strictSame(takePulse(vitals), { kind: 'steady' })
})

t.test('without its checkpointer a server is in a crash restart, or dying', async t => {
  const { processes, checkpointer, vitals } = setUp()
  checkpointer.state = 'stopped'
  t.strictSame(takePulse(vitals), { kind: 'steady' }, 'a stopped one keeps nobody from serving')
  checkpointer.state = 'exiting'
  t.match(takePulse(vitals), { kind: 'lost', lost: /^checkpointer pid 11 is gone/ })
  checkpointer.state = 'running'
  t.strictSame(takePulse(vitals), { kind: 'steady' })
  processes.remove(checkpointerPid)
  t.match(takePulse(vitals), { kind: 'lost', lost: /^checkpointer pid 11 is gone/ })
})

t.test('for a postmaster that /proc does not show, a signal shows whether it runs', async t => {
  const { processes } = setUp()
  const vitals = {
    postmaster: holdBySignal(processes.table, postmasterPid),
    checkpointer: null,
    freezer: null,
  }
  t.strictSame(takePulse(vitals), { kind: 'steady' })
  processes.remove(postmasterPid)
  t.strictSame(takePulse(vitals), { kind: 'lost', lost: 'postmaster pid 10 is gone' })
})

t.test('a pulse is valid for a millisecond, and only for its own processes', async t => {
  const { postmaster, vitals } = setUp()
  const { clock, advance } = createManualClock()
  const pulse = createPulse(clock)
  t.match(pulse(vitals), { kind: 'steady' })
  postmaster.state = 'zombie'
  advance(0.9)
  t.match(pulse(vitals), { kind: 'steady' })
  t.match(pulse({ ...vitals }), { kind: 'lost' })
  advance(0.2)
  t.match(pulse(vitals), { kind: 'lost' })
})

t.test('a running process has a stat, one that is dead or about to be none', async t => {
  const { postmaster, vitals } = setUp()
  t.match(vitals.postmaster && livingStat(vitals.postmaster), { pid: 10, state: 'running' })
  for (const state of ['exiting', 'zombie', 'dead'] as const) {
    postmaster.state = state
    t.equal(vitals.postmaster && livingStat(vitals.postmaster), null, state)
  }
})

t.test('a slot reads a process once, and returns what it read', async t => {
  const { processes, postmaster } = setUp()
  const { table } = processes
  let asked = 0
  const open: typeof table.open = pid => {
    const opened = table.open(pid)
    if (typeof opened === 'string') return opened
    const read = () => {
      asked += 1
      return opened.read()
    }
    return { ...opened, read }
  }
  const slot = createSlot({ ...table, open })
  t.match(slot.hold(postmasterPid), { stat: { pid: 10, state: 'running' } })
  postmaster.state = 'zombie'
  t.match(slot.hold(postmasterPid), { stat: { state: 'zombie' } })
  t.equal(asked, 2)
})

t.test('a slot holds one process, and the same one as long as it runs', async t => {
  const { processes } = setUp()
  const before = processes.open()
  const slot = createSlot(processes.table)
  const hold = () => {
    const held = slot.hold(postmasterPid)
    return typeof held === 'string' ? held : held.handle
  }
  const first = hold()
  t.equal(hold(), first)
  processes.add({ pid: postmasterPid, started: 99 })
  const second = hold()
  t.not(second, first)
  t.match(second, { started: 99 })
  slot.hold(checkpointerPid)
  t.equal(processes.open(), before + 1)
  t.equal(slot.hold(99 as Pid), 'gone')
  slot.drop()
  t.equal(processes.open(), before)
})

t.test('a shortage proves nothing about a process, and all else is an internal error', async t => {
  const { clock, advance } = createManualClock()
  const pulse = createPulse(clock)
  for (const code of shortageCodes) {
    const { vitals, postmaster } = setUp()
    let short = true
    const freezer = {
      isFrozen: () => {
        if (short) throw systemFailure(code)
        return true
      },
    }
    const cold = { ...vitals, freezer }
    t.strictSame(pulse(cold), { kind: 'steady' })
    short = false
    advance(1)
    t.match(pulse(cold), { kind: 'lost', lost: /is frozen/ })
    postmaster.state = 'zombie'
    advance(1)
    t.match(pulse(cold), { kind: 'lost', lost: /is gone/ })
  }
  const { vitals } = setUp()
  const broken = {
    isFrozen: () => {
      throw new Error('of ours')
    },
  }
  t.throws(() => pulse({ ...vitals, freezer: broken }), { message: 'of ours' })
})
