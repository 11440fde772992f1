/** All that one look saw of one cluster, unjudged. */
import type { ControlDataFault } from './control-data-report.ts'
import type { ControlFileFault } from './control-file-fault.ts'
import type { ControlFile } from './control-file.ts'
import type { LockFile, LockFileFault } from './lock-file.ts'
import type { SignalFiles } from './recovery-request.ts'
import type {
  ChildrenSighting,
  DirectorySighting,
  PostmasterSighting,
  PromotionSighting,
  Sighting,
} from './sightings.ts'

/** Where the cluster state comes from: our own reader, PostgreSQL's program, or nowhere. */
export type ControlCheck = 'native' | 'pg_controldata' | 'off'

export type Evidence = {
  readonly controlCheck: ControlCheck
  readonly path: string
  readonly directory: DirectorySighting
  readonly lockFile: Sighting<LockFile, LockFileFault>
  readonly postmaster: PostmasterSighting
  readonly children: ChildrenSighting
  /** `absent` also when --control-check is off: see `controlCheck`. */
  readonly controlFile: Sighting<ControlFile, ControlFault>
  readonly signalFiles: SignalFiles
  readonly promotion: PromotionSighting
  /** `ready` may be left over from before a crash: see restart-memory.ts. */
  readonly crashRestart: boolean
}

/** What can go wrong with either source of the cluster state. */
export type ControlFault =
  | { readonly source: 'native'; readonly fault: ControlFileFault }
  | { readonly source: 'pg_controldata'; readonly fault: ControlDataFault | ProgramFault }

/** `message` is the program's first line on stderr, or what kept it from running. */
export type ProgramFault = { readonly kind: 'program failed'; readonly message: string }
