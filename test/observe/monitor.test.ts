import * as fc from 'fast-check'
import t from 'tap'
import type { Event } from '../../src/facts/report/event.ts'
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import {
  maintenanceOn,
  noMaintenance,
  type Maintenance,
} from '../../src/facts/decide/maintenance-mode.ts'
import { unopposed, type Standing } from '../../src/facts/decide/standing.ts'
import type { Pid, UnixMs } from '../../src/facts/units.ts'
import type { Verdict } from '../../src/facts/decide/verdict.ts'
import { startMonitor } from '../../src/observe/monitor.ts'
import type { Look } from '../../src/observe/probe.ts'
import { noVitalSigns, type VitalSigns } from '../../src/observe/processes/liveness.ts'
import type { WatchTargets } from '../../src/observe/watch/watcher.ts'
import {
  controlFile,
  directory,
  lockFile,
  noSignalFiles,
  noon,
  primaryEvidence,
  seen,
  standbyEvidence,
} from '../harness/evidence.ts'
import { fakeProcesses } from '../harness/fake-processes.ts'
import { lookSequence } from '../harness/look-sequence.ts'
import { createManualClock, deferred, settle } from '../harness/manual-clock.ts'
import { playSequence } from '../harness/sequence-player.ts'
import { shortageCodes, systemFailure } from '../harness/system-failure.ts'

const down = primaryEvidence({ lockFile: { kind: 'absent' } })
const starting = primaryEvidence({ lockFile: seen(lockFile({ status: 'starting' })) })
const leaseMs = 1500

type Hints = Parameters<Parameters<typeof startMonitor>[0]['watch']>[0]

/** A monitor whose looks find what the test says, and end when it says. */
const setUp = async (first: Evidence | null = primaryEvidence()) => {
  const manual = createManualClock()
  const events: Event[] = []
  const told: Verdict[] = []
  const aims: WatchTargets[] = []
  const log: string[] = []
  let finds: Evidence | null = first
  let maintenance: Maintenance = noMaintenance
  let standing: Standing = unopposed
  let vitals: VitalSigns = noVitalSigns
  let lacking: string | null = null
  let looks = 0
  let unfinished: Promise<void> | null = null
  let hold: Promise<void> | null = null
  let hints: Hints | undefined
  let freezerChanged = (): void => {}
  const monitor = startMonitor({
    probe: {
      look: async (): Promise<Look | null> => {
        looks += 1
        if (lacking !== null) throw systemFailure(lacking)
        const more = unfinished === null ? {} : { unfinished }
        const result = finds && { evidence: finds, vitals, controlFileInode: '1:9', ...more }
        await hold
        return result
      },
      watchFreezer: changed => {
        freezerChanged = changed
      },
      close: () => log.push('probe closed'),
    },
    clock: manual.clock,
    watch: given => {
      hints = given
      return {
        aim: targets => aims.push(targets),
        close: () => log.push('watcher closed'),
      }
    },
    intervalMs: 500,
    leaseMs,
    maintenance: () => maintenance,
    heedPeers: () => standing,
    report: event => events.push(event),
    changed: verdict => told.push(verdict),
  })
  await settle()
  return {
    ...manual,
    monitor,
    events,
    told,
    aims,
    log,
    hints: hints as Hints,
    freezerChanges: () => freezerChanged(),
    looks: () => looks,
    find: (evidence: Evidence | null, signs: VitalSigns = noVitalSigns) => {
      finds = evidence
      vitals = signs
    },
    /** Looks fail for want of what this error code of the system says; null ends that. */
    lack: (code: string | null) => {
      lacking = code
    },
    /** The next looks only begin to read something. */
    leaveUnfinished: (reading: Promise<void> | null) => {
      unfinished = reading
    },
    maintain: (found: Maintenance) => {
      maintenance = found
      monitor.reconsider()
    },
    /** What others say means this from now on. */
    say: (means: Standing) => {
      standing = means
      monitor.reconsider()
    },
    /** Looks hang until the returned function is called. */
    hang: () => {
      const { promise, resolve } = deferred<void>()
      hold = promise
      return async () => {
        hold = null
        resolve()
        await settle()
      }
    },
    /** Lets time pass millisecond by millisecond. */
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 1) {
        manual.advance(1)
        await settle()
      }
    },
  }
}

t.test('the first check is made at once, and the watcher watches what it found', async t => {
  const { monitor, looks, events, aims, told } = await setUp()
  t.equal(looks(), 1)
  t.match(monitor.current(), { kind: 'available', role: 'primary' })
  t.match(monitor.snapshot(), { lookedAt: 0, lookedAtUnix: noon, hazards: [] })
  t.strictSame(aims, [
    { directory: '/pgdata', directoryInode: '1:2', controlFileInode: '1:9', isSymlink: false },
  ])
  t.match(events, [
    { kind: 'verdict changed', from: null, to: { role: 'primary' }, postmaster: 4711, timeline: 3 },
  ])
  t.match(told, [{ role: 'primary' }])
})

t.test('before it ends nothing is known', async t => {
  const { promise, resolve } = deferred<null>()
  const { clock } = createManualClock()
  const monitor = startMonitor({
    probe: { look: () => promise, watchFreezer: () => {}, close: () => {} },
    clock,
    watch: () => ({ aim: () => {}, close: () => {} }),
    intervalMs: 500,
    leaseMs,
    maintenance: () => noMaintenance,
    heedPeers: () => unopposed,
    report: () => {},
    changed: () => {},
  })
  t.match(monitor.current(), { kind: 'unavailable', rule: 'not yet checked' })
  t.equal(monitor.snapshot(), null)
  monitor.close()
  resolve(null)
})

t.test('that is news only if it lasts', async t => {
  const { monitor, events, pass } = await setUp(null)
  const asked = () => monitor.current().rule
  t.equal(asked(), 'not yet checked')
  monitor.reconsider()
  await pass(leaseMs - 1)
  t.strictSame(events, [])
  await pass(1)
  t.match(events, [{ kind: 'verdict changed', from: null, to: { rule: 'not yet checked' } }])
  t.equal(asked(), 'not yet checked')
  t.equal(events.length, 1)
  monitor.close()
})

t.test('a settled server is checked with every tick', async t => {
  const { looks, pass } = await setUp()
  await pass(499)
  t.equal(looks(), 1)
  await pass(1)
  t.equal(looks(), 2)
})

t.test('and as soon as what a check began to read is known', async t => {
  const { looks, pass, leaveUnfinished } = await setUp()
  const { promise, resolve } = deferred<void>()
  leaveUnfinished(promise)
  await pass(500)
  t.equal(looks(), 2)
  leaveUnfinished(null)
  await pass(100)
  t.equal(looks(), 2, 'nobody waits for it')
  resolve()
  await settle()
  await pass(1)
  t.equal(looks(), 3)
})

t.test('a transient state is checked again after milliseconds', async t => {
  const { looks, pass, find } = await setUp(starting)
  await pass(3)
  t.equal(looks(), 3)
  find(primaryEvidence())
  await pass(4)
  t.equal(looks(), 4)
  await pass(499)
  t.equal(looks(), 4)
})

t.test('a hint causes a check at once, and many at the same time no more than one', async t => {
  const { looks, hints, pass, find, monitor } = await setUp()
  await pass(10)
  find(standbyEvidence())
  for (const _ of [1, 2, 3]) hints.hint('postmaster.pid')
  await pass(1)
  t.equal(looks(), 2)
  t.match(monitor.current(), { role: 'standby' })
  hints.hint('pg_control')
  await pass(1)
  t.equal(looks(), 3)
})

t.test('in a storm that continues only settled evidence waits', async t => {
  const { looks, hints, find, monitor, advance } = await setUp()
  const storm = async (hintCount: number): Promise<void> => {
    for (let hint = 0; hint < hintCount; hint += 1) {
      hints.hint('pg_control')
      advance(2)
      await settle()
    }
  }
  await storm(100)
  const before = looks()
  await storm(100)
  t.ok(looks() - before < 10, 'four in 200 ms')

  find(starting)
  hints.hint('postmaster.pid')
  advance(1)
  await settle()
  t.match(monitor.current(), { settled: false })
  // As many looks as a crash restart takes, and then what ends it: the control file alone.
  for (let ms = 0; ms < 600; ms += 1) {
    advance(1)
    await settle()
  }
  await storm(60)
  find(primaryEvidence())
  hints.hint('pg_control')
  advance(2)
  await settle()
  t.match(monitor.current(), { role: 'primary' })
})

t.test('a hint shortens the intervals again for a transient state', async t => {
  const { looks, hints, pass } = await setUp(starting)
  await pass(200)
  hints.hint('postmaster.pid')
  await pass(1)
  const before = looks()
  await pass(7)
  t.equal(looks() - before, 3, 'after 1, 2 and 4 ms')
})

t.test('hints during a check cause exactly one more', async t => {
  const { looks, hints, pass, hang, find, monitor } = await setUp()
  const release = hang()
  hints.hint('pg_control')
  await pass(1)
  t.equal(looks(), 2)
  find(standbyEvidence())
  for (const _ of [1, 2, 3]) hints.hint('pg_control')
  await pass(5)
  t.equal(looks(), 2)
  await release()
  await pass(5)
  t.equal(looks(), 3)
  t.match(monitor.current(), { role: 'standby' })
})

t.test('after the watcher has armed there is always a check', async t => {
  const { looks, hints, pass } = await setUp()
  hints.armed()
  await pass(1)
  t.equal(looks(), 2)
})

t.test('changes are reported once, with where they come from', async t => {
  const { hints, pass, find, events } = await setUp()
  await pass(1)
  find(down)
  hints.hint('postmaster.pid')
  await pass(600)
  t.match(events.slice(1), [
    {
      from: { role: 'primary' },
      to: { kind: 'unavailable', rule: 'no lock file' },
      postmaster: null,
    },
  ])
  t.equal(events.length, 2)
  find(primaryEvidence({ controlFile: { kind: 'absent' } }))
  await pass(500)
  t.match(events.at(-1), { to: { rule: 'control file unreadable' }, timeline: null })
})

t.test('the same role of another postmaster is a change too', async t => {
  const { hints, pass, find, events } = await setUp()
  find(primaryEvidence({ lockFile: seen(lockFile({ pid: 9 as Pid })) }))
  hints.hint('postmaster.pid')
  await pass(1)
  t.match(events.at(-1), { from: { role: 'primary' }, to: { role: 'primary' }, postmaster: 9 })
})

t.test('a check that hangs lets the lease expire, and its result counts when it ends', async t => {
  const { monitor, hints, pass, hang, events, told } = await setUp()
  const release = hang()
  hints.hint('pg_control')
  await pass(leaseMs)
  t.match(monitor.current(), { role: 'primary' })
  await pass(1)
  t.match(told.at(-1), { rule: 'lease expired' })
  t.match(events.at(-1), { to: { kind: 'unavailable', rule: 'lease expired' } })
  t.match(monitor.current(), { rule: 'lease expired' })
  await pass(1)
  await release()
  t.match(monitor.current(), { rule: 'lease expired' }, 'it began too long ago')
  await pass(500)
  t.match(monitor.current(), { role: 'primary' })
})

t.test('a void check has no result and is repeated', async t => {
  const { looks, pass, find, monitor } = await setUp(null)
  t.equal(monitor.snapshot(), null)
  await pass(2)
  t.equal(looks(), 3)
  find(primaryEvidence())
  await pass(1)
  t.match(monitor.current(), { role: 'primary' })
})

t.test('a process that exits between two checks is noticed with the next answer', async t => {
  const processes = fakeProcesses()
  const postmaster = processes.add({ pid: 4711 })
  const handle = processes.table.open(4711 as Pid)
  const vitals = { ...noVitalSigns, postmaster: typeof handle === 'object' ? handle : null }
  const { monitor, looks, pass, find, events, told, hints } = await setUp()
  find(primaryEvidence(), vitals)
  hints.hint('pg_control')
  await pass(10)
  t.match(monitor.current(), { role: 'primary' })
  const before = looks()
  postmaster.state = 'zombie'
  await pass(2)
  t.match(monitor.current(), {
    rule: 'server process gone',
    because: 'postmaster pid 4711 is gone',
  })
  t.match(told.at(-1), { rule: 'server process gone' })
  t.match(events.at(-1), { to: { rule: 'server process gone' } })

  t.test('and causes a check at once', async t => {
    find(primaryEvidence({ postmaster: { kind: 'zombie' } }), noVitalSigns)
    await pass(1)
    t.equal(looks(), before + 1)
    t.match(monitor.current(), { rule: 'postmaster gone' })
  })
})

t.test('a frozen server is noticed at once, and so is its thaw', async t => {
  const { looks, pass, find, monitor, freezerChanges } = await setUp()
  const before = looks()
  find(primaryEvidence({ postmaster: { kind: 'stopped', by: 'freezer' } }))
  freezerChanges()
  await pass(1)
  t.equal(looks(), before + 1)
  t.match(monitor.current(), { rule: 'postmaster stopped', because: /is frozen/ })
  await pass(40)
  find(primaryEvidence())
  freezerChanges()
  await pass(1)
  t.match(monitor.current(), { role: 'primary' })
})

t.test(
  'a check that ends when its processes are already gone makes no server available',
  async t => {
    const processes = fakeProcesses()
    processes.add({ pid: 4711 })
    const handle = processes.table.open(4711 as Pid)
    const vitals = { ...noVitalSigns, postmaster: typeof handle === 'object' ? handle : null }
    const { hang, hints, pass, find, told, looks } = await setUp(down)
    find(primaryEvidence(), vitals)
    const release = hang()
    hints.hint('postmaster.pid')
    await pass(1)
    processes.remove(4711)
    await release()
    t.match(told.at(-1), { rule: 'server process gone' })
    find(down)
    const before = looks()
    await pass(1)
    t.equal(looks(), before + 1)
  },
)

t.test('after a suspension, clients wait for a check', async t => {
  const { monitor, told, find, oversleep, advance, looks, events } = await setUp(standbyEvidence())
  const before = { told: told.length, events: events.length, looks: looks() }
  find(primaryEvidence())
  oversleep(10_000)
  t.equal(monitor.current().rule, 'lease expired')
  const waking = monitor.waking()
  t.not(waking, null)
  t.equal(told.length, before.told, 'nobody is told that it is unavailable')
  advance(1)
  await settle()
  await waking
  t.match(monitor.current(), { kind: 'available', role: 'primary' })
  t.equal(monitor.waking(), null)
  t.equal(looks(), before.looks + 1)
  t.match(events.slice(before.events), [{ kind: 'verdict changed', to: { role: 'primary' } }])
})

t.test('but not if checks do not end', async t => {
  const { monitor, told, hang, pass } = await setUp()
  await pass(400)
  const release = hang()
  await pass(1600)
  t.equal(monitor.current().rule, 'lease expired')
  t.equal(monitor.waking(), null)
  t.match(told.at(-1), { kind: 'unavailable', rule: 'lease expired' })
  await release()
  t.equal(monitor.current().kind, 'available')
})

t.test(
  'a server becomes unavailable and available at once when maintenance mode begins and ends',
  async t => {
    const { monitor, maintain, events, told, pass, looks, hang, hints } = await setUp()
    const release = hang()
    hints.hint('pg_control')
    await pass(1)
    const before = looks()
    maintain(maintenanceOn('new kernel'))
    const verdict = { kind: 'unavailable', rule: 'maintenance', because: 'new kernel' } as const
    t.match(told.at(-1), verdict, 'a look that hangs does not hold it up')
    t.match(monitor.current(), verdict)
    t.match(monitor.snapshot(), { verdict, evidence: { path: '/pgdata' } })
    t.match(events.at(-1), { kind: 'verdict changed', from: { role: 'primary' }, to: verdict })
    const reported = events.length
    await pass(50)
    maintain(maintenanceOn('another reason'))
    t.match(monitor.current(), { because: 'another reason' })
    t.equal(events.length, reported, 'the same maintenance')
    maintain(noMaintenance)
    t.match(monitor.current(), { kind: 'available', role: 'primary' })
    t.match(told.at(-1), { role: 'primary' })
    t.match(events.at(-1), { from: { rule: 'maintenance' }, to: { role: 'primary' } })
    t.equal(looks(), before)
    await release()
  },
)

t.test('hazards are reported when they begin and when they end', async t => {
  const { hints, pass, find, events } = await setUp()
  const kinds = () => events.map(({ kind }) => kind)
  find(primaryEvidence({ signalFiles: { ...noSignalFiles, standbySignal: true } }))
  hints.hint('standby.signal')
  await pass(1600)
  t.strictSame(kinds(), ['verdict changed', 'hazard began'])
  find(primaryEvidence())
  hints.hint('standby.signal')
  await pass(600)
  t.strictSame(kinds(), ['verdict changed', 'hazard began', 'hazard ended'])
})

t.test('without file events it polls, and reports that once', async t => {
  const { hints, pass, looks, events } = await setUp()
  hints.trouble({ code: 'ENOSPC', path: '/pgdata' })
  await pass(1)
  const before = looks()
  await pass(300)
  t.equal(looks(), before + 3)
  t.match(events.slice(1), [
    { kind: 'watching degraded', because: 'could not watch /pgdata: ENOSPC', pollMs: 100 },
  ])
  hints.armed()
  t.match(events.slice(2), [{ kind: 'watching restored' }])
})

t.test('changes that come without events make it poll', async t => {
  const { hints, pass, find, events } = await setUp()
  hints.armed()
  const written = (ms: number) =>
    primaryEvidence({ controlFile: seen(controlFile(), (noon + ms) as UnixMs) })
  for (const ms of [1, 2, 3]) {
    find(written(ms))
    await pass(700)
  }
  t.match(events.slice(1), [{ kind: 'watching degraded', because: /without events/ }])
})

t.test('what a directory of another inode holds is not a change without an event', async t => {
  const { hints, pass, find, events } = await setUp()
  hints.armed()
  const clone = { ...directory(), inode: '1:77' }
  const others: readonly Evidence[] = [
    primaryEvidence({ directory: clone, controlFile: seen(controlFile(), noon) }),
    primaryEvidence({ directory: { kind: 'absent' }, controlFile: { kind: 'absent' } }),
    primaryEvidence(),
  ]
  for (const evidence of others) {
    find(evidence)
    await pass(700)
  }
  const kinds = new Set(events.map(({ kind }) => kind))
  t.strictSame(kinds, new Set(['verdict changed']))
})

t.test('after close, there are no more checks and nothing is held', async t => {
  const { monitor, looks, pass, log, pending, hints } = await setUp()
  monitor.close()
  hints.hint('pg_control')
  await pass(1000)
  t.equal(looks(), 1)
  t.equal(pending(), 0)
  t.strictSame(log, ['watcher closed', 'probe closed'])
})

t.test('after close, waiting clients get an answer, and nothing else is reported', async t => {
  const { monitor, told, events, pending, oversleep } = await setUp()
  const before = { told: told.length, events: events.length }
  monitor.close()
  oversleep(10_000)
  t.equal(monitor.current().rule, 'lease expired')
  t.strictSame({ told: told.length, events: events.length }, before)
  t.equal(pending(), 0)
})

t.test('closed during a check, it lets the check end first', async t => {
  const { monitor, hang, hints, pass, log, told } = await setUp()
  const release = hang()
  hints.hint('pg_control')
  await pass(1)
  const before = told.length
  monitor.close()
  t.strictSame(log, ['watcher closed'])
  await release()
  t.strictSame(log, ['watcher closed', 'probe closed'])
  t.equal(told.length, before)
})

t.test('whatever checks find, and however they end, every answer is justified', async t => {
  let answers = 0
  const property = fc.asyncProperty(lookSequence, async steps => {
    answers += await playSequence(steps)
  })
  await fc.assert(property, { numRuns: 500 })
  t.ok(answers > 1000, `${answers} answers were given`)
})

t.test('in a shortage the last verdict counts as long as its lease, then nothing', async t => {
  for (const code of shortageCodes) {
    const { monitor, lack, pass, events, looks } = await setUp()
    lack(code)
    await pass(leaseMs)
    t.match(monitor.current(), { kind: 'available', role: 'primary' })
    t.equal(events.length, 1, 'which is not news')
    const before = looks()
    await pass(1000)
    t.match(monitor.current(), {
      rule: 'lease expired',
      because: new RegExp(`the limit is 1500 ms, and checks fail \\(${code}\\)$`),
    })
    t.equal(events.length, 2, JSON.stringify(events))
    const more = looks() - before
    t.ok(more >= 10 && more <= 60, `${more} looks a second`)
    lack(null)
    await pass(100)
    t.match(monitor.current(), { kind: 'available', role: 'primary' })
    t.equal(events.length, 3)
    monitor.close()
  }
})

t.test('so it is before the first check has ended', async t => {
  const { monitor, lack, pass } = await setUp(null)
  lack('ENFILE')
  await pass(100)
  t.match(monitor.current(), { rule: 'not yet checked', because: /checks fail \(ENFILE\)$/ })
})

t.test('what peers report removes the role at once, and restores it', async t => {
  const { monitor, say, events, looks } = await setUp()
  const because = 's2:8008 is on timeline 4'
  say({ overruling: { rule: 'superseded', because }, hazards: [] })
  const verdict = { kind: 'unavailable', rule: 'superseded', because, settled: true } as const
  t.strictSame(monitor.current(), verdict)
  t.match(monitor.snapshot(), { verdict, lookedAt: 0 })
  t.match(events.at(-1), { kind: 'verdict changed', to: verdict })
  say(unopposed)
  t.match(monitor.current(), { role: 'primary' })
  t.equal(looks(), 1)
})

t.test('nor does the next check forget it', async t => {
  const { monitor, say, pass } = await setUp()
  say({ overruling: { rule: 'superseded', because: 's2:8008' }, hazards: [] })
  await pass(500)
  t.match(monitor.snapshot(), { verdict: { rule: 'superseded' }, lookedAt: 500 })
})

t.test('a hazard of others is reported when it lasts', async t => {
  const { say, events, pass } = await setUp()
  const hazard = { name: 'another primary', warning: 's2:8008 is a primary as well' } as const
  say({ overruling: null, hazards: [hazard] })
  t.equal(events.length, 1)
  await pass(1500)
  t.strictSame(events.at(-1), { kind: 'hazard began', hazard })
})

t.test('before the first check peers have no effect', async t => {
  const { monitor, say } = await setUp(null)
  say({ overruling: { rule: 'superseded', because: 's2:8008' }, hazards: [] })
  t.match(monitor.current(), { rule: 'not yet checked' })
})
