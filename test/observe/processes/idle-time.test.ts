import t from 'tap'
import type { Child } from '../../../src/facts/decide/sightings.ts'
import { createRestWatch } from '../../../src/observe/processes/idle-time.ts'
import { child } from '../../harness/evidence.ts'
import { fakeProcesses } from '../../harness/fake-processes.ts'
import { createManualClock } from '../../harness/manual-clock.ts'

const startup = child('startup recovering 000000010000000000000003', 101)

const setUp = () => {
  const processes = fakeProcesses()
  const process = processes.add({
    pid: startup.pid,
    activity: { sleeping: true, contextSwitches: 7 },
  })
  const { clock, advance } = createManualClock()
  const restedMs = createRestWatch(processes.table, clock)
  const after = (ms: number, watched: Child | null = startup): number => {
    advance(ms)
    return restedMs(watched)
  }
  return { processes, process, after }
}

t.test('a process rests as long as it sleeps and takes no turn', async t => {
  const { after } = setUp()
  t.equal(after(100), 0, 'since it was first seen at rest')
  t.equal(after(100), 100)
  t.equal(after(400), 500)
})

t.test('a time slice restarts the idle time, even if it sleeps at each check', async t => {
  const { process, after } = setUp()
  after(0)
  t.equal(after(300), 300)
  process.activity = { sleeping: true, contextSwitches: 8 }
  t.equal(after(300), 0)
  t.equal(after(300), 300)
})

t.test('so does work, and waiting for a disk, which uses no time slice', async t => {
  const { process, after } = setUp()
  after(0)
  process.activity = { sleeping: false, contextSwitches: 7 }
  t.equal(after(300), 0)
  process.activity = { sleeping: true, contextSwitches: 7 }
  t.equal(after(300), 0)
  t.equal(after(300), 300)
})

t.test('a process with a child does not rest: restore_command runs', async t => {
  const { process, after } = setUp()
  after(0)
  process.children = [150]
  t.equal(after(300), 0)
  process.children = []
  t.equal(after(300), 0)
  t.equal(after(300), 300)
})

t.test('nor is it known to if its children or its activity cannot be seen', async t => {
  for (const hide of [{ children: null }, { activity: null }]) {
    const { process, after } = setUp()
    after(0)
    Object.assign(process, hide)
    t.equal(after(300), 0)
    t.equal(after(300), 0, 'however long')
  }
})

t.test('another process with the same number has not rested', async t => {
  const { processes, after } = setUp()
  after(0)
  const later = { ...startup, started: child('startup', 101, 500).started }
  t.equal(after(300, later), 0)
  t.equal(after(300, later), 300)
  const activity = { sleeping: true, contextSwitches: 7 }
  const other = child('startup', processes.add({ pid: 102, activity }).pid)
  t.equal(after(300, { ...other, started: later.started }), 0, 'nor one with another number')
})

t.test('without a process there is no rest, and what was known is forgotten', async t => {
  const { after } = setUp()
  after(0)
  t.equal(after(300, null), 0)
  t.equal(after(300), 0)
  t.equal(after(300), 300)
})
