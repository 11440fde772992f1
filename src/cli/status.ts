/** `status`: looks once and says what it saw, for people or for programs. */
import { unmetExpectation } from '../facts/expectation.ts'
import { explain } from '../facts/explain.ts'
import { nagiosReport, nagiosUnknown } from '../facts/nagios.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { refusalOf } from '../facts/refusal.ts'
import { underMaintenance, type Snapshot } from '../facts/snapshot.ts'
import { snapshotDocument } from '../facts/snapshot-json.ts'
import { answerOf } from '../facts/verdict.ts'
import type { Accounts } from './accounts.ts'
import { exitAsExpected, exitCodes, exitOtherwise, nagiosExitCodes } from './exit-codes.ts'
import { lookOnce } from './look.ts'
import type { OperatorError } from './operator-error.ts'
import type { StatusOptions } from './option-values.ts'
import type { Outside } from './outside.ts'
import { patiently } from './patience.ts'
import { dropPrivileges } from './privileges.ts'
import { withSource, type GivenOptions } from './settings.ts'

/** More than it takes to tell a standby from one in a crash restart, and less than a time limit. */
const restartMs = 1500

export type StatusNeeds = {
  readonly accounts: Accounts
  /** Where the options were given. */
  readonly given: GivenOptions
  readonly outside: Outside
  readonly out: (text: string) => void
  readonly fail: (error: OperatorError) => void
}

/** Resolves to the exit code. */
export const status = async (options: StatusOptions, needs: StatusNeeds): Promise<number> => {
  const { outside, out, fail } = needs
  const looked =
    (await patiently(lookAsOwner(options, needs), outside.clock)) ?? fault(noAnswer(options.pgdata))
  if (options.print === 'nagios') {
    // Whoever runs a plugin reads standard output alone.
    const { state, line } = looked.ok
      ? nagiosReport(looked.fact, options.expect)
      : nagiosUnknown(looked.fault)
    out(`${line}\n`)
    return nagiosExitCodes[state]
  }
  if (!looked.ok) {
    fail(looked.fault)
    return exitCodes.couldNotLook
  }
  const snapshot = looked.fact
  const { expect } = options
  const unmet = expect === null ? null : unmetExpectation(snapshot, expect)
  out(options.print === 'json' ? snapshotDocument(snapshot) : page(snapshot, unmet))
  if (expect === null) return exitCodes[answerOf(snapshot.verdict)]
  return unmet === null ? exitAsExpected : exitOtherwise
}

const page = (snapshot: Snapshot, unmet: string | null): string => {
  const found = unmet === null ? [] : [`not as expected: ${unmet}`]
  return `${[...explain(snapshot), ...found].join('\n')}\n`
}

const lookAsOwner = async (
  options: StatusOptions,
  { accounts, given, outside }: StatusNeeds,
): Promise<Outcome<Snapshot, OperatorError>> => {
  const dropped = await dropPrivileges(options.pgdata, accounts)
  if (!dropped.ok) return dropped
  const snapshot = await lookOnce(outside.openProbe(options), outside.clock, { restartMs })
  if (snapshot === null) return fault(noRest(options.pgdata))
  const refusal = refusalOf(snapshot.evidence, await accounts.names())
  if (refusal !== null) return fault(withSource(refusal, given, 'pgdata'))
  const maintenance = await outside.readMaintenance(options.maintenanceFile)
  return fact(underMaintenance(snapshot, maintenance))
}

const noAnswer = (path: string): OperatorError => ({
  message: `the disk of ${path} does not answer`,
  hint: 'look for a hung mount or a failing disk in the kernel log (dmesg)',
})

const noRest = (path: string): OperatorError => ({
  message: `${path}/postmaster.pid changes all the time`,
  hint: 'does a supervisor start the server again and again?',
})
