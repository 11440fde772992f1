/** `history`: asks a running daemon for its last changes, and prints them. */
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import { historyLines } from '../../facts/report/history-view.ts'
import { visibleText } from '../../facts/visible-text.ts'
import type { Peer } from '../../observe/peers/peer-request.ts'
import type { HistoryOptions } from '../options/option-values.ts'
import type { GivenOptions } from '../options/settings.ts'
import { exitCodes, exitDone } from '../output/exit-codes.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { Accounts } from '../system/accounts.ts'
import type { Host } from '../system/host.ts'
import { socketPeer } from '../system/local-daemon.ts'
import { dropPrivilegesFor } from '../system/privileges.ts'

export type HistoryNeeds = {
  readonly host: Pick<Host, 'clock' | 'findDaemon' | 'openHistoryClient'>
  readonly accounts: Accounts
  /** Where the options were given. */
  readonly given: GivenOptions
  readonly out: (text: string) => void
  readonly fail: (error: OperatorError) => void
}

/** Resolves to the exit code. */
export const showHistory = async (
  options: HistoryOptions,
  needs: HistoryNeeds,
): Promise<number> => {
  const { host, out, fail } = needs
  const found = await findTarget(options, needs)
  if (!found.ok) {
    fail(found.fault)
    return exitCodes.error
  }
  const { target, asked } = found.fact
  const answer = await host.openHistoryClient()(target, options.timeoutMs).answer
  if (!answer.ok) {
    fail({
      message: `could not get the history from ${target.text}: ${visibleText(answer.fault)}`,
      hint: 'pg-replstatus must run there with --http; see "pg-replstatus history --help"',
    })
    return exitCodes.error
  }
  const lines = historyLines(answer.fact, { asked, now: host.clock.unix() })
  out(options.json ? answer.fact.document : lines.map(line => `${line}\n`).join(''))
  return exitDone
}

/** `asked` is what the operator named. */
type Found = { readonly target: Peer; readonly asked: string }

const findTarget = async (
  { of, user }: HistoryOptions,
  { host, accounts, given }: HistoryNeeds,
): Promise<Outcome<Found, OperatorError>> => {
  if ('target' in of) return fact({ target: of.target, asked: of.target.text })
  const { pgdata } = of
  const dropped = await dropPrivilegesFor({ user, directory: pgdata, given }, accounts)
  if (!dropped.ok) return dropped
  const daemon = await host.findDaemon(pgdata, accounts.effectiveUser())
  if (daemon === null) return fault(noDaemon(pgdata))
  return fact({ target: socketPeer(daemon.socket), asked: pgdata })
}

const noDaemon = (path: string): OperatorError => ({
  message: `no daemon was found that watches ${path}`,
  hint: 'it needs --http unix:PATH below /run/pg-replstatus, or name its HOST:PORT instead of -D',
})
