/**
 * Evidence reduced to what a decision needs. Each symptom has a few values, so that the decision
 * can be written as a table and tested for all of them.
 */
import type { ClusterState } from '../decode/control-file.ts'
import type { Evidence } from './evidence.ts'
import type { PostmasterStatus } from '../decode/lock-file.ts'
import { nextStart, type NextStart } from '../decode/signal-files.ts'
import { majorVersion } from './sightings.ts'

export type Symptoms = {
  readonly directory: 'present' | 'absent' | 'unreadable' | 'not a directory'
  readonly lockFile: 'complete' | 'absent' | 'unreadable' | 'invalid' | 'incomplete' | 'single-user'
  /** `unknown`: there is no pid to look for. */
  readonly postmaster:
    'alive' | 'gone' | 'unknown' | 'stopped' | 'not the postmaster' | 'invisible' | 'upgrading'
  /** `none`: PostgreSQL before 10 writes no status line. */
  readonly status: PostmasterStatus | 'none'
  readonly crashRestart: boolean
  readonly startup: Presence
  readonly checkpointer: Presence
  readonly cluster: ClusterState | 'unreadable' | 'not checked'
  readonly nextStart: NextStart
}

/** `not visible`: the system does not show processes, or not to us. */
export type Presence = 'running' | 'not running' | 'not visible'

export const symptomsOf = (evidence: Evidence): Symptoms => {
  const lockFile = lockFileSymptom(evidence)
  return {
    directory: evidence.directory.kind,
    lockFile,
    postmaster: postmasterSymptom(evidence),
    status: statusSymptom(evidence),
    crashRestart: evidence.crashRestart,
    startup: presence(evidence, 'startup'),
    checkpointer: presence(evidence, 'checkpointer'),
    cluster: clusterSymptom(evidence),
    // Without PG_VERSION no server can start there; the newest rules are as good as any.
    nextStart: nextStart(evidence.signalFiles, majorVersion(evidence.directory) ?? Infinity),
  }
}

/** Lines that a complete lock file has: PostgreSQL 10 added the eighth. */
const linesWanted = (evidence: Evidence): number => {
  const major = majorVersion(evidence.directory)
  return major !== null && major < 10 ? 7 : 8
}

const lockFileSymptom = (evidence: Evidence): Symptoms['lockFile'] => {
  const { lockFile } = evidence
  switch (lockFile.kind) {
    case 'absent':
    case 'unreadable':
      return lockFile.kind
    case 'invalid':
      return lockFile.fault.kind === 'empty' ? 'incomplete' : 'invalid'
    case 'present':
      if (lockFile.fact.singleUser) return 'single-user'
      return lockFile.fact.lineCount < linesWanted(evidence) ? 'incomplete' : 'complete'
  }
}

const postmasterSymptom = ({ postmaster, children }: Evidence): Symptoms['postmaster'] => {
  switch (postmaster.kind) {
    case 'alive':
      if (postmaster.binaryUpgrade) return 'upgrading'
      // A shell with the pid of a dead postmaster may work in its directory, and have children.
      return postmaster.isServer || hasCheckpointer(children) ? 'alive' : 'not the postmaster'
    case 'signal 0':
      return 'alive'
    case 'stopped':
    case 'not the postmaster':
    case 'invisible':
      return postmaster.kind
    case 'gone':
    case 'zombie':
      return 'gone'
    case 'not checked':
      return 'unknown'
  }
}

const hasCheckpointer = (children: Evidence['children']): boolean =>
  children.kind === 'present' && children.checkpointer !== null

const statusSymptom = ({ lockFile }: Evidence): Symptoms['status'] =>
  lockFile.kind === 'present' ? (lockFile.fact.status ?? 'none') : 'none'

const presence = ({ children }: Evidence, which: 'startup' | 'checkpointer'): Presence => {
  if (children.kind !== 'present') return 'not visible'
  if (children[which] !== null) return 'running'
  return children.titlesIncomplete ? 'not visible' : 'not running'
}

const clusterSymptom = ({ controlCheck, controlFile }: Evidence): Symptoms['cluster'] => {
  if (controlCheck === 'off') return 'not checked'
  return controlFile.kind === 'present' ? controlFile.fact.state : 'unreadable'
}
