/**
 * SIGUSR2 switches maintenance mode of all clusters on and off. The maintenance file of each
 * cluster is watched, and it is reported who else can create it.
 */
import { dirname } from 'node:path'
import type { Report } from '../../facts/report/event.ts'
import { pollMs } from '../../observe/cadence.ts'
import {
  createMaintenanceWatch,
  type MaintenanceWatch,
} from '../../observe/files/maintenance-file.ts'
import type { ServeOptions } from '../options/option-values.ts'
import type { Host } from '../system/host.ts'

export type MaintenanceSwitch = {
  readonly toggle: () => void
  /** For one cluster, with the present state of the switch. */
  readonly watchFor: (options: ServeOptions) => MaintenanceWatch
  /** Reports each maintenance file that others can create. Not to be waited for. */
  readonly checkFolders: () => void
}

export const createMaintenanceSwitch = (
  { clock, readMaintenance, whoElseWrites }: Host,
  report: Report,
): MaintenanceSwitch => {
  /** With its file. */
  const watches = new Map<MaintenanceWatch, string | null>()
  /** With a hung disk there is one check that waits, rather than one for each reload. */
  let checking = false
  let on = false
  const checkFolders = async (): Promise<void> => {
    if (checking) return
    checking = true
    for (const path of new Set(watches.values())) {
      const because = path === null ? null : await whoElseWrites(dirname(path))
      if (path !== null && because !== null) report({ kind: 'maintenance open', path, because })
    }
    checking = false
  }
  return {
    checkFolders: () => void checkFolders(),
    toggle: () => {
      on = !on
      report({ kind: 'maintenance toggled', on })
      for (const watch of watches.keys()) watch.toggle()
    },
    watchFor: ({ maintenanceFile, intervalMs }) => {
      const watch = createMaintenanceWatch({
        path: maintenanceFile,
        read: readMaintenance,
        timers: clock,
        everyMs: Math.min(intervalMs, pollMs),
      })
      if (on) watch.toggle()
      watches.set(watch, maintenanceFile)
      const close = (): void => {
        watches.delete(watch)
        watch.close()
      }
      return { ...watch, close }
    },
  }
}
