/**
 * What one check found of each file and process. Absence, refusal and damage lead to different
 * decisions, so that each has a value of its own.
 */
import type { TimelineHistory } from '../decode/timeline-history.ts'
import type { PgVersion, Pid, Ticks, UnixMs } from '../units.ts'

/** A file as a look found it. `code` is the system's, such as EACCES or EIO. */
export type Sighting<Fact, Fault> =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly code: string }
  | { readonly kind: 'invalid'; readonly fault: Fault; readonly modified: UnixMs }
  | { readonly kind: 'present'; readonly fact: Fact; readonly modified: UnixMs }

export type DirectorySighting =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly code: string; readonly owner: number | null }
  | { readonly kind: 'not a directory' }
  | {
      readonly kind: 'present'
      /** `device:inode` of what the path leads to. */
      readonly inode: string
      /** User id of the owner. */
      readonly owner: number
      readonly symlink: boolean
      /** Content of PG_VERSION; null when there is none, or it is not a version. */
      readonly version: PgVersion | null
    }

/**
 * `how` an alive postmaster was recognised: its working directory is the data directory; or, if
 * that link may not be read, see identity.ts. `isServer`: its name or its shared memory says that
 * it is PostgreSQL. `signal 0`: it answers signal 0, and /proc does not show it. Either there is no
 * /proc, so that a zombie or an unrelated process with the same pid can't be told from the
 * postmaster; or the process is hidden (hidepid, ProtectProc), and the kernel's table of shared
 * memory says that it created the segment of the lock file.
 */
export type PostmasterSighting =
  | { readonly kind: 'not checked' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'zombie' }
  | { readonly kind: 'stopped'; readonly by: StoppedBy }
  | { readonly kind: 'not the postmaster'; readonly because: string }
  /** It answers signal 0, but is not visible in /proc. */
  | { readonly kind: 'invisible' }
  | {
      readonly kind: 'alive'
      readonly how: 'working directory' | 'shared memory' | 'command line' | 'name and start time'
      readonly started: Ticks
      readonly startedAt: UnixMs
      readonly isServer: boolean
      /** It was started by pg_upgrade (postgres -b). */
      readonly binaryUpgrade: boolean
    }
  | { readonly kind: 'signal 0'; readonly createdSharedMemory: boolean }

/** `freezer`: its control group is frozen, as by docker pause. */
export type StoppedBy = 'signal' | 'tracer' | 'freezer'

export type Child = {
  readonly pid: Pid
  readonly started: Ticks
  readonly startedAt: UnixMs
  /** Process title, such as `postgres: startup recovering 000000010000000000000003`. */
  readonly title: string
}

/** A pid may be given to another process. */
export const isSameProcess = (one: Child, other: Child): boolean =>
  one.pid === other.pid && one.started === other.started

export type ChildrenSighting =
  | { readonly kind: 'not checked' }
  | { readonly kind: 'invisible' }
  | {
      readonly kind: 'present'
      readonly startup: Child | null
      readonly checkpointer: Child | null
      readonly walwriter: Child | null
      readonly walreceiver: Child | null
      /** The youngest backend or walsender whose client has logged in. */
      readonly session: Child | null
      /** Some titles can't be read or may be cut: a child that was not found may exist. */
      readonly titlesIncomplete: boolean
      /** A child without a title yet is old enough to be the startup process. */
      readonly startupUndecided: boolean
    }

/**
 * Of a standby whose signal file is gone: whether pg_wal has the first segment of a new timeline,
 * which a server that leaves recovery makes before it removes the file (XLogInitNewTimeline() in
 * xlog.c, exitArchiveRecovery() up to 14). `being read`: not known yet.
 */
export type PromotionSighting = 'not checked' | 'being checked' | 'none' | 'under way'

/**
 * The history of the timeline that the server is on. `unknown`: the file cannot be read, or does
 * not hold a history.
 */
export type HistorySighting =
  | { readonly kind: 'not checked' }
  | { readonly kind: 'being read' }
  | { readonly kind: 'unknown'; readonly because: string }
  | { readonly kind: 'present'; readonly fact: TimelineHistory }

/** The folder of the write-ahead log, which 10 renamed. */
export const walDirectory = (directory: DirectorySighting): string =>
  (majorVersion(directory) ?? Infinity) < 10 ? 'pg_xlog' : 'pg_wal'

/** PG_VERSION as a number: 10 and newer count whole, 9.x is 9. Null when unknown. */
export const majorVersion = (directory: DirectorySighting): number | null => {
  if (directory.kind !== 'present' || directory.version === null) return null
  return Number.parseInt(directory.version, 10)
}
