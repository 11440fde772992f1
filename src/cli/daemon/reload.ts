/**
 * Reads the configuration again on request. Reloads run one after the other, and not before the
 * start is complete. An invalid file changes nothing.
 */
import type { Report } from '../../facts/report/event.ts'
import type { Outcome } from '../../facts/outcome.ts'
import type { Fleet } from './fleet.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { Configuration } from '../options/option-values.ts'

export type Reloader = {
  /** May be called at any time. */
  readonly request: () => void
  /** To be called when the start is complete. */
  readonly begin: (fleet: Fleet) => void
}

/** `reread` is null if there is nothing to read again. */
export const createReloader = (
  reread: (() => Promise<Outcome<Configuration, readonly OperatorError[]>>) | null,
  {
    report,
    apply,
    began,
    ended,
  }: {
    readonly report: Report
    readonly apply: (next: Configuration, fleet: Fleet) => Promise<void>
    /** Called for each reload, even if it is refused. */
    readonly began: () => void
    readonly ended: () => void
  },
): Reloader => {
  let fleet: Fleet | null = null
  let requested = false
  let busy = false

  const reload = async (to: Fleet): Promise<void> => {
    if (reread === null) return report({ kind: 'reload needless' })
    const read = await reread()
    if (read.ok) return apply(read.fact, to)
    for (const { message, hint } of read.fault) {
      report({ kind: 'reload refused', because: message, hint })
    }
  }

  const reloadRequested = async (): Promise<void> => {
    if (busy || fleet === null) return
    busy = true
    // A request during a reload means another one: the file may have changed since it was read.
    while (requested) {
      requested = false
      began()
      await reload(fleet)
      ended()
    }
    busy = false
  }

  return {
    request: () => {
      requested = true
      void reloadRequested()
    },
    begin: started => {
      fleet = started
      void reloadRequested()
    },
  }
}
