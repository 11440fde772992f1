import t, { type Test } from 'tap'
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import { timelineOf } from '../../src/facts/decide/reason.ts'
import type { ProcessTable } from '../../src/observe/processes/process-table.ts'
import { createStandbyProbe } from '../../src/observe/standby-probe.ts'
import { noVitalSigns } from '../../src/observe/processes/liveness.ts'
import {
  child,
  children,
  noSignalFiles,
  primaryEvidence,
  standbyEvidence,
} from '../harness/evidence.ts'
import { fakeProcesses } from '../harness/fake-processes.ts'
import { createManualClock, deferred, settle } from '../harness/manual-clock.ts'
import { systemFailure } from '../harness/system-failure.ts'

const startup = child('startup recovering 000000030000000000000003', 4714)

/** A probe that finds what the test says, and the startup process as it is by now. */
const setUp = (first: Evidence | null, wrap = (table: ProcessTable): ProcessTable => table) => {
  const manual = createManualClock()
  const processes = fakeProcesses()
  const retitle = (segment: string): void => {
    const { pid, started } = startup
    processes.add({ pid, started, commandLine: `postgres: startup recovering ${segment}\0` })
  }
  retitle('000000030000000000000003')
  let finds = first
  const calls: string[] = []
  const inner = {
    look: () =>
      Promise.resolve(finds && { evidence: finds, vitals: noVitalSigns, controlFileInode: '1:9' }),
    watchFreezer: () => {},
    close: () => calls.push('close'),
  }
  const needs = { processes: wrap(processes.table), clock: manual.clock }
  const probe = createStandbyProbe(inner, needs)
  return {
    ...manual,
    processes,
    retitle,
    probe,
    calls,
    find: (evidence: Evidence | null) => {
      finds = evidence
    },
    look: async () => (await probe.look())?.evidence,
  }
}

const standby = standbyEvidence({ children: children({ startup, walwriter: null }) })

t.test('a void check stays one, and all else is left to the probe', async t => {
  const { look, probe, calls } = setUp(null)
  t.equal(await look(), undefined)
  probe.close()
  t.strictSame(calls, ['close'])
})

t.test('evidence that there is nothing to add to stays as it is', async t => {
  const hidden = { kind: 'invisible' } as const
  for (const evidence of [primaryEvidence(), standby, primaryEvidence({ children: hidden })]) {
    const { look, probe } = setUp(evidence)
    t.match(await probe.look(), {
      evidence: { ...evidence, timelineHistory: { kind: 'being read' } },
      unfinished: Promise,
    })
    await (
      await probe.look()
    )?.unfinished
    const timelineHistory = { kind: 'unknown', because: 'there is no 00000003.history' }
    t.strictSame(await look(), { ...evidence, timelineHistory })
    t.strictSame(await look(), { ...evidence, timelineHistory })
  }
})

t.test('the title of a startup process is read again after some seconds', async t => {
  const { look, retitle, advance, processes } = setUp(standby)
  retitle('000000040000000000000003')
  t.equal(timelineOf((await look()) ?? standby), 3)
  advance(4999)
  await look()
  t.equal(processes.titlesRead(), 0)
  advance(1)
  t.equal(timelineOf((await look()) ?? standby), 3, 'no look waits for it')
  await look()
  await settle()
  t.equal(processes.titlesRead(), 1)
  const followed = await look()
  t.equal(timelineOf(followed ?? standby), 4)
  t.strictSame(await look(), followed)
  advance(4999)
  await look()
  t.equal(processes.titlesRead(), 1)
})

t.test('another startup process is known by its own title', async t => {
  const { look, find, advance, retitle } = setUp(standby)
  await look()
  retitle('000000040000000000000003')
  advance(5000)
  await look()
  const other = child('startup recovering 000000070000000000000003', 5000)
  find({ ...standby, children: children({ startup: other }) })
  t.equal(timelineOf((await look()) ?? standby), 7)
  await settle()
  t.equal(timelineOf((await look()) ?? standby), 7, 'whatever is read of the one before')
})

t.test('one that has ended is reported as it was counted', async t => {
  const { look, find, advance, processes } = setUp(standby)
  await look()
  processes.remove(startup.pid)
  advance(5000)
  await look()
  await settle()
  t.match(await look(), { children: { startup } })
  find({ ...standby, children: children() })
  t.match(await look(), { children: { startup: null } })
})

t.test('a title that cannot be read holds up nothing', async t => {
  const hung = deferred<string>()
  let reads = 0
  const { look, advance } = setUp(standby, table => ({
    ...table,
    commandLine: () => {
      reads += 1
      return hung.promise
    },
  }))
  await look()
  advance(5000)
  t.match(await look(), { children: { startup } })
  advance(5000)
  t.match(await look(), { children: { startup } })
  t.equal(reads, 1)
})

t.test('a standby without its signal file may be in a promotion', async (t: Test) => {
  const path = t.testdir({ pg_wal: { '000000040000000000000003': '' } })
  const { probe, look, processes, advance } = setUp({
    ...standby,
    path,
    signalFiles: noSignalFiles,
  })
  processes.add({ pid: 4711, children: [startup.pid] })
  const first = await probe.look()
  t.match(first, { evidence: { promotion: 'being checked' }, unfinished: Promise })
  await first?.unfinished
  const second = await probe.look()
  t.match(second, { evidence: { promotion: 'being checked' }, unfinished: Promise })
  advance(500)
  await second?.unfinished
  const third = await probe.look()
  t.match(third, { evidence: { promotion: 'under way' } })
  t.notOk(third && 'unfinished' in third)
  t.strictSame(await look(), third?.evidence)
})

t.test('a title that cannot be read in a shortage is read later, and nothing ends', async t => {
  let short = true
  const { look, advance, retitle } = setUp(standby, table => ({
    ...table,
    commandLine: pid => (short ? Promise.reject(systemFailure('EMFILE')) : table.commandLine(pid)),
  }))
  const first = await look()
  advance(5000)
  retitle('000000040000000000000005')
  await look()
  await settle()
  t.strictSame(await look(), first)
  short = false
  await settle()
  await look()
  await settle()
  t.match(await look(), { children: { startup: { title: /000000040000000000000005$/ } } })
})
