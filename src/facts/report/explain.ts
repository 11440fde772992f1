/** A snapshot as text: the answer, what was found, and the reason. */
import { describeControlFault, timelineOf } from '../decide/reason.ts'
import { hasKnownLayout, type ControlFile } from '../decode/control-file.ts'
import { printDuration, printLsn, type UnixMs } from '../units.ts'
import type { ControlCheck, Evidence } from '../decide/evidence.ts'
import { visibleText } from '../visible-text.ts'
import { describeLockFileFault, type LockFile } from '../decode/lock-file.ts'
import type { Child, StoppedBy } from '../decide/sightings.ts'
import type { Snapshot } from '../decide/snapshot.ts'
import { replicationOf } from '../decide/streaming.ts'
import { symptomsOf } from '../decide/symptoms.ts'
import { answerOf } from '../decide/verdict.ts'

/** Label, what was found, and how old that is (empty when age means nothing). */
type Line = readonly [label: string, found: string, age: string]

/** Lines without line ends, to be printed one below the other. */
export const explain = ({ evidence, verdict, hazards, lookedAtUnix }: Snapshot): string[] => {
  const lines: Line[] = [
    ...(verdict.rule === 'maintenance' ? [['maintenance', verdict.because, ''] as const] : []),
    directoryLine(evidence),
    lockFileLine(evidence, lookedAtUnix),
    postmasterLine(evidence, lookedAtUnix),
    childrenLine(evidence),
    ...replicationLines(evidence),
    ...timelineLines(evidence),
    ...positionLines(evidence),
    ...controlFileLines(evidence, lookedAtUnix),
    ...promotionLines(evidence),
    nextStartLine(evidence),
  ]
  const page = [
    `${answerOf(verdict)}: ${evidence.path}`,
    '',
    ...align(lines),
    '',
    `because ${verdict.because}`,
    ...hazards.map(hazard => `warning: ${hazard.warning}`),
  ]
  return page.map(visibleText)
}

const align = (lines: readonly Line[]): string[] => {
  const width = Math.max(...lines.map(([, found, age]) => (age === '' ? 0 : found.length)))
  return lines.map(
    ([label, found, age]) =>
      `  ${label.padEnd(16)}${age === '' ? found : `${found.padEnd(width)}   ${age}`}`,
  )
}

const agoOf = (then: number, now: UnixMs): string => `${printDuration(now - then)} ago`

const directoryLine = ({ directory }: Evidence): Line => {
  const label = 'data directory'
  switch (directory.kind) {
    case 'absent':
      return [label, 'does not exist', '']
    case 'not a directory':
      return [label, 'is not a directory', '']
    case 'unreadable':
      return [label, `could not be read (${directory.code})`, '']
    case 'present':
      return [
        label,
        directory.version === null ? 'no valid PG_VERSION' : `PostgreSQL ${directory.version}`,
        '',
      ]
  }
}

const lockFileLine = ({ lockFile }: Evidence, now: UnixMs): Line => {
  const label = 'lock file'
  switch (lockFile.kind) {
    case 'absent':
      return [label, 'no postmaster.pid', '']
    case 'unreadable':
      return [label, `postmaster.pid could not be read (${lockFile.code})`, '']
    case 'invalid':
      return [
        label,
        describeLockFileFault(lockFile.fault),
        `written ${agoOf(lockFile.modified, now)}`,
      ]
    case 'present':
      return [label, describeLockFile(lockFile.fact), `written ${agoOf(lockFile.modified, now)}`]
  }
}

const describeLockFile = ({ singleUser, pid, status, port }: LockFile): string => {
  const owner = singleUser ? `single-user backend pid ${pid}` : `pid ${pid}`
  return [status ?? 'no status line', owner, ...(port === null ? [] : [`port ${port}`])].join(', ')
}

const postmasterLine = ({ postmaster }: Evidence, now: UnixMs): Line => {
  const label = 'postmaster'
  switch (postmaster.kind) {
    case 'not checked':
      return [label, 'no PID to check', '']
    case 'gone':
      return [label, 'no such process', '']
    case 'zombie':
      return [label, 'a zombie', '']
    case 'stopped':
      return [label, stops[postmaster.by], '']
    case 'not the postmaster':
      return [label, `not the postmaster: ${postmaster.because}`, '']
    case 'invisible':
      return [label, 'not visible in /proc', '']
    case 'alive':
      return [
        label,
        `alive, identified by its ${postmaster.how}`,
        `started ${agoOf(postmaster.startedAt, now)}`,
      ]
    case 'signal 0':
      return [
        label,
        postmaster.createdSharedMemory
          ? 'not visible in /proc, but answers signal 0 and created the shared memory of the lock file'
          : 'answers signal 0; without /proc, a zombie or an unrelated process would as well',
        '',
      ]
  }
}

const stops: { readonly [By in StoppedBy]: string } = {
  signal: 'stopped by a signal',
  tracer: 'stopped by a debugger',
  freezer: 'frozen by its control group',
}

const childrenLine = ({ children }: Evidence): Line => {
  const label = 'children'
  switch (children.kind) {
    case 'not checked':
      return [label, 'not checked', '']
    case 'invisible':
      return [label, 'not visible: a crash restart is detected from the lock file alone', '']
    case 'present': {
      const found = (['startup', 'checkpointer', 'walwriter', 'walreceiver'] as const)
        .map(name => [name, children[name]] as const)
        .filter((pair): pair is readonly [(typeof pair)[0], Child] => pair[1] !== null)
        .map(([name, child]) => `${name} ${child.pid}`)
      const listed = found.length === 0 ? 'no relevant process' : found.join(', ')
      return [
        label,
        children.titlesIncomplete ? `${listed}; some titles could not be read` : listed,
        '',
      ]
    }
  }
}

/** None for a server that is no standby. */
const replicationLines = (evidence: Evidence): Line[] => {
  const found = replicationOf(evidence)
  if (found === null) return []
  const { state, receiveLsn, replaySegment } = found
  const received = receiveLsn === null ? [] : [`received up to ${printLsn(receiveLsn)}`]
  const replayed = replaySegment === null ? [] : [`in replay ${replaySegment}`]
  return [['replication', [state, ...received, ...replayed].join(', '), '']]
}

/** None without a control file; unknown if that is of a newer version than is known. */
const timelineLines = (evidence: Evidence): Line[] => {
  if (evidence.controlFile.kind !== 'present') return []
  return [['timeline', `${timelineOf(evidence) ?? 'unknown'}${beganAt(evidence)}`, '']]
}

/** None if it is not known. */
const positionLines = ({ walPosition }: Evidence): Line[] =>
  walPosition === null ? [] : [['WAL position', `${printLsn(walPosition)}, to a page`, '']]

const beganAt = ({ timelineHistory }: Evidence): string => {
  if (timelineHistory.kind === 'unknown') return ` (its history: ${timelineHistory.because})`
  const left = timelineHistory.kind === 'present' ? timelineHistory.fact.switches.at(-1) : undefined
  return left === undefined
    ? ''
    : `, which began at ${printLsn(left.at)} of timeline ${left.timeline}`
}

const controlFileLines = ({ controlFile, controlCheck }: Evidence, now: UnixMs): Line[] => {
  const label = 'control file'
  if (controlCheck === 'off') return [[label, 'not checked (--control-check off)', '']]
  switch (controlFile.kind) {
    case 'absent':
      return [[label, 'no global/pg_control', '']]
    case 'unreadable':
      return [[label, `global/pg_control could not be read (${controlFile.code})`, '']]
    case 'invalid': {
      const age = `written ${agoOf(controlFile.modified, now)}`
      return [[label, describeControlFault(controlFile.fault), age]]
    }
    case 'present': {
      const { fact, modified } = controlFile
      return [
        [label, `${fact.state}, ${sourceNames[controlCheck]}`, `written ${agoOf(modified, now)}`],
        checkpointLine(fact, now),
        ['system id', `${fact.systemIdentifier}`, ''],
      ]
    }
  }
}

const checkpointLine = (controlFile: ControlFile, now: UnixMs): Line => {
  const label = 'checkpoint'
  if (!hasKnownLayout(controlFile)) return [label, 'unknown', '']
  const { checkpoint, redo, checkpointTime } = controlFile
  return [
    label,
    `${printLsn(checkpoint)}, redo from ${printLsn(redo)}`,
    `taken ${agoOf(checkpointTime * 1000, now)}`,
  ]
}

const sourceNames: { readonly [Check in Exclude<ControlCheck, 'off'>]: string } = {
  native: 'read directly',
  pg_controldata: 'as reported by pg_controldata',
}

const promotionLines = ({ promotion }: Evidence): Line[] =>
  promotion === 'under way'
    ? [['promotion', 'under way: pg_wal has the first segment of a new timeline', '']]
    : []

const nextStartLine = (evidence: Evidence): Line => {
  const label = 'next start'
  switch (symptomsOf(evidence).nextStart) {
    case 'standby':
      return [label, `as a standby (${requestFile(evidence)})`, '']
    case 'recovery':
      return [label, `archive recovery, then a primary (${requestFile(evidence)})`, '']
    case 'fails':
      return [label, 'will fail (recovery.conf is not supported by this version)', '']
    case 'primary':
      return [label, 'as a primary (no signal file)', '']
  }
}

const requestFile = ({ signalFiles }: Evidence): string => {
  if (signalFiles.recoveryConf !== null) return 'recovery.conf'
  return signalFiles.standbySignal ? 'standby.signal' : 'recovery.signal'
}
