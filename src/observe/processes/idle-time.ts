/**
 * For how long a process has not run at all: a startup process that has replayed all WAL there was
 * sleeps, and one that waits for restore_command has a child.
 */
import type { Child } from '../../facts/decide/sightings.ts'
import type { MonotonicMs } from '../../facts/units.ts'
import type { Clock } from '../system/clock.ts'
import type { ProcessTable } from './process-table.ts'

/** Milliseconds up to now, as observed by earlier calls; 0 for a process that runs or is null. */
export type RestWatch = (child: Child | null) => number

export const createRestWatch = (
  table: ProcessTable,
  clock: Pick<Clock, 'monotonic'>,
): RestWatch => {
  let resting: { child: Child; contextSwitches: number; since: MonotonicMs } | null = null
  return child => {
    const activity = child === null ? null : table.activity(child.pid)
    if (child === null || activity?.sleeping !== true || hasChildren(table, child)) {
      resting = null
      return 0
    }
    const { contextSwitches } = activity
    const now = clock.monotonic()
    const same =
      resting?.child.pid === child.pid &&
      resting.child.started === child.started &&
      resting.contextSwitches === contextSwitches
    if (resting === null || !same) resting = { child, contextSwitches, since: now }
    return now - resting.since
  }
}

/** Also when they can't be listed. */
const hasChildren = (table: ProcessTable, { pid }: Child): boolean =>
  table.children(pid)?.length !== 0
