import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import type { ChildrenSighting, PromotionSighting } from '../../src/facts/decide/sightings.ts'
import type { TimelineId } from '../../src/facts/units.ts'
import { createPromotionWatch } from '../../src/observe/promotion-watch.ts'
import {
  child,
  children,
  controlFile,
  directory,
  noSignalFiles,
  primaryEvidence,
  seen,
  standbyEvidence,
} from '../harness/evidence.ts'
import { createManualClock, settle } from '../harness/manual-clock.ts'
import { until } from '../harness/until.ts'
import { withoutDescriptors } from '../harness/without-descriptors.ts'

const segment = (timeline: number): string => `0000000${timeline}0000000000000003`
const replaying = (timeline: number) => `startup recovering ${segment(timeline)}`

/** Of a standby on timeline 1 without its signal file and without a WAL receiver. */
const alone = (title = replaying(1)) =>
  children({ startup: child(title, 4714), walwriter: null, walreceiver: null })

type Options = { readonly folder?: string; readonly changes?: Partial<Evidence> }

const setUp = (t: Test, { folder = 'pg_wal', changes = {} }: Options = {}) => {
  const path = t.testdir({ [folder]: { [segment(1)]: '', archive_status: {} } })
  const control = controlFile({
    state: 'in archive recovery',
    checkpointTimeline: 1 as TimelineId,
  })
  const evidence = standbyEvidence({
    path,
    signalFiles: noSignalFiles,
    controlFile: seen(control),
    children: alone(),
    ...changes,
  })
  let now: ChildrenSighting = evidence.children
  let asked = 0
  const titles = {
    asOfNow: (of: Evidence) => {
      asked += 1
      return Promise.resolve({ ...of, children: now })
    },
  }
  const { clock, advance } = createManualClock()
  const { see } = createPromotionWatch(titles, clock)
  return {
    path,
    evidence,
    see,
    asked: () => asked,
    /** Children as they are when they are asked for. */
    meanwhile: (found: ChildrenSighting) => {
      now = found
    },
    add: (timeline: number) => writeFileSync(join(path, folder, segment(timeline)), ''),
    advance,
    /** What looks come to when they are waited for. */
    settled: async (of: Evidence = evidence): Promise<PromotionSighting> => {
      const { reading } = see(of)
      advance(500)
      await reading
      return see(of).promotion
    },
    /** What is read again is not waited for. */
    becomes: (promotion: PromotionSighting): Promise<void> =>
      until(() => see(evidence).promotion === promotion, { what: promotion, everyMs: 1 }),
  }
}

t.test('a segment of a new timeline shows a promotion', async t => {
  const { see, settled, add, evidence } = setUp(t)
  add(2)
  const first = see(evidence)
  t.match(first, { promotion: 'being checked', reading: Promise })
  t.equal(see(evidence).reading, first.reading, 'it is read once')
  t.equal(await settled(), 'under way')
})

t.test('without one the file is missing, and pg_wal is not read again', async t => {
  const { settled, add, asked } = setUp(t)
  t.equal(await settled(), 'none')
  add(2)
  t.equal(await settled(), 'none')
  t.equal(asked(), 1)
})

t.test('no server but a standby without its file is asked about', async t => {
  const { see, asked, evidence, path } = setUp(t)
  const others: readonly Evidence[] = [
    primaryEvidence({ path }),
    { ...evidence, signalFiles: { ...noSignalFiles, standbySignal: true } },
    { ...evidence, signalFiles: { ...noSignalFiles, recoverySignal: true } },
    { ...evidence, controlFile: seen(controlFile({ state: 'shut down' })) },
    { ...evidence, children: children() },
    { ...evidence, children: { kind: 'invisible' } },
  ]
  for (const other of others) t.strictSame(see(other), { promotion: 'not checked' })
  t.equal(asked(), 0)
})

t.test('each time the file is removed, and for each startup process, it is read anew', async t => {
  const { settled, add, evidence, meanwhile } = setUp(t)
  t.equal(await settled(), 'none')
  add(2)
  const signalFiles = { ...noSignalFiles, standbySignal: true }
  t.equal(await settled({ ...evidence, signalFiles }), 'not checked')
  t.equal(await settled(), 'under way')
  const restarted = children({ startup: child(replaying(2), 5000), walwriter: null })
  meanwhile(restarted)
  t.equal(await settled({ ...evidence, children: restarted }), 'none')
})

t.test('segments that a WAL receiver has brought are no promotion', async t => {
  const { settled, becomes, add, meanwhile, asked } = setUp(t)
  add(2)
  meanwhile({ ...alone(), walreceiver: child('walreceiver streaming 0/3000148', 4715) })
  t.equal(await settled(), 'none')
  t.equal(await settled(), 'none')
  t.ok(asked() > 1, 'a promotion may begin any time')
  meanwhile(alone())
  await becomes('under way')
})

t.test('nor is a timeline on which replay has arrived', async t => {
  const { settled, becomes, add, meanwhile, asked } = setUp(t)
  add(2)
  t.equal(await settled(), 'under way')
  meanwhile(alone(replaying(2)))
  await becomes('none')
  const before = asked()
  add(3)
  t.equal(await settled(), 'none')
  t.equal(asked(), before)
})

t.test('the control file may have the new timeline before the promotion is over', async t => {
  const { settled, add, asked, evidence } = setUp(t)
  add(2)
  t.equal(await settled(), 'under way')
  const control = controlFile({
    state: 'in archive recovery',
    checkpointTimeline: 1 as TimelineId,
    minRecoveryTimeline: 2 as TimelineId,
  })
  const completing = { ...evidence, controlFile: seen(control) }
  for (const before = asked(); asked() < before + 5; await settle()) {
    t.equal(await settled(completing), 'under way')
  }
})

t.test('where titles show nothing, the control file has the timeline', async t => {
  const { settled, add, meanwhile } = setUp(t, { changes: { children: alone('startup') } })
  meanwhile(alone('startup waiting for 000000020000000000000003'))
  add(2)
  t.equal(await settled(), 'under way')
})

t.test('what cannot be read proves nothing', async t => {
  const titles = setUp(t)
  titles.add(2)
  titles.meanwhile({ kind: 'invisible' })
  t.equal(await titles.settled(), 'none')
  titles.meanwhile(alone())
  await titles.becomes('under way')
  const unknown = null as unknown as TimelineId
  const control = controlFile({
    state: 'in archive recovery',
    checkpointTimeline: unknown,
    minRecoveryTimeline: unknown,
  })
  const timeline = setUp(t, {
    changes: { children: alone('startup'), controlFile: seen(control) },
  })
  timeline.add(2)
  t.equal(await timeline.settled(), 'none')
  const disk = setUp(t)
  rmSync(join(disk.path, 'pg_wal'), { recursive: true })
  t.equal(await disk.settled(), 'none')
})

t.test('a startup process that has ended meanwhile leaves it to the next check', async t => {
  const { settled, meanwhile, add } = setUp(t)
  add(2)
  meanwhile(children({ walwriter: null }))
  t.equal(await settled(), 'under way')
})

t.test('before 10 the directory has another name', async t => {
  const old = { folder: 'pg_xlog', changes: { directory: directory('9.6') } }
  const { settled, add } = setUp(t, old)
  add(2)
  t.equal(await settled(), 'under way')
  const newer = setUp(t, { changes: { directory: directory(null) } })
  newer.add(2)
  t.equal(await newer.settled(), 'under way')
})

t.test('in a quick promotion nothing is read', async t => {
  const { see, evidence, asked, advance } = setUp(t)
  const { reading } = see(evidence)
  advance(499)
  await settle()
  t.equal(asked(), 0)
  t.match(see(primaryEvidence()), { promotion: 'not checked' })
  advance(1)
  await reading
  t.equal(asked(), 0)
})

t.test('a list that cannot be read in a shortage decides nothing', async t => {
  const { see, evidence, advance, add, settled } = setUp(t)
  const { reading } = see(evidence)
  advance(500)
  await withoutDescriptors(async () => reading)
  t.equal(see(evidence).promotion, 'being checked')
  add(2)
  t.equal(await settled(), 'under way')
})
