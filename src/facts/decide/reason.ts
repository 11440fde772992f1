/** The reason of each row, with the names and numbers of the case at hand. */
import { describeControlDataFault } from '../decode/pg-controldata-report.ts'
import { describeControlFileFault } from '../decode/control-file-fault.ts'
import type { ControlFault, Evidence } from './evidence.ts'
import { plainText } from '../visible-text.ts'
import { describeLockFileFault } from '../decode/lock-file.ts'
import type { Rule } from './rules.ts'
import type { StoppedBy } from './sightings.ts'
import { type TimelineId, timelineOfSegment } from '../units.ts'

/** One sentence for a person, lower case, without a stop. */
export const because = (rule: Rule, evidence: Evidence): string => reasons[rule](evidence)

const reasons: { readonly [Name in Rule]: (evidence: Evidence) => string } = {
  'no data directory': e => `${e.path} does not exist`,
  'not a directory': e => `${e.path} is not a directory`,
  'data directory unreadable': e => `could not read ${e.path}: ${codeOf(e.directory)}`,
  'no lock file': e => `no postmaster.pid in ${e.path}: no server is running`,
  'lock file unreadable': e => `could not read postmaster.pid: ${codeOf(e.lockFile)}`,
  'lock file invalid': e => `invalid postmaster.pid: ${lockFileFault(e)}`,
  'single-user': e => `a single-user backend, ${pid(e)}, is using the data directory`,
  'postmaster gone': e =>
    e.postmaster.kind === 'zombie'
      ? `stale postmaster.pid: process ${number(e)} is a zombie`
      : `stale postmaster.pid: process ${number(e)} does not exist`,
  'not the postmaster': e =>
    `process ${number(e)} in postmaster.pid is not the postmaster: ${otherProcess(e)}`,
  'postmaster invisible': e =>
    `process ${number(e)} in postmaster.pid is not visible in /proc: ${whyHidden}`,
  'binary upgrade': e => `postmaster ${pid(e)} was started by pg_upgrade (postgres -b)`,
  'postmaster stopped': e => `postmaster ${pid(e)} ${stoppedBy(e)}`,
  'lock file incomplete': e => `postmaster.pid is incomplete: ${linesOf(e)}`,
  starting: e => `postmaster ${pid(e)} is starting: not yet accepting connections`,
  stopping: e => `postmaster ${pid(e)} is stopping: no longer accepting connections`,
  'hot standby off': e => `postmaster ${pid(e)} is in recovery and not accepting connections`,
  'crash restart': e => `postmaster ${pid(e)} is restarting its children after a crash`,
  'no checkpointer': e =>
    `postmaster ${pid(e)} has no checkpointer: a crash restart or the end of the server`,
  'control file unreadable': e => `cluster state is not available: ${controlTrouble(e)}`,
  'crash recovery': e =>
    `postmaster ${pid(e)} is ready, but the cluster state is in crash recovery`,
  'shut down in recovery': e =>
    `postmaster ${pid(e)} is ready, but the cluster state is shut down in recovery`,
  'in production': e => `postmaster ${pid(e)} is ready and the cluster state is in production`,
  'in archive recovery': e =>
    `postmaster ${pid(e)} is ready and the cluster state is in archive recovery`,
  'recovery ending': e =>
    `postmaster ${pid(e)} is ready, its startup process at the checkpoint that ends recovery`,
  'no recovery requested': e =>
    `postmaster ${pid(e)} is ready and no signal file requests recovery (--control-check off)`,
  'recovery requested': e =>
    `postmaster ${pid(e)} is ready and a signal file requests recovery (--control-check off)`,
  'signal files contradicted': e =>
    `signal files and startup process of postmaster ${pid(e)} contradict each other`,
  contradiction: e =>
    `postmaster ${pid(e)} is ready, the cluster state is ${stateOf(e)}, and ${startupOf(e)}`,
}

/**
 * Under hidepid a process is visible only to users that may trace it: not to another user, nor to
 * the same user in another group.
 */
const whyHidden = 'hidepid (ProtectProc), another user or group, or another pid namespace'

const pid = (evidence: Evidence): string => `pid ${number(evidence)}`

const number = ({ lockFile }: Evidence): string =>
  lockFile.kind === 'present' ? `${lockFile.fact.pid}` : 'unknown'

const codeOf = (sighting: { readonly kind: string; readonly code?: string }): string =>
  sighting.code ?? sighting.kind

const lockFileFault = ({ lockFile }: Evidence): string =>
  lockFile.kind === 'invalid' ? describeLockFileFault(lockFile.fault) : lockFile.kind

const linesOf = ({ lockFile }: Evidence): string =>
  lockFile.kind === 'present' ? `${lockFile.fact.lineCount} lines so far` : 'it is empty'

const otherProcess = ({ postmaster }: Evidence): string => {
  if (postmaster.kind === 'not the postmaster') return postmaster.because
  return postmaster.kind === 'alive'
    ? 'it is not a PostgreSQL program and has no checkpointer'
    : postmaster.kind
}

const stoppedBy = ({ postmaster }: Evidence): string =>
  postmaster.kind === 'stopped' ? stops[postmaster.by] : postmaster.kind

const stops: { readonly [By in StoppedBy]: string } = {
  signal: 'is stopped (SIGSTOP)',
  tracer: 'is stopped by a debugger',
  freezer: 'is frozen by its control group (docker pause, systemctl freeze)',
}

const controlTrouble = ({ controlFile }: Evidence): string => {
  switch (controlFile.kind) {
    case 'absent':
      return 'global/pg_control does not exist'
    case 'unreadable':
      return `could not read global/pg_control: ${controlFile.code}`
    case 'invalid':
      return describeControlFault(controlFile.fault)
    case 'present':
      return controlFile.fact.state
  }
}

export const describeControlFault = (fault: ControlFault): string => {
  if (fault.source === 'native')
    return `global/pg_control: ${describeControlFileFault(fault.fault)}`
  return fault.fault.kind === 'program failed'
    ? `pg_controldata: ${plainText(fault.fault.message)}`
    : `pg_controldata: ${describeControlDataFault(fault.fault)}`
}

const stateOf = ({ controlFile }: Evidence): string =>
  controlFile.kind === 'present' ? controlFile.fact.state : controlFile.kind

const startupOf = ({ children }: Evidence): string => {
  if (children.kind !== 'present') return 'its children are not visible'
  return children.startup === null ? 'there is no startup process' : 'a startup process is running'
}

/**
 * The timeline that the server is on: the latest one that is known. That of the last checkpoint is
 * old until the checkpoint after a promotion has ended; minRecoveryPointTLI is set to the new one
 * just before a promotion completes. On a standby that follows a promotion of its upstream both
 * are old until its next restartpoint, but the startup process shows which segment it replays.
 */
export const timelineOf = (evidence: Evidence): TimelineId | null => {
  const { controlFile } = evidence
  if (controlFile.kind !== 'present') return null
  const { checkpointTimeline, minRecoveryTimeline } = controlFile.fact
  return [minRecoveryTimeline, replayTimeline(evidence)].reduce(laterTimeline, checkpointTimeline)
}

/** Null for one that is not known. */
export const laterTimeline = (
  one: TimelineId | null,
  other: TimelineId | null,
): TimelineId | null => (one === null || (other !== null && other > one) ? other : one)

/**
 * That of the segment in replay; null without one. A segment that is waited for may be that of a
 * timeline on which the server never arrives.
 */
export const replayTimeline = ({ children }: Evidence): TimelineId | null => {
  if (children.kind !== 'present' || children.startup === null) return null
  const [, segment = ''] = / recovering ([0-9A-F]{24})\b/.exec(children.startup.title) ?? []
  return timelineOfSegment(segment)
}
