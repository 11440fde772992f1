/**
 * What one look found of each thing it looked at. Absence, refusal and damage are three different
 * things to whoever decides, so each is said.
 */
import type { Pid, Ticks, UnixMs } from './units.ts'

/** A file as a look found it. `code` is the system's, such as EACCES or EIO. */
export type Sighting<Fact, Fault> =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly code: string }
  | { readonly kind: 'fault'; readonly fault: Fault; readonly modified: UnixMs }
  | { readonly kind: 'seen'; readonly fact: Fact; readonly modified: UnixMs }

export type DirectorySighting =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly code: string; readonly owner: number | null }
  | { readonly kind: 'not a directory' }
  | {
      readonly kind: 'seen'
      /** `device:inode` of what the path leads to. */
      readonly inode: string
      /** User id of the owner. */
      readonly owner: number
      readonly symlink: boolean
      /** Content of PG_VERSION, such as `15` or `9.6`; null when there is none. */
      readonly version: string | null
    }

/**
 * `how` an alive postmaster was recognised: its working directory is the data directory, or, where
 * that link may not be read, by name and start time. `signal 0`: there is no /proc here, so that a
 * zombie or a stranger with the same pid can't be told from the postmaster.
 */
export type PostmasterSighting =
  | { readonly kind: 'not looked for' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'zombie' }
  | { readonly kind: 'stopped'; readonly by: 'signal' | 'tracer' }
  | { readonly kind: 'stranger'; readonly because: string }
  /** It answers signal 0, but /proc does not show it to us. */
  | { readonly kind: 'invisible' }
  | {
      readonly kind: 'alive'
      readonly how: 'working directory' | 'name and start time'
      readonly started: Ticks
      readonly startedAt: UnixMs
    }
  | { readonly kind: 'signal 0' }

export type Child = {
  readonly pid: Pid
  readonly started: Ticks
  readonly startedAt: UnixMs
  /** Process title, such as `postgres: startup recovering 000000010000000000000003`. */
  readonly title: string
}

/** A number may come round to another process. */
export const isSameProcess = (one: Child, other: Child): boolean =>
  one.pid === other.pid && one.started === other.started

export type ChildrenSighting =
  | { readonly kind: 'not looked for' }
  | { readonly kind: 'invisible' }
  | {
      readonly kind: 'seen'
      readonly startup: Child | null
      readonly checkpointer: Child | null
      readonly walwriter: Child | null
      readonly walreceiver: Child | null
      /** A child without a title yet is old enough to be the startup process. */
      readonly startupUndecided: boolean
    }

/**
 * Of a standby whose signal file is gone: whether pg_wal has the first segment of a new timeline,
 * which a server that leaves recovery makes before it removes the file (XLogInitNewTimeline() in
 * xlog.c, exitArchiveRecovery() up to 14). `being read`: not known yet.
 */
export type PromotionSighting = 'not looked for' | 'being read' | 'none' | 'under way'

/** PG_VERSION as a number: 10 and newer count whole, 9.x is 9. Null when unknown. */
export const majorVersion = (directory: DirectorySighting): number | null => {
  if (directory.kind !== 'seen' || directory.version === null) return null
  const major = Number.parseInt(directory.version, 10)
  return Number.isNaN(major) ? null : major
}
