/** SIGUSR2: takes all clusters of the process out of service by hand, and puts them back. */
import type { Report } from '../facts/event.ts'
import { pollMs } from '../observe/cadence.ts'
import { createMaintenanceWatch, type MaintenanceWatch } from '../observe/maintenance.ts'
import type { ServeOptions } from './option-values.ts'
import type { Outside } from './outside.ts'

export type Drain = {
  readonly toggle: () => void
  /** For one cluster, which is drained at once while all are. */
  readonly watchFor: (options: ServeOptions) => MaintenanceWatch
}

export const createDrain = (
  { clock, readMaintenance }: Pick<Outside, 'clock' | 'readMaintenance'>,
  report: Report,
): Drain => {
  const watches = new Set<MaintenanceWatch>()
  let on = false
  return {
    toggle: () => {
      on = !on
      report({ kind: 'maintenance toggled', on })
      for (const watch of watches) watch.toggle()
    },
    watchFor: ({ maintenanceFile, intervalMs }) => {
      const watch = createMaintenanceWatch({
        path: maintenanceFile,
        read: readMaintenance,
        timers: clock,
        everyMs: Math.min(intervalMs, pollMs),
      })
      if (on) watch.toggle()
      watches.add(watch)
      const close = (): void => {
        watches.delete(watch)
        watch.close()
      }
      return { ...watch, close }
    },
  }
}
