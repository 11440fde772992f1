/** Thousands of segments in pg_wal: the position is right, and costs no more than with a few. */
import assert from 'node:assert'
import { chownSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { placeOfPage, type WalGeometry } from '../../src/facts/decode/wal-page.ts'
import type { Lsn, TimelineId } from '../../src/facts/units.ts'
import type { Cluster } from '../harness/cluster.ts'
import { startPrimary } from '../harness/pair.ts'
import { closedBy, isRight, positionIn, takeReading, watchPrimary } from '../harness/wal-watch.ts'
import type { Watched } from '../harness/wal-watch.ts'

// The first run fetches the servers.
t.setTimeout(600_000)

const geometry: WalGeometry = { segmentSize: 0x10_0000, pageSize: 8192 }

/** Since the last checkpoint, and each of them short, as archive_timeout leaves them. */
const switchedSegments = 200
/** As checkpoints leave them for the future. */
const recycledSegments = 3000

const switchSegments = async (cluster: Cluster): Promise<void> => {
  const session = await cluster.session()
  await session.query(`do $$ begin for time in 1..${switchedSegments} loop
    perform pg_logical_emit_message(false, 'test', 'something');
    perform pg_switch_wal();
  end loop; end $$`)
  // Until something is written, the position is that before the last switch.
  await session.query('create table switched ()')
  await session.close()
}

/** They begin with what an old segment had there, and the rest takes no room. */
const addRecycled = ({ dataDirectory, user: { uid, gid } }: Cluster, current: Lsn): void => {
  const now = Number(current / BigInt(geometry.segmentSize))
  const pathOf = (segment: number): string => {
    const page = (segment * geometry.segmentSize) / geometry.pageSize
    return join(dataDirectory, 'pg_wal', placeOfPage(page, 1 as TimelineId, geometry).file)
  }
  const old = readFileSync(pathOf(now - 1)).subarray(0, geometry.pageSize)
  for (let ahead = 1; ahead <= recycledSegments; ahead += 1) {
    const path = pathOf(now + ahead)
    if (existsSync(path)) continue
    writeFileSync(path, old, { mode: 0o600 })
    truncateSync(path, geometry.segmentSize)
    chownSync(path, uid, gid)
  }
}

/** How often a process has read something. */
const readsOf = (pid: number): number =>
  Number(/^syscr: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])

const watch = async (t: Test, cluster: Cluster): Promise<Watched> =>
  watchPrimary(closedBy(t), cluster)

const times = 100

type Cost = { readonly reads: number; readonly medianMs: number }

/** Of a question, each after something was written; of all in turn. */
const costs = async (all: readonly Watched[]): Promise<readonly Cost[]> => {
  const taken = all.map((): number[] => [])
  const before = all.map(({ daemon }) => readsOf(daemon.daemon.pid))
  for (let time = 0; time < times; time += 1) {
    for (const [index, { daemon, session }] of all.entries()) {
      await session.query(`select pg_logical_emit_message(false, 'test', repeat('text', 1000))`)
      const askedAt = performance.now()
      await (await fetch(`http://127.0.0.1:${daemon.http}/member`)).text()
      taken[index]?.push(performance.now() - askedAt)
    }
  }
  return all.map(({ daemon }, index) => ({
    reads: (readsOf(daemon.daemon.pid) - (before[index] ?? 0)) / times,
    medianMs: taken[index]?.toSorted((one, other) => one - other)[times / 2] ?? NaN,
  }))
}

t.test('beside a server with a few', async t => {
  // Each switch would wait for the disk, and so many for a checkpoint.
  const settings = { fsync: 'off', max_wal_size: '4GB' }
  const options = { major: 18, segmentSize: 1, settings }
  const [few, many] = [await startPrimary(t, options), await startPrimary(t, options)]
  await switchSegments(many)
  const session = await many.session()
  addRecycled(many, await positionIn(session, 'pg_current_wal_lsn()'))
  await session.close()

  const [usual, watched] = [await watch(t, few), await watch(t, many)]
  const [before, after] = [await takeReading(watched), await takeReading(usual)]
  t.ok(isRight(before) && isRight(after), 'the first answers are right')
  const [cost, costOfMany] = await costs([usual, watched])
  t.comment(JSON.stringify({ few: cost, many: costOfMany }))
  assert(cost !== undefined && costOfMany !== undefined)
  t.ok(costOfMany.reads < 1.5 * cost.reads, 'files are not read more often')
  t.ok(costOfMany.medianMs < 2 * cost.medianMs, 'it takes no longer')
  const last = []
  for (let time = 0; time < 10; time += 1) last.push(isRight(await takeReading(watched)))
  t.notOk(last.includes(false), 'and so are the last ones')
})
