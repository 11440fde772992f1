/**
 * Startup process and WAL receiver of a standby as they are now, with their titles.
 *
 * A count of children reads each title once, and is not taken again while nothing can change the
 * role (census.ts). HTTP requests that report replication read them here instead, so that checks
 * cost no more: two titles, and another count while there is no WAL receiver.
 *
 * A title may wait for the process's memory lock, and may be read torn. So the time for it is
 * limited, and no verdict depends on it.
 */
import type { Evidence } from '../../facts/decide/evidence.ts'
import { isSameProcess, type Child, type ChildrenSighting } from '../../facts/decide/sightings.ts'
import type { Pid } from '../../facts/units.ts'
import { createCounter, readTitleFrame, withTitleOfNow } from './census.ts'
import { nullAfter, type Clock } from '../system/clock.ts'
import type { ProcessTable } from './process-table.ts'
import { nullInShortage } from '../system/system-error.ts'

export type StandbyTitles = {
  /** The evidence with both processes as they are now; the same object if there is no standby. */
  readonly asOfNow: (evidence: Evidence) => Promise<Evidence>
}

type Counted = Extract<ChildrenSighting, { kind: 'present' }>

/** Ten times what a thousand titles take. */
const readingMsMax = 1000

const hidden: ChildrenSighting = { kind: 'invisible' }

export const createStandbyTitles = (
  table: ProcessTable,
  clock: Pick<Clock, 'after'>,
): StandbyTitles => {
  const count = createCounter(table)
  let startup: Child | null = null
  let receiver: Child | null = null
  let underWay: { of: Pid; reading: Promise<ChildrenSighting> } | null = null

  const read = async (postmaster: Pid, counted: Counted): Promise<ChildrenSighting> => {
    const titles = await readTitleFrame(table, postmaster)
    const asReceiver = { kind: 'walreceiver', titles } as const
    startup = await withTitleOfNow(table, latest(startup, counted.startup), {
      kind: 'startup',
      titles,
    })
    receiver =
      (await withTitleOfNow(table, receiver, asReceiver)) ??
      (await withTitleOfNow(table, counted.walreceiver, asReceiver))
    if (receiver === null) {
      const recounted = await count(postmaster, titles)
      if (recounted.kind !== 'present') return hidden
      receiver = recounted.walreceiver
    }
    return { ...counted, startup, walreceiver: receiver }
  }

  /** Shares a reading that is under way for the same postmaster. */
  const readOnce = (postmaster: Pid, counted: Counted): Promise<ChildrenSighting> => {
    if (underWay?.of === postmaster) return underWay.reading
    const mine = { of: postmaster, reading: readOrHidden(postmaster, counted) }
    underWay = mine
    const forget = (): void => {
      if (underWay === mine) underWay = null
    }
    void mine.reading.then(forget)
    return mine.reading
  }
  const readOrHidden = async (postmaster: Pid, counted: Counted): Promise<ChildrenSighting> =>
    (await nullInShortage(() => read(postmaster, counted))) ?? hidden

  return {
    asOfNow: async evidence => {
      const { lockFile, postmaster, children } = evidence
      if (lockFile.kind !== 'present' || postmaster.kind !== 'alive') return evidence
      if (children.kind !== 'present' || children.startup === null) return evidence
      const reading = readOnce(lockFile.fact.pid, children)
      return { ...evidence, children: (await nullAfter(clock, readingMsMax, reading)) ?? hidden }
    },
  }
}

/** The newer title of the same process. */
const latest = (known: Child | null, counted: Child | null): Child | null =>
  known !== null && counted !== null && isSameProcess(known, counted) ? known : counted
