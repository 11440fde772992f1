/** The process: arguments in, exit code out. */
import { fstatSync } from 'node:fs'
import { openAccounts, type Self } from './accounts.ts'
import { readConfig } from './config-source.ts'
import { findClusters } from './debian-clusters.ts'
import { exitCodes } from './exit-codes.ts'
import { claimInternalErrors } from './internal-errors.ts'
import { leadsToJournal } from './journal.ts'
import { journalPrefix } from './log.ts'
import { systemOutside } from './outside.ts'
import { runProgram } from './program.ts'
import { claimRecordSignal } from './record-signal.ts'
import { awaitStopSignal, hearReload } from './stop-signals.ts'
import { version } from './version.ts'

const whenRecordAsked = claimRecordSignal(process)

// Whoever reads our output may go away first (`status | head -1`); that is no reason to crash.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

// Of a process that ends by itself, because nothing is left that could give an answer: Node's own
// code for that is 0, which means a primary.
process.exitCode = exitCodes.couldNotLook

const err = (text: string): unknown => process.stderr.write(text)
const journal = leadsToJournal(fstatSync(process.stderr.fd), process.env['JOURNAL_STREAM'])
const releaseErrors = claimInternalErrors(process, {
  version,
  linePrefix: journal ? journalPrefix('error') : '',
  err,
})

const run = async (): Promise<never> => {
  const exitCode = await runProgram(process.argv.slice(2), {
    version,
    environment: process.env,
    out: text => process.stdout.write(text),
    err,
    journal,
    accounts: openAccounts(process as typeof process & Self),
    outside: systemOutside(process.env, process.pid),
    stopAsked: () => awaitStopSignal(process),
    whenRecordAsked,
    onDrainSignal: toggle => process.on('SIGUSR2', toggle),
    reloadAsked: listener => hearReload(process, listener),
    readConfig,
    findClusters,
  })
  // By now there is an answer, whatever others do at the exit, such as an agent that was preloaded.
  releaseErrors()
  // Without waiting for a look that a hung disk holds up.
  process.exit(exitCode)
}
// Not awaited here, where a rejection would be one of the loading of this file.
void run()
