/** `status`: looks once and says what it saw, for people or for programs. */
import { explain } from '../facts/explain.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { refusalOf } from '../facts/refusal.ts'
import type { Role } from '../facts/rules.ts'
import { underMaintenance, type Snapshot } from '../facts/snapshot.ts'
import { snapshotDocument } from '../facts/snapshot-json.ts'
import type { Verdict } from '../facts/verdict.ts'
import type { Accounts } from './accounts.ts'
import { exitAsExpected, exitCodes, exitOtherwise } from './exit-codes.ts'
import { lookOnce } from './look.ts'
import type { OperatorError } from './operator-error.ts'
import type { StatusOptions } from './option-values.ts'
import type { Outside } from './outside.ts'
import { patiently } from './patience.ts'
import { dropPrivileges } from './privileges.ts'

export type StatusNeeds = {
  readonly accounts: Accounts
  readonly outside: Outside
  readonly out: (text: string) => void
  readonly fail: (error: OperatorError) => void
}

/** Resolves to the exit code. */
export const status = async (options: StatusOptions, needs: StatusNeeds): Promise<number> => {
  const { outside, out, fail } = needs
  const looked =
    (await patiently(lookAsOwner(options, needs), outside.clock)) ?? fault(noAnswer(options.pgdata))
  if (!looked.ok) {
    fail(looked.fault)
    return exitCodes.couldNotLook
  }
  out(print(looked.fact, options.json))
  return exitCodeOf(looked.fact.verdict, options.expect)
}

const lookAsOwner = async (
  options: StatusOptions,
  { accounts, outside }: StatusNeeds,
): Promise<Outcome<Snapshot, OperatorError>> => {
  const dropped = await dropPrivileges(options.pgdata, accounts)
  if (!dropped.ok) return dropped
  const snapshot = await lookOnce(outside.openProbe(options), outside.clock)
  if (snapshot === null) return fault(noRest(options.pgdata))
  const refusal = refusalOf(snapshot.evidence, await accounts.names())
  if (refusal !== null) return fault(refusal)
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

/** The screen or the document, ending with a line feed. */
const print = (snapshot: Snapshot, json: boolean): string =>
  json ? snapshotDocument(snapshot) : `${explain(snapshot).join('\n')}\n`

const exitCodeOf = (verdict: Verdict, expected: Role | 'any' | null): number => {
  const role = verdict.kind === 'available' ? verdict.role : null
  if (expected === null) return exitCodes[role ?? 'unavailable']
  const met = expected === 'any' ? role !== null : role === expected
  return met ? exitAsExpected : exitOtherwise
}
