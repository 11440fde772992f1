import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import type { HistorySighting } from '../../src/facts/decide/sightings.ts'
import type { Pid, TimelineId } from '../../src/facts/units.ts'
import { createHistoryWatch, historyBytesMax } from '../../src/observe/history-watch.ts'
import {
  controlFile,
  directory,
  lockFile,
  newerControlFile,
  primaryEvidence,
  seen,
} from '../harness/evidence.ts'
import { promoted, timelineHistory } from '../harness/timelines.ts'
import { until } from '../harness/until.ts'
import { withoutDescriptors } from '../harness/without-descriptors.ts'

const second = promoted(timelineHistory(1), 0x300_0148n)
const written = '1\t0/3000148\tno recovery target specified\n'
const name = '00000002.history'

const setUp = (t: Test, text: string | null = written, folder = 'pg_wal') => {
  const path = t.testdir({ [folder]: text === null ? {} : { [name]: text } })
  const on = (timeline: number, changes: Partial<Evidence> = {}): Evidence =>
    primaryEvidence({
      path,
      controlFile: seen(controlFile({ checkpointTimeline: timeline as TimelineId })),
      ...changes,
    })
  const { see } = createHistoryWatch()
  /** What looks come to when they are waited for. */
  const settled = async (evidence: Evidence): Promise<HistorySighting> => {
    await see(evidence).reading
    return see(evidence).timelineHistory
  }
  return { see, on, settled, file: join(path, folder, name) }
}

t.test('it is read once, and no check waits for it', async t => {
  const { see, on, settled, file } = setUp(t)
  const first = see(on(2))
  t.match(first, { timelineHistory: { kind: 'being read' }, reading: Promise })
  t.equal(see(on(2)).reading, first.reading)
  t.strictSame(await settled(on(2)), { kind: 'present', fact: second })
  rmSync(file)
  t.strictSame(await settled(on(2)), { kind: 'present', fact: second })
})

t.test('another server or directory has another one', async t => {
  const { on, settled, file } = setUp(t)
  await settled(on(2))
  writeFileSync(file, '1\t0/4000000\treason\n')
  const others: readonly Partial<Evidence>[] = [
    { lockFile: seen(lockFile({ pid: 4712 as Pid })) },
    { lockFile: { kind: 'absent' } },
    { directory: { ...directory(), inode: '1:3' } },
  ]
  for (const other of others) {
    t.strictSame(await settled(on(2, other)), {
      kind: 'present',
      fact: promoted(timelineHistory(1), 0x400_0000n),
    })
  }
})

t.test('the first timeline has no file', async t => {
  const { see, on, settled } = setUp(t, null)
  t.strictSame(see(on(1)), { timelineHistory: { kind: 'present', fact: timelineHistory(1) } })
  t.strictSame(await settled(on(1)), { kind: 'present', fact: timelineHistory(1) })
})

t.test('before 10 it is in pg_xlog', async t => {
  const { on, settled } = setUp(t, written, 'pg_xlog')
  t.match(await settled(on(2, { directory: directory('9.6') })), { kind: 'present' })
})

t.test('an unreadable file is reported, and read again', async t => {
  const { see, on, settled, file } = setUp(t, null)
  t.strictSame(await settled(on(2)), { kind: 'unknown', because: `there is no ${name}` })
  writeFileSync(file, written)
  await until(() => see(on(2)).timelineHistory.kind === 'present', { what: 'the file', everyMs: 1 })
})

t.test('nor is anything else a history', async t => {
  const long = written + '#'.repeat(historyBytesMax)
  for (const text of ['one\n', '', '2\t0/3000148\treason\n', long]) {
    const { on, settled } = setUp(t, text)
    t.strictSame(await settled(on(2)), { kind: 'unknown', because: `invalid ${name}` })
  }
  const { on, settled, file } = setUp(t, null)
  writeFileSync(join(file, '..', 'other'), '')
  t.match(await settled(on(2, { path: join(file, '..', 'other') })), { kind: 'unknown' })
})

t.test('a directory in its place is reported as one', async t => {
  const { on, settled, file } = setUp(t, null)
  mkdirSync(file)
  t.strictSame(await settled(on(2)), {
    kind: 'unknown',
    because: `could not read ${name}: not a regular file`,
  })
})

t.test('without a timeline or a directory there is nothing to read', async t => {
  const { see, on } = setUp(t)
  const none = { timelineHistory: { kind: 'not checked' } }
  t.strictSame(see(on(2, { controlFile: seen(newerControlFile()) })), none)
  t.strictSame(see(on(2, { directory: { kind: 'absent' } })), none)
})

t.test('in a shortage of descriptors the next check tries again', async t => {
  const { see, on, settled } = setUp(t)
  await withoutDescriptors(async () => {
    await see(on(2)).reading
    t.match(see(on(2)).timelineHistory, { kind: 'being read' })
    await see(on(2)).reading
  })
  t.match(await settled(on(2)), { kind: 'present' })
})
