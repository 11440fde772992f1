/** `status`: checks once and prints the result, as text, as JSON or for Nagios. */
import { unmetExpectation } from '../../facts/decide/expectation.ts'
import { compareWithDaemon, daemonJson } from '../../facts/report/daemon-view.ts'
import type { LocalDaemon } from '../../facts/report/daemon-view.ts'
import { visibleText } from '../../facts/visible-text.ts'
import { explain } from '../../facts/report/explain.ts'
import { nagiosReport, nagiosUnknown } from '../../facts/report/nagios.ts'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import { refusalOf } from '../../facts/decide/refusal.ts'
import { underDaemon, underMaintenance, type Snapshot } from '../../facts/decide/snapshot.ts'
import { snapshotDocument } from '../../facts/report/snapshot-json.ts'
import { answerOf } from '../../facts/decide/verdict.ts'
import { nullInShortage } from '../../observe/system/system-error.ts'
import type { Accounts } from '../system/accounts.ts'
import { exitAsExpected, exitCodes, exitOtherwise, nagiosExitCodes } from '../output/exit-codes.ts'
import { checkOnce } from './single-check.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { StatusOptions } from '../options/option-values.ts'
import type { Host } from '../system/host.ts'
import { withTimeLimit } from '../system/time-limit.ts'
import { dropPrivilegesFor } from '../system/privileges.ts'
import { withSource, type GivenOptions } from '../options/settings.ts'

/** Enough to detect the crash restart of a standby, and less than the time limit. */
const restartMs = 1500

export type StatusNeeds = {
  readonly accounts: Accounts
  /** Where the options were given. */
  readonly given: GivenOptions
  readonly host: Host
  readonly out: (text: string) => void
  readonly fail: (error: OperatorError) => void
}

/** Resolves to the exit code. */
export const status = async (options: StatusOptions, needs: StatusNeeds): Promise<number> => {
  const { host, out, fail } = needs
  const checked =
    (await withTimeLimit(checkUnlessShort(options, needs), host.clock)) ??
    fault(hungDisk(options.pgdata))
  if (options.print === 'nagios') {
    // Of a plugin, only standard output is read.
    const { state, line } = checked.ok
      ? nagiosReport(checked.fact.snapshot, options.expect)
      : nagiosUnknown(checked.fault)
    out(`${line}\n`)
    return nagiosExitCodes[state]
  }
  if (!checked.ok) {
    fail(checked.fault)
    return exitCodes.error
  }
  const { snapshot } = checked.fact
  const { expect } = options
  const unmet = expect === null ? null : unmetExpectation(snapshot, expect)
  out(options.print === 'json' ? document(checked.fact) : page(checked.fact, unmet))
  if (expect === null) return exitCodes[answerOf(snapshot.verdict)]
  return unmet === null ? exitAsExpected : exitOtherwise
}

type Found = {
  /** With what the daemon knows, if there is one. */
  readonly snapshot: Snapshot
  /** What the check found by itself. */
  readonly alone: Snapshot
  readonly daemon: LocalDaemon | null
}

const document = ({ snapshot, daemon }: Found): string =>
  snapshotDocument(snapshot, { daemon: daemonJson(daemon) })

const page = ({ snapshot, alone, daemon }: Found, unmet: string | null): string => {
  const compared = daemon === null ? [] : compareWithDaemon(daemon, alone).map(visibleText)
  const found = unmet === null ? [] : [`not as expected: ${unmet}`]
  return `${[...explain(snapshot), ...compared, ...found].join('\n')}\n`
}

type Checked = Outcome<Found, OperatorError>

const checkUnlessShort = async (options: StatusOptions, needs: StatusNeeds): Promise<Checked> => {
  let shortage = ''
  const check = (): Promise<Checked> => checkAsOwner(options, needs)
  const checked = await nullInShortage(check, code => {
    shortage = code
  })
  return checked ?? fault(noResources(options.pgdata, shortage))
}

const checkAsOwner = async (
  options: StatusOptions,
  { accounts, given, host }: StatusNeeds,
): Promise<Checked> => {
  const { pgdata: directory, user } = options
  const dropped = await dropPrivilegesFor({ user, directory, given }, accounts)
  if (!dropped.ok) return dropped
  const snapshot = await checkOnce(host.openProbe(options), host.clock, { restartMs })
  if (snapshot === null) return fault(unstableLockFile(options.pgdata))
  const refusal = refusalOf(snapshot.evidence, await accounts.names())
  if (refusal !== null) return fault(withSource(refusal, given, 'pgdata'))
  const maintenance = await host.readMaintenance(options.maintenanceFile)
  const walPosition = await host.openWalPositions().asOfNow(snapshot.evidence)
  const whole = { ...snapshot, evidence: { ...snapshot.evidence, walPosition } }
  const alone = underMaintenance(whole, maintenance)
  const daemon = await host.findDaemon(directory, accounts.effectiveUser())
  return fact({ snapshot: daemon === null ? alone : underDaemon(alone, daemon), alone, daemon })
}

const hungDisk = (path: string): OperatorError => ({
  message: `could not read ${path}: the disk does not respond`,
  hint: 'see the kernel log (dmesg) for a hung mount or a failing disk',
})

const noResources = (path: string, code: string): OperatorError => ({
  message: `could not determine the state of ${path}: ${code}`,
  hint: 'too many files are open, or no memory is left: see ulimit -n and fs.file-max',
})

const unstableLockFile = (path: string): OperatorError => ({
  message: `could not read ${path}/postmaster.pid: it keeps changing`,
  hint: 'check whether a supervisor restarts the server repeatedly',
})
