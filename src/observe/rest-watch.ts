/**
 * For how long a process has not run at all: a startup process that has replayed all WAL there was
 * sleeps, and one that waits for restore_command has a child.
 */
import type { Child } from '../facts/sightings.ts'
import type { MonotonicMs } from '../facts/units.ts'
import type { Clock } from './clock.ts'
import type { ProcessTable } from './process-table.ts'

/** Milliseconds up to now, as far as earlier calls tell; 0 for a process that runs or is null. */
export type RestWatch = (process: Child | null) => number

export const createRestWatch = (
  table: ProcessTable,
  clock: Pick<Clock, 'monotonic'>,
): RestWatch => {
  let resting: { process: Child; contextSwitches: number; since: MonotonicMs } | null = null
  return process => {
    const activity = process === null ? null : table.activity(process.pid)
    if (process === null || activity?.sleeping !== true || hasChildren(table, process)) {
      resting = null
      return 0
    }
    const { contextSwitches } = activity
    const now = clock.monotonic()
    const same =
      resting?.process.pid === process.pid &&
      resting.process.started === process.started &&
      resting.contextSwitches === contextSwitches
    if (resting === null || !same) resting = { process, contextSwitches, since: now }
    return now - resting.since
  }
}

/** Also when they can't be listed. */
const hasChildren = (table: ProcessTable, { pid }: Child): boolean =>
  table.children(pid)?.length !== 0
