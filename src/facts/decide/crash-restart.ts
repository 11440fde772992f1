/**
 * Detects a crash restart, which the files do not show.
 *
 * When a backend dies badly, the postmaster ends all its children, makes new shared memory and
 * recovers, under the same pid and with line 8 still `ready`. Line 7 gets the new shared memory id
 * just before the startup process is forked, and the lock file is written once more when the server
 * accepts logins again. So `ready` is in doubt if the id has changed since the last check, and at
 * the first check, which may be later than that. The next write of the lock file ends a doubt;
 * other signs of a server that accepts logins are in weighDoubt(). A WAL receiver is none of them:
 * a standby starts it when all local WAL is replayed, and goes on refusing logins for as long as
 * its snapshot of running transactions is incomplete (more than 64 subtransactions open on the
 * primary).
 *
 * Source: PostmasterStateMachine() and reaper() in postmaster.c, PostgreSQL 10 to 19.
 */
import type { Evidence } from './evidence.ts'
import type { LockFile } from '../decode/lock-file.ts'
import { nextStart } from '../decode/signal-files.ts'
import { majorVersion, type Child, type ChildrenSighting } from './sightings.ts'
import type { MonotonicMs, Pid, UnixMs, UnixSeconds } from '../units.ts'

export type RestartMemory = {
  readonly pid: Pid
  readonly startTime: UnixSeconds | null
  readonly sharedMemoryId: number | null
  /** Null if `ready` on line 8 is to be believed. */
  readonly doubt: Doubt | null
  /** Wall clock less monotonic clock: jumps when the clock is set. */
  readonly clockOffsetMs: number
}

export type Doubt = {
  /** `new id`: the shared memory id has changed since an earlier check. */
  readonly kind: 'first sight' | 'new id'
  /** Time of the write of the lock file that the next one has to differ from. */
  readonly written: UnixMs
  readonly since: MonotonicMs
  /** As of the check before that write, so that a later jump is noticed. */
  readonly clockOffsetMs: number
}

/** Two readings of clocks in a row are never this far apart. */
const clockSetByMs = 5

const wasClockSet = (one: ClockReading, other: ClockReading): boolean =>
  Math.abs(one.clockOffsetMs - other.clockOffsetMs) >= clockSetByMs

type ClockReading = Pick<RestartMemory, 'clockOffsetMs'>

/** What a check read of the lock file, and when. */
export type Remembered = {
  readonly lockFile: LockFile
  /** The lock file's time of last modification. */
  readonly written: UnixMs
  readonly now: MonotonicMs
  readonly clockOffsetMs: number
}

/** Carries the memory over one check; the same object if there is nothing new. */
export const remember = (before: RestartMemory | null, seen: Remembered): RestartMemory => {
  const { lockFile, written, now, clockOffsetMs } = seen
  const { pid, startTime, sharedMemory } = lockFile
  const samePostmaster = before !== null && before.pid === pid && before.startTime === startTime
  // Line 7 may be empty for a while: then the next id is compared with the one before.
  const sharedMemoryId = sharedMemory?.id ?? (samePostmaster ? before.sharedMemoryId : null)
  const next = { pid, startTime, sharedMemoryId, clockOffsetMs }
  const doubtOf = (kind: Doubt['kind']): Doubt => {
    return { kind, written, since: now, clockOffsetMs: (before ?? seen).clockOffsetMs }
  }
  if (!samePostmaster || before.sharedMemoryId === null) {
    // An id that was not there yet is a postmaster coming up, whose `ready` is still to be written.
    return { ...next, doubt: lockFile.status === 'ready' ? doubtOf('first sight') : null }
  }
  if (before.sharedMemoryId !== sharedMemoryId) return { ...next, doubt: doubtOf('new id') }
  const writtenSince = before.doubt !== null && before.doubt.written !== written
  const doubt = writtenSince ? null : before.doubt
  return writtenSince || wasClockSet(before, seen) ? { ...next, doubt } : before
}

/** What else a check saw. */
export type Surroundings = {
  readonly evidence: Pick<
    Evidence,
    'postmaster' | 'children' | 'controlCheck' | 'controlFile' | 'signalFiles' | 'directory'
  >
  readonly now: MonotonicMs
  /** How old the startup process is, and for how long it has not run at all. */
  readonly startupAgeMs: number
  readonly startupRestedMs: number
}

/** In archive recovery, as far as is known: what comes of it can only be a standby. */
const isRecovering = ({ evidence }: Surroundings): boolean => {
  const { controlCheck, controlFile, signalFiles, directory } = evidence
  if (controlCheck !== 'off')
    return controlFile.kind === 'present' && controlFile.fact.state === 'in archive recovery'
  const next = nextStart(signalFiles, majorVersion(directory) ?? Infinity)
  return next === 'standby' || next === 'recovery'
}

export type Weighed = {
  /** Without a doubt that proved groundless. */
  readonly memory: RestartMemory
  readonly underWay: boolean
}

/** Whether `ready` may be left over from before a crash. */
export const weighDoubt = (memory: RestartMemory, surroundings: Surroundings): Weighed => {
  const { doubt } = memory
  const { children } = surroundings.evidence
  if (doubt === null || children.kind === 'not checked') return { memory, underWay: false }
  const settled: Weighed = { memory: { ...memory, doubt: null }, underWay: false }
  const weighed = (outcome: Outcome): Weighed =>
    outcome === 'groundless' ? settled : { memory, underWay: true }
  const byFileTimes = (): Weighed => weighed(weighUnseen(doubt, surroundings))
  if (children.kind === 'invisible') return byFileTimes()
  const { startup, walwriter } = children
  if (startup !== null) {
    const order = orderOf(memory, doubt, startup, surroundings)
    return weighed(weighBesideStartup({ doubt, order, startup, children }, surroundings))
  }
  // It runs only in normal operation. A child that can't be told yet is no startup process then.
  if (walwriter !== null) return settled
  if (children.titlesIncomplete) return byFileTimes()
  // At first sight it may be between the end of the children and the new startup process.
  return { memory, underWay: doubt.kind === 'new id' || children.startupUndecided }
}

type Outcome = 'groundless' | 'under way'

/** A startup process that starts this soon after its postmaster is the first one: no crash yet. */
const firstStartupWithinTicks = 100
/** After that long without a sign either way a standby is believed. */
const doubtMsMax = 60_000
/** A startup process that replays WAL runs all the time, or waits for a disk (state D). */
const restedMsMin = 500

/** When the lock file was written: before or after the birth of the startup process. */
type Order = 'before' | 'after' | 'unknown'

type Case = {
  readonly doubt: Doubt
  readonly order: Order
  readonly startup: Child
  readonly children: Extract<ChildrenSighting, { kind: 'present' }>
}

/**
 * A startup process is there: a crash restart, or a standby, or the last moment of a promotion.
 *
 * Whether `ready` was written before or after the birth of that process decides, if times can be
 * compared. A session younger than it is proof that logins are accepted. If these are not
 * conclusive (`ready` came within 20 ms of the birth, the clock was set, file times are in whole
 * seconds), a standby is assumed to accept logins when the startup process is idle, having replayed
 * all WAL, or after a minute. This never makes a primary: see isRecovering().
 */
const weighBesideStartup = (
  { doubt, order, startup, children }: Case,
  around: Surroundings,
): Outcome => {
  const { evidence, startupAgeMs, startupRestedMs } = around
  const { postmaster } = evidence
  if (order === 'after') return 'groundless'
  const { session, walreceiver } = children
  if (session !== null && session.started >= startup.started) return 'groundless'
  if (!isRecovering(around)) return 'under way'
  // With any other cluster state recovery ends soon, and then the lock file is written again.
  const firstStartup =
    postmaster.kind === 'alive' && startup.started - postmaster.started <= firstStartupWithinTicks
  if (doubt.kind === 'first sight' && firstStartup) return 'groundless'
  // Of a new id seen at once the times would have told.
  const isKnown = order === 'before' || doubt.kind === 'new id'
  if (isKnown && !isWholeSecond(doubt.written)) return 'under way'
  // A receiver that gets nothing lets the startup process rest, too, while logins are refused.
  if (walreceiver === null && startupRestedMs >= restedMsMin) return 'groundless'
  return startupAgeMs >= doubtMsMax ? 'groundless' : 'under way'
}

/** /proc has start times rounded down to 10 ms, and file times tick at up to 10 ms. */
const startRoundedMs = 10
const clearlyAfterMs = 20
const clearlyBeforeMs = 10

/**
 * The time of birth is that of the process or, if that is too close, that of the control file,
 * which the startup process writes when recovery begins. It has to be later than the rounding: a
 * checkpoint may have written the file just before the crash.
 */
const orderOf = (
  memory: RestartMemory,
  doubt: Doubt,
  { startedAt }: Child,
  { evidence: { postmaster, controlFile } }: Surroundings,
): Order => {
  if (wasClockSet(memory, doubt) || !isClockSteady(memory, postmaster)) return 'unknown'
  const { written } = doubt
  if (written - startedAt > clearlyAfterMs) return 'after'
  if (startedAt - written > clearlyBeforeMs) return 'before'
  if (controlFile.kind !== 'present') return 'unknown'
  const { modified } = controlFile
  const isOfStartup = modified - startedAt > startRoundedMs
  return isOfStartup && modified < written ? 'after' : 'unknown'
}

/** The lock file has the start in whole seconds, taken some 100 ms after the fork. */
const startTimesApartMsMax = 2000

/** Start times are computed from the clock of now, file times come from the clock of then. */
const isClockSteady = ({ startTime }: RestartMemory, postmaster: Evidence['postmaster']): boolean =>
  startTime !== null &&
  postmaster.kind === 'alive' &&
  Math.abs(postmaster.startedAt - startTime * 1000) <= startTimesApartMsMax

/** As file systems with coarse times have it. */
const isWholeSecond = (ms: UnixMs): boolean => ms % 1000 === 0

/** The end of recovery is written to the control file first, and to the lock file at once. */
const readyAfterProductionMsMax = 2000

/**
 * Children are not visible or not identified. The order of two file times then shows whether a
 * primary has ended its recovery: "in production" was written after the new id, or just before
 * `ready`. In a crash restart it is as old as the last checkpoint before the crash.
 */
const weighUnseen = ({ kind, written, since }: Doubt, around: Surroundings): Outcome => {
  const { controlFile } = around.evidence
  if (controlFile.kind === 'present' && controlFile.fact.state === 'in production') {
    const aheadMs = written - controlFile.modified
    const isOver = aheadMs < 0 || (kind === 'first sight' && aheadMs <= readyAfterProductionMsMax)
    return isOver ? 'groundless' : 'under way'
  }
  if (kind === 'first sight') return 'groundless'
  return isRecovering(around) && around.now - since >= doubtMsMax ? 'groundless' : 'under way'
}
