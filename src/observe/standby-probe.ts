/**
 * What looks tell of a standby besides its files and a count of its children: where replay is, and
 * whether a missing signal file means a promotion. No look waits for either.
 *
 * A count of children reads their titles once, and a standby may follow its upstream to a new
 * timeline without another count. So that the log and `--on-change` know that timeline, the startup
 * process's title is read again every few seconds. For HTTP it is read when asked for: see
 * standby-titles.ts.
 */
import type { TitleFrame } from '../facts/child-title.ts'
import type { Evidence } from '../facts/evidence.ts'
import { isSameProcess, type Child, type PromotionSighting } from '../facts/sightings.ts'
import type { MonotonicMs } from '../facts/units.ts'
import type { Clock } from './clock.ts'
import type { Probe } from './probe.ts'
import type { ProcessTable } from './process-table.ts'
import { createPromotionWatch } from './promotion-watch.ts'
import { asOfNow, createStandbyTitles } from './standby-titles.ts'

type Timer = Pick<Clock, 'after' | 'monotonic'>

const titleAgeMsMax = 5000

/** The census has told what the process is: whether its title has room does not matter. */
const anyTitle: TitleFrame = { commandLine: '', room: null }

/** Looks as `probe` does, and adds that. */
export const createStandbyProbe = (
  probe: Probe,
  { processes, clock }: { readonly processes: ProcessTable; readonly clock: Timer },
): Probe => {
  const promotions = createPromotionWatch(createStandbyTitles(processes, clock), clock)
  const withTitle = createTitleReader(processes, clock)
  let last: { of: Evidence; startup: Child | null; made: Evidence } | null = null

  /** The very same evidence as before where there is nothing new. */
  const complete = (of: Evidence, promotion: PromotionSighting): Evidence => {
    const { children } = of
    const startup = children.kind === 'seen' ? withTitle(children.startup) : null
    if (last?.of === of && last.startup === startup && last.made.promotion === promotion) {
      return last.made
    }
    const titled = children.kind === 'seen' ? { ...children, startup } : children
    last = { of, startup, made: { ...of, children: titled, promotion } }
    return last.made
  }

  return {
    ...probe,
    look: async () => {
      const looked = await probe.look()
      if (looked === null) return null
      const { promotion, reading } = promotions.see(looked.evidence)
      const evidence = complete(looked.evidence, promotion)
      return { ...looked, evidence, ...(reading === undefined ? {} : { unfinished: reading }) }
    },
  }
}

/** Gives the startup process with the title that was read last, and reads one that is old. */
const createTitleReader = (table: ProcessTable, clock: Timer) => {
  type Known = { readonly child: Child; readonly at: MonotonicMs; reading: boolean }
  let known: Known | null = null
  const read = async (old: Known): Promise<void> => {
    old.reading = true
    const child = await asOfNow(table, { kind: 'startup', child: old.child, titles: anyTitle })
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
