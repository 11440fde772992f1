import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import type { KnownControlFile } from '../../src/facts/decode/control-file.ts'
import { placeOfPage } from '../../src/facts/decode/wal-page.ts'
import type { Lsn, Pid, TimelineId } from '../../src/facts/units.ts'
import { createWalPositions } from '../../src/observe/wal-position.ts'
import {
  child,
  children,
  controlFile,
  lockFile,
  newerControlFile,
  primaryEvidence,
  seen,
  standbyChildren,
  standbyEvidence,
} from '../harness/evidence.ts'
import { createManualTimers } from '../harness/manual-timers.ts'
import { promoted, timelineHistory } from '../harness/timelines.ts'
import { walFolder } from '../harness/wal-files.ts'
import { withoutDescriptors } from '../harness/without-descriptors.ts'

/** 16 pages in a segment. */
const geometry = { segmentSize: 0x10_0000, pageSize: 0x1_0000 }
const lsn = (page: number, offset = 0): Lsn => BigInt(page * geometry.pageSize + offset) as Lsn

const control = (changes: Partial<KnownControlFile> = {}) =>
  seen(
    controlFile({
      walSegmentSize: geometry.segmentSize,
      walPageSize: geometry.pageSize,
      checkpoint: lsn(20, 0x28),
      checkpointTimeline: 1 as TimelineId,
      ...changes,
    }),
  )

const setUp = (t: Test) => {
  const path = t.testdir({ pg_wal: {} })
  const { timers, advance, pending } = createManualTimers()
  const { asOfNow } = createWalPositions(timers)
  const folder = join(path, 'pg_wal')
  return {
    path,
    folder,
    asOfNow,
    advance,
    pending,
    ...walFolder(folder, geometry),
    primary: (changes: Partial<Evidence> = {}) =>
      primaryEvidence({ path, controlFile: control(), ...changes }),
    standby: (changes: Partial<Evidence> = {}) =>
      standbyEvidence({
        path,
        controlFile: control({ state: 'in archive recovery', minRecoveryPoint: lsn(22) }),
        children: { ...standbyChildren(), startup: child('startup', 4714) },
        ...changes,
      }),
  }
}

t.test('the position of a primary is the end of the page that was begun last', async t => {
  const { asOfNow, write, primary, pending } = setUp(t)
  write(16, 25)
  t.equal(await asOfNow(primary()), lsn(26))
  write(26, 40)
  t.equal(await asOfNow(primary()), lsn(41))
  t.equal(pending(), 0)
})

t.test('questions at the same time share a search', async t => {
  const { asOfNow, write, primary } = setUp(t)
  write(16, 25)
  const both = await Promise.all([asOfNow(primary()), asOfNow(primary())])
  t.strictSame(both, [lsn(26), lsn(26)])
})

t.test('it continues from where it was, as long as that exists', async t => {
  const { asOfNow, write, primary, folder } = setUp(t)
  write(16, 40)
  t.equal(await asOfNow(primary()), lsn(41))
  const { file } = placeOfPage(20, 1 as TimelineId, geometry)
  rmSync(join(folder, file))
  t.equal(await asOfNow(primary()), lsn(41))
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
  t.equal(await asOfNow(primary()), null)
  write(20, 21)
  t.equal(await asOfNow(primary()), lsn(22))
})

t.test('another server begins at its checkpoint again', async t => {
  const { asOfNow, write, primary, recycle } = setUp(t)
  write(16, 40)
  await asOfNow(primary())
  for (let page = 30; page <= 40; page += 1) recycle(page, 0)
  const restarted = primary({ lockFile: seen(lockFile({ pid: 4800 as Pid })) })
  t.equal(await asOfNow(restarted), lsn(30))
})

t.test('on a new timeline it begins where that does', async t => {
  const { asOfNow, folder, primary } = setUp(t)
  walFolder(folder, geometry, 2 as TimelineId).write(32, 35)
  const second = primary({
    controlFile: control({ minRecoveryTimeline: 2 as TimelineId }),
    timelineHistory: { kind: 'present', fact: promoted(timelineHistory(1), lsn(33, 0x148)) },
  })
  t.equal(await asOfNow(second), lsn(36))
})

t.test('what a switch of segments left empty is no end', async t => {
  const { asOfNow, write, standby } = setUp(t)
  write(16, 20)
  write(32, 32)
  const switched = standby({ controlFile: control({ minRecoveryPoint: lsn(32) }) })
  t.equal(await asOfNow(switched), lsn(33))
})

t.test('that of a standby is what it has received', async t => {
  const { asOfNow, write, standby } = setUp(t)
  write(16, 25)
  t.equal(await asOfNow(standby()), lsn(26))
})

t.test('from an archive nothing is received', async t => {
  const { asOfNow, write, standby } = setUp(t)
  write(16, 25)
  const startup = child('startup', 4714)
  const alone = { children: children({ startup, walwriter: null }) }
  t.equal(await asOfNow(standby(alone)), null)
  t.equal(await asOfNow(standby()), lsn(26))
  t.equal(await asOfNow(standby(alone)), lsn(26), 'its upstream is away')
  const other = { children: children({ startup: child('startup', 4720), walwriter: null }) }
  t.equal(await asOfNow(standby(other)), null)
})

t.test('with too little data it is unknown', async t => {
  const { asOfNow, write, primary } = setUp(t)
  write(16, 25)
  const unknown: readonly Partial<Evidence>[] = [
    { postmaster: { kind: 'gone' } },
    { lockFile: { kind: 'absent' } },
    { controlFile: { kind: 'absent' } },
    { controlFile: seen(newerControlFile()) },
    { controlFile: control({ walPageSize: 0 }) },
    { controlFile: control({ checkpointTimeline: 7 as TimelineId }) },
    { controlFile: control({ checkpoint: 0n as Lsn }) },
  ]
  for (const changes of unknown) t.equal(await asOfNow(primary(changes)), null)
  // The children are not visible: whether it is a standby is not known, what it has written is.
  t.equal(await asOfNow(primary({ children: { kind: 'invisible' } })), lsn(26))
})

t.test('a disk that hangs is not waited for', async t => {
  const { asOfNow, advance, write, primary } = setUp(t)
  write(16, 25)
  const asked = asOfNow(primary())
  advance(250)
  t.equal(await asked, null)
  t.equal(await asOfNow(primary()), lsn(26))
})

t.test('nor known in a shortage of descriptors', async t => {
  const { asOfNow, write, primary } = setUp(t)
  write(16, 25)
  await withoutDescriptors(async () => t.equal(await asOfNow(primary()), null))
  t.equal(await asOfNow(primary()), lsn(26))
})
