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
  lasting: 'settled' | 'passing',
  applies: Row['applies'],
): Row & { readonly rule: Name } => ({ rule, applies, answer, settled: lasting === 'settled' })

export const rows = [
  row('no data directory', 'unavailable', 'passing', s => s.directory === 'absent'),
  row('not a directory', 'unavailable', 'passing', s => s.directory === 'not a directory'),
  row('data directory unreadable', 'unavailable', 'passing', s => s.directory === 'unreadable'),
  row('no lock file', 'unavailable', 'settled', s => s.lockFile === 'absent'),
  row('lock file unreadable', 'unavailable', 'passing', s => s.lockFile === 'unreadable'),
  row('lock file garbled', 'unavailable', 'passing', s => s.lockFile === 'garbled'),
  row('single-user', 'unavailable', 'settled', s => s.lockFile === 'single-user'),
  row('postmaster gone', 'unavailable', 'settled', s => isGone(s)),
  row('postmaster is a stranger', 'unavailable', 'settled', s => s.postmaster === 'stranger'),
  row('postmaster invisible', 'unavailable', 'settled', s => s.postmaster === 'invisible'),
  row('postmaster stopped', 'unavailable', 'passing', s => s.postmaster === 'stopped'),
  row('binary upgrade', 'unavailable', 'settled', s => s.postmaster === 'upgrading'),
  row('coming up', 'unavailable', 'passing', s => s.lockFile === 'incomplete'),
  row('starting', 'unavailable', 'passing', s => s.status === 'starting'),
  row('stopping', 'unavailable', 'passing', s => s.status === 'stopping'),
  row('hot standby off', 'unavailable', 'settled', s => s.status === 'standby'),
  row('crash restart', 'unavailable', 'passing', s => s.crashRestart),
  row('no checkpointer', 'unavailable', 'passing', s => s.checkpointer === 'not there'),
  row('control file unreadable', 'unavailable', 'passing', s => s.cluster === 'unreadable'),
  row('crash recovery', 'unavailable', 'passing', s => s.cluster === 'in crash recovery'),
  row('ended in recovery', 'unavailable', 'passing', s => s.cluster === 'shut down in recovery'),
  row('in production', 'primary', 'settled', s => s.cluster === 'in production'),
  row(
    'in archive recovery',
    'standby',
    'settled',
    s => s.cluster === 'in archive recovery' && s.startup !== 'not there',
  ),
  row(
    'recovery ending',
    'standby',
    'passing',
    s => (s.cluster === 'shutting down' || s.cluster === 'shut down') && s.startup === 'there',
  ),
  row(
    'no recovery requested',
    'primary',
    'settled',
    s => s.cluster === 'not asked' && !requestsRecovery(s) && s.startup !== 'there',
  ),
  row(
    'recovery requested',
    'standby',
    'settled',
    s => s.cluster === 'not asked' && requestsRecovery(s) && s.startup !== 'not there',
  ),
  row(
    'signal files contradicted',
    'unavailable',
    'passing',
    s => s.cluster === 'not asked' && s.startup !== 'unseen',
  ),
] as const

/** A lock file that has no pid yet names no process that could be gone. */
const isGone = ({ postmaster, lockFile }: Symptoms): boolean =>
  postmaster === 'gone' || (postmaster === 'unknown' && lockFile !== 'incomplete')

const requestsRecovery = ({ nextStart }: Symptoms): boolean =>
  nextStart === 'standby' || nextStart === 'recovery'

/** If no row applies, there is no answer. */
const contradiction = row('contradiction', 'unavailable', 'passing', () => true)

/** The first row that applies. */
export const decidingRow = (symptoms: Symptoms): Row & { readonly rule: Rule } =>
  rows.find(candidate => candidate.applies(symptoms)) ?? contradiction
