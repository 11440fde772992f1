/** The daemon, from the first look for mistakes to the signal that ends it. */
import type { Report } from '../facts/event.ts'
import { fault } from '../facts/outcome.ts'
import { refusalOf } from '../facts/refusal.ts'
import { pollMs } from '../observe/cadence.ts'
import { createMaintenanceWatch, type MaintenanceWatch } from '../observe/maintenance.ts'
import type { Accounts } from './accounts.ts'
import { refusalToServe } from './cluster-to-be.ts'
import { exitCodes, exitDone } from './exit-codes.ts'
import { lookOnce } from './look.ts'
import type { OperatorError } from './operator-error.ts'
import type { ServeOptions } from './options.ts'
import type { Outside } from './outside.ts'
import { patiently } from './patience.ts'
import { dropPrivileges } from './privileges.ts'
import { startServing } from './serving.ts'

export type RunNeeds = {
  readonly version: string
  readonly accounts: Accounts
  readonly outside: Outside
  readonly report: Report
  readonly fail: (error: OperatorError) => void
  /** From now on a signal stops in good order; resolves with the name of the first. */
  readonly stopAsked: () => Promise<string>
  /** Takes what a signal makes us do from now on. */
  readonly whenRecordAsked: (action: () => void) => void
  /** From now on a signal toggles the maintenance. */
  readonly onDrainSignal: (toggle: () => void) => void
}

/** Serves until asked to stop; resolves to the exit code. */
export const serve = async (options: ServeOptions, needs: RunNeeds): Promise<number> => {
  const { version, report, fail } = needs
  const stopped = needs.stopAsked()
  // At once: as long as nobody listens, the signal ends the process.
  const maintenance = createMaintenance(options, needs)
  needs.onDrainSignal(maintenance.toggle)
  // A disk that hangs at the start must not hold up the end.
  const found = await Promise.race([findMistake(options, needs), stopped])
  if (typeof found === 'string') return exitDone
  if (found === null) {
    report({ kind: 'started', version, directory: options.pgdata, pid: process.pid })
  }
  const serving =
    found === null ? await startServing(options, { ...needs, maintenance }) : fault(found)
  if (!serving.ok) {
    fail(serving.fault)
    return exitCodes.couldNotLook
  }
  const { knowledge } = serving.fact
  needs.whenRecordAsked(() => {
    for (const change of knowledge.history()) report({ kind: 'change recorded', ...change })
  })
  report({ kind: 'stopping', signal: await stopped })
  serving.fact.stop()
  report({ kind: 'stopped' })
  return exitDone
}

const createMaintenance = (
  { maintenanceFile, intervalMs }: ServeOptions,
  { outside, report }: RunNeeds,
): MaintenanceWatch =>
  createMaintenanceWatch({
    path: maintenanceFile,
    read: outside.readMaintenance,
    timers: outside.clock,
    everyMs: Math.min(intervalMs, pollMs),
    toggled: on => report({ kind: 'maintenance toggled', on }),
  })

/** Null when there is none; then we are by now whoever owns the data directory. */
const findMistake = async (
  options: ServeOptions,
  { accounts, outside, report }: RunNeeds,
): Promise<OperatorError | null> => {
  const { pgdata } = options
  const dropped = await dropPrivileges(pgdata, accounts)
  if (!dropped.ok) return dropped.fault
  const privileges = dropped.fact
  if (privileges.kind === 'dropped') {
    const { user, group } = privileges.account
    report({ kind: 'privileges dropped', user, group })
  }
  const probe = outside.openProbe(options)
  const snapshot = await patiently(lookOnce(probe, outside.clock), outside.clock)
  const userName = await accounts.names()
  if (privileges.kind === 'still root') {
    const refusal = snapshot === null ? null : refusalOf(snapshot.evidence, userName)
    return refusal ?? ownedByRoot(pgdata)
  }
  return snapshot === null ? null : refusalToServe(snapshot.evidence, userName)
}

const ownedByRoot = (path: string): OperatorError => ({
  message: `started as root, and ${path} belongs to root, wanted the user that runs the server`,
  hint: 'run as that user, such as: runuser -u postgres -- pg-replstatus',
})
