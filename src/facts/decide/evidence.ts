/** All that one check found of one cluster, without a decision. */
import type { ControlDataFault } from '../decode/pg-controldata-report.ts'
import type { ControlFileFault } from '../decode/control-file-fault.ts'
import type { ControlFile } from '../decode/control-file.ts'
import type { LockFile, LockFileFault } from '../decode/lock-file.ts'
import type { SignalFiles } from '../decode/signal-files.ts'
import type {
  ChildrenSighting,
  DirectorySighting,
  HistorySighting,
  PostmasterSighting,
  PromotionSighting,
  Sighting,
} from './sightings.ts'
import type { Lsn } from '../units.ts'

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
  readonly timelineHistory: HistorySighting
  /**
   * The end of the write-ahead log, to a page: written by a primary, received by a standby. Null if
   * it is not known; checks do not read it.
   */
  readonly walPosition: Lsn | null
  /** `ready` may be left over from before a crash: see crash-restart.ts. */
  readonly crashRestart: boolean
}

/** What can go wrong with either source of the cluster state. */
export type ControlFault =
  | { readonly source: 'native'; readonly fault: ControlFileFault }
  | { readonly source: 'pg_controldata'; readonly fault: ControlDataFault | ProgramFault }

/** `message` is the program's first line on stderr, or what kept it from running. */
export type ProgramFault = { readonly kind: 'program failed'; readonly message: string }
