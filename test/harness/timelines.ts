/** Timeline histories, made up. */
import * as fc from 'fast-check'
import { assembleHistory, type TimelineHistory } from '../../src/facts/decode/timeline-history.ts'
import type { Lsn, TimelineId } from '../../src/facts/units.ts'

/** `historyOf(3, [1, 0x100n], [2, 0x200n])` is on timeline 3. */
export const timelineHistory = (
  timeline: number,
  ...switches: readonly (readonly [timeline: number, at: bigint])[]
): TimelineHistory => {
  const history = assembleHistory(
    timeline as TimelineId,
    switches.map(([number, at]) => ({ timeline: number as TimelineId, at: at as Lsn })),
  )
  if (history === null) throw new Error('not a history')
  return history
}

/** That of a server that is promoted there, on the next free timeline or a later one. */
export const promoted = (
  { timeline, switches }: TimelineHistory,
  at: bigint,
  to = timeline + 1,
): TimelineHistory => ({
  timeline: to as TimelineId,
  switches: [...switches, { timeline, at: at as Lsn }],
})

/** A few promotions, with so few positions and numbers that histories often share a beginning. */
export const anyHistory: fc.Arbitrary<TimelineHistory> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 2 }), fc.bigInt({ min: 1n, max: 2n })), {
    maxLength: 4,
  })
  .map(promotions =>
    promotions.reduce(
      (history, [step, at]) => promoted(history, at, history.timeline + step),
      timelineHistory(1),
    ),
  )
