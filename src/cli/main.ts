/** The process: arguments in, exit code out. */
import { fstatSync } from 'node:fs'
import { openAccounts, type Self } from './system/accounts.ts'
import { readConfig } from './config/config-source.ts'
import { findClusters } from './commands/debian-clusters.ts'
import { exitCodes } from './output/exit-codes.ts'
import { ignoreClosedReaders, catchInternalErrors, readerGone } from './system/internal-errors.ts'
import { isJournal, journalPrefix } from './output/log.ts'
import { systemHost } from './system/host.ts'
import { runProgram } from './program.ts'
import { operatorSignals } from './daemon/signals.ts'

const signals = operatorSignals(process)

ignoreClosedReaders([process.stdout, process.stderr])

// For a process that exits because nothing is left to wait for. The default of Node.js is 0, which
// means a primary.
process.exitCode = exitCodes.error

const err = (text: string): unknown => process.stderr.write(text)
const journal = isJournal(fstatSync(process.stderr.fd), process.env['JOURNAL_STREAM'])
const stopCatchingErrors = catchInternalErrors(process, {
  linePrefix: journal ? journalPrefix('error') : '',
  err,
})

const run = async (): Promise<never> => {
  const exitCode = await runProgram(process.argv.slice(2), {
    ...signals,
    environment: process.env,
    out: text => process.stdout.write(text),
    err,
    journal,
    terminal: process.stdout.isTTY,
    readerGone: () => readerGone(process.stdout),
    accounts: openAccounts(process as typeof process & Self),
    host: systemHost(process.env, process.pid),
    readConfig,
    findClusters,
  })
  // The result is known. An error at the exit, for example in a preloaded agent, must not change
  // it.
  stopCatchingErrors()
  // Does not wait for a check that a hung disk holds up.
  process.exit(exitCode)
}
// Not awaited: a rejection would be reported as a failure to load this file.
void run()
