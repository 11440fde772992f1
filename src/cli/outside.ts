/**
 * What the program watches, and by which clock: the pieces of observe/ put together. And what it
 * was given by whoever started it.
 */
import type { Outcome } from '../facts/outcome.ts'
import { systemClock, type Clock } from '../observe/clock.ts'
import { createControlSource } from '../observe/control-source.ts'
import { openDataDirectory } from '../observe/data-directory.ts'
import { createFreezer } from '../observe/freezer.ts'
import { readMaintenance } from '../observe/maintenance.ts'
import { findControlDataProgram } from '../observe/pg-controldata.ts'
import { createProbe, type Probe } from '../observe/probe.ts'
import { openProcessTable } from '../observe/process-table.ts'
import { createStandbyProbe } from '../observe/standby-probe.ts'
import { createStandbyTitles, type StandbyTitles } from '../observe/standby-titles.ts'
import { systemWatchLibrary } from '../observe/watch-attempt.ts'
import { createWatcher, type Watcher, type WatcherNeeds } from '../observe/watcher.ts'
import { createShell, type StartShellCommand } from '../serve/shell-command.ts'
import type { OperatorError } from './operator-error.ts'
import type { LookOptions } from './option-values.ts'
import { passedSockets } from './passed-sockets.ts'
import type { Environment } from './settings.ts'
import { systemdNotify, type Notify } from './systemd-notify.ts'

export type Outside = {
  readonly clock: Clock
  readonly openProbe: (options: LookOptions) => Probe
  readonly openTitles: () => StandbyTitles
  readonly startShellCommand: StartShellCommand
  readonly readMaintenance: typeof readMaintenance
  readonly watch: (needs: Pick<WatcherNeeds, 'hint' | 'armed' | 'trouble'>) => Watcher
  /** Descriptors of listening sockets to answer on. */
  readonly sockets: Outcome<readonly number[], OperatorError>
  /** Null when nobody wants to be told how we are. */
  readonly notify: Notify | null
}

export const systemOutside = (environment: Environment, pid: number): Outside => {
  const clock = systemClock
  return {
    clock,
    readMaintenance,
    openProbe: ({ pgdata, controlCheck, pgControldata }) => {
      const directory = openDataDirectory(pgdata, clock)
      const program = findControlDataProgram(pgControldata, environment)
      const control = createControlSource(controlCheck, { directory, program, timers: clock })
      const processes = openProcessTable()
      const freezer = createFreezer(clock)
      const probe = createProbe({ controlCheck, directory, processes, freezer, control, clock })
      return createStandbyProbe(probe, { processes, clock })
    },
    openTitles: () => createStandbyTitles(openProcessTable(), clock),
    startShellCommand: createShell(environment),
    watch: needs => createWatcher({ ...needs, timers: clock, library: systemWatchLibrary }),
    sockets: passedSockets(environment, pid),
    notify: systemdNotify(environment, pid),
  }
}
