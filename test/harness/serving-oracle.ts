/**
 * Whether evidence justifies an answer, said once more and in another way than src/facts says it:
 * straight from what was measured on servers, without rows, symptoms or memory. For tests that
 * hold the program's answers against it.
 */
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import type { Role } from '../../src/facts/decide/rules.ts'

/** The role that the last of these looks justifies; null for none. Earlier ones come first. */
export const justifiedRole = (looks: readonly Evidence[]): Role | null => {
  const evidence = looks.at(-1)
  if (evidence === undefined || !isOpen(evidence) || mayBeRestarting(looks)) return null
  return evidence.controlCheck === 'off' ? roleRequested(evidence) : roleWritten(evidence)
}

/** A live postmaster of this very directory that has written that it takes clients. */
const isOpen = ({ directory, lockFile, postmaster, children }: Evidence): boolean => {
  if (directory.kind !== 'present' || lockFile.kind !== 'present') return false
  const { lineCount, status, singleUser } = lockFile.fact
  const before10 = directory.version?.startsWith('9.') === true
  const saysReady = status === 'ready' || (before10 && lineCount === 7)
  const lives = postmaster.kind === 'alive' || postmaster.kind === 'signal 0'
  const canWrite =
    children.kind !== 'present' || children.checkpointer !== null || children.titlesIncomplete
  return saysReady && !singleUser && lives && canWrite
}

const roleWritten = ({ controlFile, children }: Evidence): Role | null => {
  if (controlFile.kind !== 'present') return null
  const { state } = controlFile.fact
  if (state === 'in production') return 'primary'
  const recovering = startupSeen(children) ?? 'unknown'
  if (state === 'in archive recovery') return recovering === false ? null : 'standby'
  const isEnding = state === 'shutting down' || state === 'shut down'
  return isEnding && recovering === true ? 'standby' : null
}

const roleRequested = ({ directory, signalFiles, children }: Evidence): Role | null => {
  const version = directory.kind === 'present' ? Number(directory.version ?? '99') : 99
  const { recoveryConf, standbySignal, recoverySignal } = signalFiles
  const requested =
    version < 12
      ? recoveryConf !== null
      : recoveryConf === null && (standbySignal || recoverySignal)
  const recovering = startupSeen(children) ?? requested
  if (recovering !== requested) return null
  return requested ? 'standby' : 'primary'
}

/** Null if it can't be told. */
const startupSeen = (children: Evidence['children']): boolean | null => {
  if (children.kind !== 'present') return null
  if (children.startup !== null) return true
  return children.titlesIncomplete ? null : false
}

type Reading = {
  readonly evidence: Evidence
  readonly id: number | null
  readonly ready: boolean
  readonly written: number
}

/** What each look read in the lock file of the postmaster of the last one. */
const readingsOf = (looks: readonly Evidence[]): readonly Reading[] => {
  let readings: readonly Reading[] = []
  let postmaster = ''
  for (const evidence of looks) {
    const { directory, lockFile } = evidence
    if (directory.kind !== 'present' || lockFile.kind !== 'present') continue
    const { pid, startTime, sharedMemory, status } = lockFile.fact
    if (postmaster !== `${pid} since ${startTime}`) readings = []
    postmaster = `${pid} since ${startTime}`
    // Where no id stands, nothing is said of it.
    const id = sharedMemory?.id ?? readings.at(-1)?.id ?? null
    const ready = status === 'ready'
    readings = [...readings, { evidence, id, ready, written: lockFile.modified }]
  }
  return readings
}

/**
 * A crash restart gives the lock file a new shared memory id, and another write when it is over.
 * Who came too late to see the id change knows as much as that it may have.
 */
const mayBeRestarting = (looks: readonly Evidence[]): boolean => {
  const readings = readingsOf(looks)
  const begin = readings.findLastIndex(({ id }, at) => id !== (readings[at - 1]?.id ?? null))
  const since = readings.slice(Math.max(begin, 0))
  const [first] = since
  if (first === undefined) return false
  if (since.some(({ written }) => written !== first.written)) return false
  const sawChange = (readings[begin - 1]?.id ?? null) !== null
  if (!sawChange && !first.ready) return false
  // What was once beyond doubt stays so.
  const { written } = first
  return !since.some(({ evidence }) => isBeyondDoubt(evidence, { sawChange, written }))
}

/** Whether the children tell that recovery has come to where it serves. */
const isBeyondDoubt = (
  { children, postmaster, controlCheck, controlFile }: Evidence,
  { sawChange, written }: { sawChange: boolean; written: number },
): boolean => {
  const produced =
    controlFile.kind === 'present' && controlFile.fact.state === 'in production'
      ? controlFile.modified
      : null
  const unseenSaysSo = produced === null ? !sawChange : written - produced <= (sawChange ? 0 : 2000)
  if (children.kind !== 'present') return unseenSaysSo
  const { startup, walwriter, session, startupUndecided, titlesIncomplete } = children
  // The WAL writer runs only when recovery is over, whatever a child without a title may be.
  if (startup === null) {
    if (walwriter !== null) return true
    return titlesIncomplete ? unseenSaysSo : !(sawChange || startupUndecided)
  }
  const recoveryBegan = controlFile.kind === 'present' ? controlFile.modified : Infinity
  const bornBeforeWritten =
    startup.startedAt + 20 < written ||
    (startup.startedAt <= recoveryBegan && recoveryBegan < written)
  const bornWithServer = postmaster.kind === 'alive' && startup.started <= postmaster.started + 100
  const mayLast =
    controlCheck === 'off' ||
    (controlFile.kind === 'present' && controlFile.fact.state === 'in archive recovery')
  const loggedIn = session !== null && session.started >= startup.started
  return bornBeforeWritten || loggedIn || (bornWithServer && mayLast && !sawChange)
}
