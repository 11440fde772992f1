/**
 * What would go wrong at the next start. The server reads signal files only when its startup
 * process starts, so that a file created or removed by hand takes effect at the next restart or the
 * next crash of a backend, which is a restart as well. Also what is unknown about a server that is
 * newer than this program.
 */
import { hasKnownLayout } from '../decode/control-file.ts'
import { newestControlVersion } from '../decode/control-layouts.ts'
import type { Evidence } from './evidence.ts'
import type { Role } from './rules.ts'
import { nextStart } from '../decode/signal-files.ts'
import { majorVersion } from './sightings.ts'

export type Hazard = {
  readonly name:
    | 'standby without signal file'
    | 'primary with standby request'
    | 'primary with recovery request'
    | 'next start fails'
    | 'primary with backup_label'
    | 'unknown control version'
    /** Of peers: see standing.ts. */
    | 'another primary'
    | 'superseded'
  /** What will happen or is wrong, in one sentence without a stop. */
  readonly warning: string
}

/** `role` is null for a server that does not serve. */
export const hazardsOf = (role: Role | null, evidence: Evidence): readonly Hazard[] => [
  ...startHazards(role, evidence),
  ...versionHazards(evidence),
]

/** Also of a server that does not serve, or each of its restarts would end and begin it anew. */
const versionHazards = ({ controlFile }: Evidence): readonly Hazard[] => {
  if (controlFile.kind !== 'present' || hasKnownLayout(controlFile.fact)) return []
  const { controlVersion } = controlFile.fact
  const warning = `control version ${controlVersion} is newer than the newest known, ${newestControlVersion}: timeline and checkpoint are unknown until pg-replstatus is upgraded or --control-check pg_controldata is set`
  return [{ name: 'unknown control version', warning }]
}

/** The signal file of a server that leaves recovery has been removed by the server itself. */
const leavesRecovery = ({ promotion, controlFile }: Evidence): boolean =>
  promotion === 'being checked' ||
  promotion === 'under way' ||
  // The checkpoint that ends recovery: see the rule `recovery ending`.
  (controlFile.kind === 'present' && controlFile.fact.state !== 'in archive recovery')

const startHazards = (role: Role | null, evidence: Evidence): readonly Hazard[] => {
  if (role === null) return []
  const major = majorVersion(evidence.directory) ?? Infinity
  const { signalFiles } = evidence
  const next = nextStart(signalFiles, major)
  const hazards: Hazard[] = []
  if (next === 'fails') {
    const warning = 'recovery.conf is not supported by this version: the next start will fail'
    hazards.push({ name: 'next start fails', warning })
  }
  if (role === 'standby' && next === 'primary' && !leavesRecovery(evidence)) {
    const file = major < 12 ? 'recovery.conf' : 'standby.signal'
    const warning = `${file} is missing: a promotion will fail and shut down the server, and the next restart, or a crash of a backend, will turn this standby into a second primary`
    hazards.push({ name: 'standby without signal file', warning })
  }
  if (role === 'primary' && next === 'standby') {
    const file = major < 12 ? 'recovery.conf' : 'standby.signal'
    const warning = `${file} is present: the next restart, or a crash of a backend, will turn this primary into a standby`
    hazards.push({ name: 'primary with standby request', warning })
  }
  if (role === 'primary' && next === 'recovery') {
    const file = major < 12 ? 'recovery.conf' : 'recovery.signal'
    const warning = `${file} is present: the next restart, or a crash of a backend, will start archive recovery on this primary`
    hazards.push({ name: 'primary with recovery request', warning })
  }
  if (role === 'primary' && signalFiles.backupLabel) {
    const warning =
      'backup_label is present: unless an exclusive backup is running, the next start will recover from the checkpoint in it'
    hazards.push({ name: 'primary with backup_label', warning })
  }
  return hazards
}
