/**
 * The processes on which an answer depends, held between two checks.
 *
 * No file event covers a postmaster killed or stopped, nor the first moments of a crash restart,
 * in which no file has changed yet. So these are checked before each answer: without the disk or a
 * system call that can wait, in a few microseconds.
 */
import type { ProcessStat, ProcessState } from '../../facts/decode/process-stat.ts'
import { meansShortage } from '../../facts/outcome.ts'
import type { Pulse } from '../../facts/decide/snapshot.ts'
import type { Pid } from '../../facts/units.ts'
import type { Clock } from '../system/clock.ts'
import type { Freezer } from './freezer.ts'
import type { ProcessHandle, ProcessTable } from './process-table.ts'
import { errorCode } from '../system/system-error.ts'

/** What the pulse needs of a process. */
export type VitalHandle = {
  readonly pid: Pid
  readonly read: () => Pick<ProcessStat, 'state'> | 'gone'
}

export type VitalSigns = {
  readonly postmaster: VitalHandle | null
  readonly checkpointer: ProcessHandle | null
  /** Of the postmaster's control group; null without a postmaster. */
  readonly freezer: Pick<Freezer, 'isFrozen'> | null
}

export const noVitalSigns: VitalSigns = { postmaster: null, checkpointer: null, freezer: null }

const steady: Pulse = { kind: 'steady' }

/**
 * A stopped checkpointer still lets the server serve; a traced postmaster is judged by the looks,
 * because a debugger that attaches flashes that state on a server in perfect health.
 */
export const takePulse = ({ postmaster, checkpointer, freezer }: VitalSigns): Pulse => {
  if (postmaster !== null) {
    const stat = livingStat(postmaster)
    if (stat === null) return lost(`postmaster pid ${postmaster.pid} is gone`)
    if (stat.state === 'stopped') return lost(`postmaster pid ${postmaster.pid} is stopped`)
    if (freezer?.isFrozen() === true) return lost(`postmaster pid ${postmaster.pid} is frozen`)
  }
  if (checkpointer !== null && livingStat(checkpointer) === null) {
    return lost(
      `checkpointer pid ${checkpointer.pid} is gone: a crash restart or the end of the server`,
    )
  }
  return steady
}

/** Null when the process is gone, dying, or dead and not yet reaped. */
export const livingStat = <Stat extends Pick<ProcessStat, 'state'>>(handle: {
  readonly read: () => Stat | 'gone'
}): Stat | null => ifLiving(handle.read())

export const ifLiving = <Stat extends Pick<ProcessStat, 'state'>>(
  stat: Stat | 'gone',
): Stat | null => (stat === 'gone' || lifeless.includes(stat.state) ? null : stat)

const lifeless: readonly ProcessState[] = ['exiting', 'zombie', 'dead']

/** Where /proc does not show a process, signal 0 shows whether it exists. */
export const holdBySignal = (table: ProcessTable, pid: Pid): VitalHandle => ({
  pid,
  read: () => (table.answersSignal(pid) ? { state: 'running' } : 'gone'),
})

const lost = (what: string): Pulse => ({ kind: 'lost', lost: what })

/** A pulse counts for this long: in a flood of connections it is not taken for each. */
const pulseCountsMs = 1

/**
 * Takes the pulse at most once a millisecond for the same vital signs. In a shortage of memory it
 * reports nothing, and the last check counts until its lease ends.
 */
export const createPulse = (clock: Pick<Clock, 'monotonic'>): ((vitals: VitalSigns) => Pulse) => {
  let last: { vitals: VitalSigns; pulse: Pulse; takenAt: number } | null = null
  return vitals => {
    const now = clock.monotonic()
    if (last === null || last.vitals !== vitals || now - last.takenAt >= pulseCountsMs) {
      last = { vitals, pulse: takePulseOrNone(vitals), takenAt: now }
    }
    return last.pulse
  }
}

const takePulseOrNone = (vitals: VitalSigns): Pulse => {
  try {
    return takePulse(vitals)
  } catch (error) {
    if (!meansShortage(errorCode(error))) throw error
    return steady
  }
}

/** Holds the handle of the process that has a role at present, such as the postmaster. */
export type Slot = {
  /** The handle for `pid`: the one held if it is still that process, else a new one. */
  readonly hold: (pid: Pid) => Held | 'gone' | 'invisible'
  readonly drop: () => void
}

/** `stat` is what the handle returned just now. */
export type Held = { readonly handle: ProcessHandle; readonly stat: ProcessStat | 'gone' }

export const createSlot = (table: ProcessTable): Slot => {
  let held: ProcessHandle | null = null
  const drop = (): void => {
    held?.close()
    held = null
  }
  return {
    hold: pid => {
      const stat = held?.pid === pid ? held.read() : 'gone'
      if (held !== null && stat !== 'gone') return { handle: held, stat }
      drop()
      const opened = table.open(pid)
      if (typeof opened === 'string') return opened
      held = opened
      return { handle: opened, stat: opened.read() }
    },
    drop,
  }
}
