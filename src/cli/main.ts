/** The process: arguments in, exit code out. */
import { fstatSync } from 'node:fs'
import { openAccounts, type Self } from './accounts.ts'
import { readConfig } from './config-source.ts'
import { findClusters } from './debian-clusters.ts'
import { leadsToJournal } from './journal.ts'
import { systemOutside } from './outside.ts'
import { runProgram } from './program.ts'
import { claimRecordSignal } from './record-signal.ts'
import { awaitStopSignal, hearReload } from './stop-signals.ts'
import { version } from './version.ts'

const whenRecordAsked = claimRecordSignal(process)

// Whoever reads our output may go away first (`status | head -1`); that is no reason to crash.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const exitCode = await runProgram(process.argv.slice(2), {
  version,
  environment: process.env,
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  journal: leadsToJournal(fstatSync(process.stderr.fd), process.env['JOURNAL_STREAM']),
  accounts: openAccounts(process as typeof process & Self),
  outside: systemOutside(process.env, process.pid),
  stopAsked: () => awaitStopSignal(process),
  whenRecordAsked,
  onDrainSignal: toggle => process.on('SIGUSR2', toggle),
  reloadAsked: listener => hearReload(process, listener),
  readConfig,
  findClusters,
})
// Without waiting for a look that a hung disk holds up.
process.exit(exitCode)
