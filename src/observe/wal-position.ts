/**
 * How far the write-ahead log of a server goes: written by a primary, received by a standby.
 *
 * It is read on request, and by no check. The time for it is limited, and no verdict
 * depends on it: pg_wal may be on another disk.
 */
import { join } from 'node:path'
import { hasKnownLayout } from '../facts/decode/control-file.ts'
import { endOfPage, pageBefore, walGeometry } from '../facts/decode/wal-page.ts'
import type { WalGeometry, WalPage } from '../facts/decode/wal-page.ts'
import type { Evidence } from '../facts/decide/evidence.ts'
import { timelineOf } from '../facts/decide/reason.ts'
import { isSameProcess, walDirectory, type Child } from '../facts/decide/sightings.ts'
import type { Lsn, TimelineId } from '../facts/units.ts'
import { findLastPage } from './files/wal-reader.ts'
import { nullAfter, type Clock } from './system/clock.ts'
import { nullInShortage } from './system/system-error.ts'

export type WalPositions = {
  /**
   * The end of the last page that has been begun, so that it is never behind, and ahead by less
   * than a page. Null if that cannot be told.
   */
  readonly asOfNow: (evidence: Evidence) => Promise<Lsn | null>
}

/** A search takes milliseconds. */
const readingMsMax = 250

type Start = {
  readonly key: string
  readonly timeline: TimelineId
  readonly geometry: WalGeometry
  /** Pages that were there at some time. */
  readonly from: readonly WalPage[]
}

export const createWalPositions = (clock: Pick<Clock, 'after'>): WalPositions => {
  let known: { readonly key: string; readonly page: WalPage } | null = null
  let receiverOf: Child | null = null
  let underWay: Promise<Lsn | null> | null = null

  const read = async (evidence: Evidence, at: Start): Promise<Lsn | null> => {
    const { key, timeline, geometry, from } = at
    const folder = join(evidence.path, walDirectory(evidence.directory))
    const log = { folder, timeline, geometry }
    const before = known?.key === key ? [known.page, ...from] : from
    for (const start of before.toSorted((one, other) => other - one)) {
      const page = await findLastPage(log, start)
      if (page === null) continue
      known = { key, page }
      return endOfPage(page, geometry)
    }
    known = null
    return null
  }

  /** Whether what a standby has in pg_wal was received, and not fetched from an archive. */
  const receives = ({ children }: Evidence): boolean => {
    if (children.kind !== 'present' || children.startup === null) return true
    if (children.walreceiver !== null) receiverOf = children.startup
    return receiverOf !== null && isSameProcess(receiverOf, children.startup)
  }

  return {
    asOfNow: async evidence => {
      const start = startOf(evidence)
      if (start === null || !receives(evidence)) return null
      if (underWay === null) {
        underWay = nullInShortage(() => read(evidence, start))
        const forget = (): void => {
          underWay = null
        }
        void underWay.then(forget)
      }
      return nullAfter(clock, readingMsMax, underWay)
    },
  }
}

/** Null for a server that does not run, or of which too little is known. */
const startOf = (evidence: Evidence): Start | null => {
  const { postmaster, controlFile, lockFile, timelineHistory } = evidence
  if (postmaster.kind !== 'alive' || lockFile.kind !== 'present') return null
  if (controlFile.kind !== 'present' || !hasKnownLayout(controlFile.fact)) return null
  const geometry = walGeometry(controlFile.fact)
  const timeline = timelineOf(evidence)
  if (geometry === null || timeline === null) return null
  const { checkpoint, minRecoveryPoint } = controlFile.fact
  const left = timelineHistory.kind === 'present' ? timelineHistory.fact.switches.at(-1) : undefined
  // The last of these may be in what a switch of segments left empty, or on an earlier timeline.
  const from = [checkpoint, minRecoveryPoint, left?.at ?? 0n]
    .filter(position => position > 0n)
    .map(position => pageBefore(position as Lsn, geometry))
  const key = `${timeline} ${lockFile.fact.pid} ${lockFile.fact.startTime} ${evidence.path}`
  return { key, timeline, geometry, from }
}
