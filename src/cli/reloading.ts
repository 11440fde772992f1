/**
 * Reading the configuration again when asked to: one time after the other, and not before all has
 * started. A file with mistakes changes nothing.
 */
import type { Report } from '../facts/event.ts'
import type { Outcome } from '../facts/outcome.ts'
import type { Fleet } from './fleet.ts'
import type { OperatorError } from './operator-error.ts'
import type { Configuration } from './option-values.ts'

export type Reloading = {
  /** May be called at any time. */
  readonly ask: () => void
  /** All has started. */
  readonly begin: (fleet: Fleet) => void
}

/** `reread` is null where there is no file. */
export const createReloading = (
  reread: (() => Promise<Outcome<Configuration, readonly OperatorError[]>>) | null,
  {
    report,
    take,
    began,
    ended,
  }: {
    readonly report: Report
    readonly take: (next: Configuration, fleet: Fleet) => Promise<void>
    /** Told about each reload, be it refused. */
    readonly began: () => void
    readonly ended: () => void
  },
): Reloading => {
  let fleet: Fleet | null = null
  let asked = false
  let busy = false

  const reload = async (on: Fleet): Promise<void> => {
    if (reread === null) return report({ kind: 'reload needless' })
    const read = await reread()
    if (read.ok) return take(read.fact, on)
    for (const { message, hint } of read.fault) {
      report({ kind: 'reload refused', because: message, hint })
    }
  }

  const attend = async (): Promise<void> => {
    if (busy || fleet === null) return
    busy = true
    // Asked again meanwhile, it has to read again: the file may be another one by now.
    while (asked) {
      asked = false
      began()
      await reload(fleet)
      ended()
    }
    busy = false
  }

  return {
    ask: () => {
      asked = true
      void attend()
    },
    begin: started => {
      fleet = started
      void attend()
    },
  }
}
