/** The reason of each row, with the names and numbers of the case at hand. */
import { describeControlDataFault } from './control-data-report.ts'
import { describeControlFileFault } from './control-file-fault.ts'
import type { ControlFault, Evidence } from './evidence.ts'
import { plainText } from './foreign-text.ts'
import { describeLockFileFault } from './lock-file.ts'
import type { Rule } from './rules.ts'
import type { StoppedBy } from './sightings.ts'
import type { TimelineId } from './units.ts'
import { timelineOfSegment } from './wal-file.ts'

/** One sentence for a person, lower case, without a stop. */
export const because = (rule: Rule, evidence: Evidence): string => reasons[rule](evidence)

const reasons: { readonly [Name in Rule]: (evidence: Evidence) => string } = {
  'no data directory': e => `${e.path} does not exist`,
  'not a directory': e => `${e.path} is not a directory`,
  'data directory unreadable': e => `${e.path} can't be read (${codeOf(e.directory)})`,
  'no lock file': e => `there is no postmaster.pid in ${e.path}: no server runs there`,
  'lock file unreadable': e => `postmaster.pid can't be read (${codeOf(e.lockFile)})`,
  'lock file garbled': e => `postmaster.pid makes no sense: ${lockFileFault(e)}`,
  'single-user': e => `a single-user backend, ${pid(e)}, holds the data directory`,
  'postmaster gone': e =>
    e.postmaster.kind === 'zombie'
      ? `postmaster ${pid(e)} is dead and not yet reaped; postmaster.pid is left over`
      : `postmaster.pid names ${pid(e)}, and no such process runs; it is left over`,
  'postmaster is a stranger': e =>
    `postmaster.pid names ${pid(e)}, which is not its postmaster: ${stranger(e)}`,
  'postmaster invisible': e =>
    `postmaster.pid names ${pid(e)}, which /proc does not show: ${whyHidden}`,
  'binary upgrade': e => `postmaster ${pid(e)} is run by pg_upgrade (postgres -b)`,
  'postmaster stopped': e => `postmaster ${pid(e)} ${stoppedBy(e)}`,
  'coming up': e => `postmaster.pid is still being written: ${linesOf(e)}`,
  starting: e => `postmaster ${pid(e)} is starting: it accepts nobody yet`,
  stopping: e => `postmaster ${pid(e)} is stopping: it accepts nobody any more`,
  'hot standby off': e => `postmaster ${pid(e)} is in recovery and accepts nobody meanwhile`,
  'crash restart': e => `postmaster ${pid(e)} is restarting its children after a crash`,
  'no checkpointer': e => `postmaster ${pid(e)} has no checkpointer: a crash restart or a death`,
  'control file unreadable': e => `the cluster state can't be had: ${controlTrouble(e)}`,
  'crash recovery': e => `the control file says in crash recovery under ${pid(e)}`,
  'ended in recovery': e => `the control file says shut down in recovery under ${pid(e)}`,
  'in production': e => `postmaster ${pid(e)} is ready and the control file says in production`,
  'in archive recovery': e =>
    `postmaster ${pid(e)} is ready and the control file says in archive recovery`,
  'recovery ending': e =>
    `postmaster ${pid(e)} is ready, its startup process at the checkpoint that ends recovery`,
  'no recovery requested': e =>
    `postmaster ${pid(e)} is ready and no signal file asks for recovery (control file not asked)`,
  'recovery requested': e =>
    `postmaster ${pid(e)} is ready and a signal file asks for recovery (control file not asked)`,
  'signal files contradicted': e =>
    `signal files and startup process of postmaster ${pid(e)} contradict each other`,
  contradiction: e =>
    `postmaster ${pid(e)} is ready, the control file says ${stateOf(e)}, and ${startupOf(e)}`,
}

/**
 * Who may not trace a process does not see it under hidepid: another user, but also the same user
 * in another group.
 */
const whyHidden = 'hidepid (ProtectProc), another user or group, or another pid namespace'

const pid = ({ lockFile }: Evidence): string =>
  lockFile.kind === 'seen' ? `pid ${lockFile.fact.pid}` : 'unknown pid'

const codeOf = (sighting: { readonly kind: string; readonly code?: string }): string =>
  sighting.code ?? sighting.kind

const lockFileFault = ({ lockFile }: Evidence): string =>
  lockFile.kind === 'fault' ? describeLockFileFault(lockFile.fault) : lockFile.kind

const linesOf = ({ lockFile }: Evidence): string =>
  lockFile.kind === 'seen' ? `${lockFile.fact.lineCount} lines so far` : 'it is empty'

const stranger = ({ postmaster }: Evidence): string => {
  if (postmaster.kind === 'stranger') return postmaster.because
  return postmaster.kind === 'alive'
    ? "it is none of PostgreSQL's programs and has no checkpointer"
    : postmaster.kind
}

const stoppedBy = ({ postmaster }: Evidence): string =>
  postmaster.kind === 'stopped' ? stops[postmaster.by] : postmaster.kind

const stops: { readonly [By in StoppedBy]: string } = {
  signal: 'is stopped (SIGSTOP): it accepts nobody',
  tracer: 'is held by a debugger',
  freezer: 'is frozen by its control group (docker pause, systemctl freeze): it does not respond',
}

const controlTrouble = ({ controlFile }: Evidence): string => {
  switch (controlFile.kind) {
    case 'absent':
      return 'there is no global/pg_control'
    case 'unreadable':
      return `global/pg_control can't be read (${controlFile.code})`
    case 'fault':
      return describeControlFault(controlFile.fault)
    case 'seen':
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
  controlFile.kind === 'seen' ? controlFile.fact.state : controlFile.kind

const startupOf = ({ children }: Evidence): string => {
  if (children.kind !== 'seen') return 'its children are not visible'
  return children.startup === null ? 'there is no startup process' : 'a startup process is at work'
}

/**
 * The timeline that the server is on: the latest one that is known. That of the last checkpoint is
 * old until the checkpoint after a promotion has ended; minRecoveryPointTLI is set to the new one
 * just before a promotion completes. On a standby that follows a promotion of its upstream both
 * are old until its next restartpoint, but the startup process shows which segment it replays.
 */
export const timelineOf = (evidence: Evidence): TimelineId | null => {
  const { controlFile } = evidence
  if (controlFile.kind !== 'seen') return null
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
  if (children.kind !== 'seen' || children.startup === null) return null
  const [, segment = ''] = / recovering ([0-9A-F]{24})\b/.exec(children.startup.title) ?? []
  return timelineOfSegment(segment)
}
