/**
 * The decision as a table: of its rows, from top to bottom, the first that applies decides.
 *
 * The rows are those of the truth table in the README, measured on PostgreSQL 10 to 18. They rest
 * on two properties: the control file has "in production" only after the server itself has left
 * recovery (StartupXLOG() in xlog.c, since 10), and a server that refuses logins although its lock
 * file has `ready` has no checkpointer or a new shared memory id.
 *
 * fixtures/decision-table.txt has the answer for every combination of symptoms.
 */
import type { Symptoms } from './symptoms.ts'

export type Role = 'primary' | 'standby'

/** Name of a row, which never changes: it is used in JSON and logs. */
export type Rule = (typeof rows)[number]['rule'] | 'contradiction'

type Row = {
  readonly rule: string
  readonly applies: (symptoms: Symptoms) => boolean
  readonly answer: Role | 'unavailable'
  /** False for what does not last and is checked again after milliseconds. */
  readonly settled: boolean
}

const row = <const Name extends string>(
  rule: Name,
  answer: Row['answer'],
  lasting: 'settled' | 'transient',
  applies: Row['applies'],
): Row & { readonly rule: Name } => ({ rule, applies, answer, settled: lasting === 'settled' })

export const rows = [
  row('no data directory', 'unavailable', 'transient', s => s.directory === 'absent'),
  row('not a directory', 'unavailable', 'transient', s => s.directory === 'not a directory'),
  row('data directory unreadable', 'unavailable', 'transient', s => s.directory === 'unreadable'),
  row('no lock file', 'unavailable', 'settled', s => s.lockFile === 'absent'),
  row('lock file unreadable', 'unavailable', 'transient', s => s.lockFile === 'unreadable'),
  row('lock file invalid', 'unavailable', 'transient', s => s.lockFile === 'invalid'),
  row('single-user', 'unavailable', 'settled', s => s.lockFile === 'single-user'),
  row('postmaster gone', 'unavailable', 'settled', s => isGone(s)),
  row('not the postmaster', 'unavailable', 'settled', s => s.postmaster === 'not the postmaster'),
  row('postmaster invisible', 'unavailable', 'settled', s => s.postmaster === 'invisible'),
  row('postmaster stopped', 'unavailable', 'transient', s => s.postmaster === 'stopped'),
  row('binary upgrade', 'unavailable', 'settled', s => s.postmaster === 'upgrading'),
  row('lock file incomplete', 'unavailable', 'transient', s => s.lockFile === 'incomplete'),
  row('starting', 'unavailable', 'transient', s => s.status === 'starting'),
  row('stopping', 'unavailable', 'transient', s => s.status === 'stopping'),
  row('hot standby off', 'unavailable', 'settled', s => s.status === 'standby'),
  row('crash restart', 'unavailable', 'transient', s => s.crashRestart),
  row('no checkpointer', 'unavailable', 'transient', s => s.checkpointer === 'not running'),
  row('control file unreadable', 'unavailable', 'transient', s => s.cluster === 'unreadable'),
  row('crash recovery', 'unavailable', 'transient', s => s.cluster === 'in crash recovery'),
  row(
    'shut down in recovery',
    'unavailable',
    'transient',
    s => s.cluster === 'shut down in recovery',
  ),
  row('in production', 'primary', 'settled', s => s.cluster === 'in production'),
  row(
    'in archive recovery',
    'standby',
    'settled',
    s => s.cluster === 'in archive recovery' && s.startup !== 'not running',
  ),
  row(
    'recovery ending',
    'standby',
    'transient',
    s => (s.cluster === 'shutting down' || s.cluster === 'shut down') && s.startup === 'running',
  ),
  row(
    'no recovery requested',
    'primary',
    'settled',
    s => s.cluster === 'not checked' && !requestsRecovery(s) && s.startup !== 'running',
  ),
  row(
    'recovery requested',
    'standby',
    'settled',
    s => s.cluster === 'not checked' && requestsRecovery(s) && s.startup !== 'not running',
  ),
  row(
    'signal files contradicted',
    'unavailable',
    'transient',
    s => s.cluster === 'not checked' && s.startup !== 'not visible',
  ),
] as const

/** A lock file that has no pid yet names no process that could be gone. */
const isGone = ({ postmaster, lockFile }: Symptoms): boolean =>
  postmaster === 'gone' || (postmaster === 'unknown' && lockFile !== 'incomplete')

const requestsRecovery = ({ nextStart }: Symptoms): boolean =>
  nextStart === 'standby' || nextStart === 'recovery'

/** If no row applies, there is no answer. */
const contradiction = row('contradiction', 'unavailable', 'transient', () => true)

/** The first row that applies. */
export const decidingRow = (symptoms: Symptoms): Row & { readonly rule: Rule } =>
  rows.find(candidate => candidate.applies(symptoms)) ?? contradiction
