/**
 * The positions in the write-ahead log that we read, beside those that servers of each version
 * tell, under load: the table of fixtures/docs/cluster.md.
 */
import { createCluster } from '../harness/cluster.ts'
import {
  startWriting,
  takeReading,
  watchPrimary,
  watchStandby,
  type Reading,
  type Watched,
} from '../harness/wal-watch.ts'
import { withOpened } from '../harness/with-opened.ts'
import { max, median } from '../truth/judge.ts'

const roles = ['primary', 'standby'] as const

type Readings = {
  readonly major: number
  readonly role: (typeof roles)[number]
  /** While each transaction writes a row, and while it writes thousands. */
  readonly loads: readonly (readonly Reading[])[]
}

const rowsAtOnce = [1, 2000] as const

const read = async (watched: Watched, times: number): Promise<readonly Reading[]> => {
  const readings: Reading[] = []
  while (readings.length < times) readings.push(await takeReading(watched))
  return readings
}

/** So many of each role under each load. */
export const readPositions = (major: number, times: number): Promise<readonly Readings[]> =>
  withOpened(async opened => {
    const primary = await createCluster({ major })
    opened.later(primary.destroy)
    await primary.start()
    const standby = await primary.standby()
    opened.later(standby.destroy)
    await standby.start()
    const written = await watchPrimary(opened, primary)
    const received = await watchStandby(opened, standby, primary)
    const loads: { readonly primary: readonly Reading[]; readonly standby: readonly Reading[] }[] =
      []
    for (const rows of rowsAtOnce) {
      const stop = await startWriting(primary, rows)
      loads.push({ primary: await read(written, times), standby: await read(received, times) })
      await stop()
    }
    return roles.map(role => ({ major, role, loads: loads.map(load => load[role]) }))
  })

const isKnown = (reading: Reading): reading is Reading & { readonly ours: bigint } =>
  reading.ours !== null

/** Behind what was flushed before it was read, and ahead of what was flushed afterwards. */
const distances = (readings: readonly Reading[]) => {
  const known = readings.filter(isKnown)
  const above = (one: bigint, other: bigint): number => Math.max(0, Number(one - other))
  return {
    unknown: readings.length - known.length,
    behind: known.map(({ ours, flushedBefore }) => above(flushedBefore, ours)),
    ahead: known.map(({ ours, flushedAfter }) => above(ours, flushedAfter)),
  }
}

const row = ({ major, role, loads }: Readings): string => {
  const all = distances(loads.flat())
  const aheads = loads.map(distances).map(({ ahead }) => `${median(ahead)}, at most ${max(ahead)}`)
  const readings = loads.flat().length
  return `| ${[major, role, readings, all.unknown, max(all.behind), ...aheads].join(' | ')} |\n`
}

export const printPositions = (all: readonly Readings[]): string =>
  [
    '| version | role | readings | unknown | behind | ahead, single rows | ahead, in bulk |\n',
    '| --- | --- | --- | --- | --- | --- | --- |\n',
    ...all.map(row),
  ].join('')
