/**
 * Noticing a crash restart, which the files hide.
 *
 * When a backend dies badly, the postmaster kills all its children, makes new shared memory and
 * recovers, under the same pid and with line 8 still `ready`. Two things betray it: the SysV id on
 * line 7 changes, and a startup process appears that was born after the lock file was last
 * written. The lock file is written once more when the server serves again, so that a write later
 * than that of the new id ends the suspicion.
 *
 * Source: PostmasterStateMachine() and reaper() in postmaster.c, PostgreSQL 10 to 18.
 */
import type { LockFile } from './lock-file.ts'
import type { Child, ChildrenSighting } from './sightings.ts'
import type { Pid, Ticks, UnixMs, UnixSeconds } from './units.ts'

export type RestartMemory = {
  readonly pid: Pid
  readonly startTime: UnixSeconds | null
  readonly sharedMemoryId: number | null
  /**
   * When the lock file was written that has to be followed by another before `ready` is believed
   * again; null when nothing is suspected. `first sight`: suspected only because we came too late
   * to know; `new id`: the id changed before our eyes.
   */
  readonly suspicion: Suspicion | null
  /** Wall clock less monotonic clock: jumps when the clock is set. */
  readonly clockOffsetMs: number
}

export type Suspicion = {
  readonly kind: 'first sight' | 'new id'
  /** As the file is stamped. */
  readonly written: UnixMs
  /**
   * The same by the clock as it is set now; null when the clock was set around that time, so that
   * there is no telling by which one the file was stamped.
   */
  readonly writtenAt: UnixMs | null
}

/** Two readings of clocks in a row are never this far apart, and births are told to 10 ms. */
const clockSetByMs = 5

/** What a look brings along. */
export type Remembered = {
  readonly lockFile: LockFile
  /** The lock file's time of last modification. */
  readonly written: UnixMs
  /** Wall clock less monotonic clock at the time of the look. */
  readonly clockOffsetMs: number
}

/** Carries the memory over one look; the same object when there is nothing new. */
export const remember = (before: RestartMemory | null, now: Remembered): RestartMemory => {
  if (before === null) return carry(null, now, now.written)
  const setByMs = now.clockOffsetMs - before.clockOffsetMs
  const isSet = Math.abs(setByMs) >= clockSetByMs
  if (isSet) return carry(rebase(before, setByMs), now, null)
  // A clock that is only slewed makes no news.
  return carry(before, { ...now, clockOffsetMs: before.clockOffsetMs }, now.written)
}

const rebase = (memory: RestartMemory, setByMs: number): RestartMemory => {
  const { suspicion, clockOffsetMs } = memory
  return {
    ...memory,
    clockOffsetMs: clockOffsetMs + setByMs,
    suspicion:
      suspicion === null || suspicion.writtenAt === null
        ? suspicion
        : { ...suspicion, writtenAt: (suspicion.writtenAt + setByMs) as UnixMs },
  }
}

/** `writtenAt`: what a new suspicion may go by. */
const carry = (
  before: RestartMemory | null,
  { lockFile, written, clockOffsetMs }: Remembered,
  writtenAt: UnixMs | null,
): RestartMemory => {
  const { pid, startTime, sharedMemory } = lockFile
  const samePostmaster = before !== null && before.pid === pid && before.startTime === startTime
  // A line 7 that is empty for a while must not make us forget the id that the next is to be
  // compared with, nor what is suspected.
  const sharedMemoryId = sharedMemory?.id ?? (samePostmaster ? before.sharedMemoryId : null)
  const now = { pid, startTime, sharedMemoryId, clockOffsetMs }
  if (!samePostmaster || before.sharedMemoryId === null) {
    // An id that was not there yet is a postmaster coming up, whose `ready` is still to be written.
    const comingUp = lockFile.status !== 'ready'
    return { ...now, suspicion: comingUp ? null : { kind: 'first sight', written, writtenAt } }
  }
  if (before.sharedMemoryId !== sharedMemoryId) {
    return { ...now, suspicion: { kind: 'new id', written, writtenAt } }
  }
  const writtenSince = before.suspicion !== null && before.suspicion.written !== written
  return writtenSince ? { ...now, suspicion: null } : before
}

/** A startup process this soon after its postmaster is the first one: no crash has come between. */
const firstStartupWithinTicks = 100
/** /proc tells start times to 10 ms and file times tick at 4 ms; twice that is beyond doubt. */
const clearlyAfterMs = 20

/**
 * Whether `ready` may be left over from before a crash. Asked only while the postmaster lives.
 *
 * On a primary there is nothing to wait for once the startup process is gone and the WAL writer,
 * which runs only in normal operation, is there; a child that can't be told yet, such as a
 * background worker of an extension, is no startup process then. On a standby the startup process
 * stays; then the lock file written clearly after its birth, or a WAL receiver, which is started
 * only when all local WAL has been replayed, tell that recovery has come to consistency.
 *
 * Whoever comes too late believes in a first startup process, but only while it is `recovering`
 * and may go on so for ever. With any other cluster state it ends soon, and then the lock file is
 * written again; the same is seen when a server crashes within a second of its start.
 */
export const crashRestartUnderWay = (
  memory: RestartMemory,
  children: ChildrenSighting,
  { postmasterStarted, recovering }: { postmasterStarted: Ticks | null; recovering: boolean },
): boolean => {
  const { suspicion } = memory
  if (suspicion === null) return false
  if (children.kind !== 'seen') return suspicion.kind === 'new id'
  const { startup, walwriter, walreceiver } = children
  if (startup === null) {
    if (walwriter !== null) return false
    return children.startupUndecided || suspicion.kind === 'new id'
  }
  if (walreceiver !== null || isClearlyAfter(suspicion, startup)) return false
  const firstStartup =
    postmasterStarted !== null && startup.started - postmasterStarted <= firstStartupWithinTicks
  return !(suspicion.kind === 'first sight' && firstStartup && recovering)
}

const isClearlyAfter = ({ writtenAt }: Suspicion, { startedAt }: Child): boolean =>
  writtenAt !== null && writtenAt - startedAt > clearlyAfterMs
