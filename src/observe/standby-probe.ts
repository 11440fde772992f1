/**
 * What a check reports of a standby in addition to its files and a count of its children: where
 * replay is, and whether a missing signal file means a promotion; and of every server the history
 * of its timeline, on which that of replay has a part. No check waits for any of them.
 *
 * A count of children reads their titles once, and a standby may follow its upstream to a new
 * timeline without another count. For the log and `--on-change`, the title of the startup process
 * is therefore read again every few seconds; for HTTP, with each request: see standby-titles.ts.
 */
import type { TitleFrame } from '../facts/decode/process-title.ts'
import type { Evidence } from '../facts/decide/evidence.ts'
import { isSameProcess, type Child, type PromotionSighting } from '../facts/decide/sightings.ts'
import type { MonotonicMs } from '../facts/units.ts'
import type { Clock } from './system/clock.ts'
import type { Probe } from './probe.ts'
import type { ProcessTable } from './processes/process-table.ts'
import { createHistoryWatch } from './history-watch.ts'
import { createPromotionWatch } from './promotion-watch.ts'
import { withTitleOfNow } from './processes/census.ts'
import { createStandbyTitles } from './processes/standby-titles.ts'
import { nullInShortage } from './system/system-error.ts'

type Timer = Pick<Clock, 'after' | 'monotonic'>

const titleAgeMsMax = 5000

/** The census has identified the process: whether its title has room does not matter. */
const anyTitle: TitleFrame = { commandLine: '', room: null }

/** Looks as `probe` does, and adds these. */
export const createStandbyProbe = (
  probe: Probe,
  { processes, clock }: { readonly processes: ProcessTable; readonly clock: Timer },
): Probe => {
  const promotions = createPromotionWatch(createStandbyTitles(processes, clock), clock)
  const histories = createHistoryWatch()
  const withTitle = createTitleReader(processes, clock)

  const complete = (of: Evidence, promotion: PromotionSighting): Evidence => {
    const { children } = of
    if (children.kind !== 'present') return { ...of, promotion }
    return { ...of, promotion, children: { ...children, startup: withTitle(children.startup) } }
  }

  return {
    ...probe,
    look: async () => {
      const looked = await probe.look()
      if (looked === null) return null
      const { promotion, reading } = promotions.see(looked.evidence)
      const current = complete(looked.evidence, promotion)
      const { timelineHistory, reading: readingHistory } = histories.see(current)
      const unfinished = readingHistory ?? reading
      return {
        ...looked,
        evidence: { ...current, timelineHistory },
        ...(unfinished === undefined ? {} : { unfinished }),
      }
    },
  }
}

/** Returns the startup process with the title that was read last, and reads an old one again. */
const createTitleReader = (table: ProcessTable, clock: Timer) => {
  type Known = { readonly child: Child; readonly at: MonotonicMs; reading: boolean }
  let known: Known | null = null
  const read = async (old: Known): Promise<void> => {
    old.reading = true
    const child = await nullInShortage(() =>
      withTitleOfNow(table, old.child, { kind: 'startup', titles: anyTitle }),
    )
    old.reading = false
    if (known === old && child !== null) known = { child, at: clock.monotonic(), reading: false }
  }
  return (counted: Child | null): Child | null => {
    if (counted === null) return null
    const now = clock.monotonic()
    if (known === null || !isSameProcess(known.child, counted)) {
      known = { child: counted, at: now, reading: false }
    }
    if (now - known.at >= titleAgeMsMax && !known.reading) void read(known)
    return known.child
  }
}
