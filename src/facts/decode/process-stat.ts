/**
 * /proc/PID/stat and /proc/PID/status: whether a process lives, is stopped or is a zombie, and
 * whether it has run between two readings.
 *
 * Source: proc_pid_stat(5), proc_pid_status(5) and fs/proc/array.c of Linux.
 */
import { fact, fault, type Outcome } from '../outcome.ts'
import type { Pid, Ticks } from '../units.ts'

/**
 * `running` is every state in which the process makes progress or may at any moment:
 * R, S, D, I, P, K, W and letters yet to be invented. `traced` (t) also flashes up whenever a
 * debugger or strace attaches, so that it means something only when it lasts. `exiting`: the kernel
 * has begun to take the process apart. It runs no code any more, but shows as R, and its port still
 * accepts connections, until its memory is released: seen up to 17 ms before the Z.
 */
export type ProcessState = 'running' | 'stopped' | 'traced' | 'exiting' | 'zombie' | 'dead'

export type ProcessStat = {
  readonly pid: Pid
  /** The command name, at most 15 characters; may itself hold blanks and parentheses. */
  readonly comm: string
  readonly state: ProcessState
  readonly parent: number
  /** Field 22: start time since boot. With the pid it names one process for ever. */
  readonly started: Ticks
  /**
   * Bytes for arguments and environment, which is all the room that a process title has; null if
   * the kernel does not show it to this process (another user or group).
   */
  readonly titleRoom: number | null
}

export type ProcessStatFault = { readonly kind: 'unintelligible'; readonly found: string }

const foundLengthMax = 40

export const decodeProcessStat = (text: string): Outcome<ProcessStat, ProcessStatFault> => {
  // The name is whatever the process calls itself, `a) R (b` included; no field after it can hold
  // a parenthesis, so that the last one closes it.
  const nameEnd = text.lastIndexOf(')')
  const [, pid, comm] = /^([1-9]\d*) \(([^]*)$/.exec(text.slice(0, Math.max(nameEnd, 0))) ?? []
  const [, letter, parent, flags, started, roomStart, roomEnd] =
    fieldsAfterName.exec(text.slice(nameEnd + 1)) ?? []
  if (
    pid === undefined ||
    comm === undefined ||
    letter === undefined ||
    parent === undefined ||
    started === undefined
  ) {
    return fault({ kind: 'unintelligible', found: text.slice(0, foundLengthMax) })
  }
  return fact({
    pid: Number(pid) as Pid,
    comm,
    state: namedStates[letter] ?? (isExiting(Number(flags)) ? 'exiting' : 'running'),
    parent: Number(parent),
    started: Number(started) as Ticks,
    titleRoom: roomOf(Number(roomStart), Number(roomEnd)),
  })
}

/**
 * Fields 3 (state), 4 (parent), 9 (flags) and 22 (start time); and, from Linux 3.5 on, 48
 * (arg_start) and 51 (env_end). The blank after the start time belongs to the form: without it the
 * number may have been cut short.
 */
const fieldsAfterName =
  /^ ([A-Za-z]) (\d+) (?:-?\d+ ){4}(\d+) (?:-?\d+ ){12}(\d+) (?:(?:-?\d+ ){25}(\d+) \d+ \d+ (\d+) )?/

/** PF_EXITING in include/linux/sched.h. */
const isExiting = (flags: number): boolean => (flags & 0x4) !== 0

/** The environment follows the arguments, and PostgreSQL uses both (save_ps_display_args()). */
const roomOf = (start: number, end: number): number | null => (end > start ? end - start : null)

const namedStates: { readonly [Letter in string]?: ProcessState } = {
  T: 'stopped',
  t: 'traced',
  Z: 'zombie',
  X: 'dead',
  x: 'dead',
}

export type ProcessActivity = {
  /** It waits for an event (S), not for a disk (D). */
  readonly sleeping: boolean
  /** How often it has given up or lost the processor. Unchanged: it has not run since. */
  readonly contextSwitches: number
}

/** From /proc/PID/status. Null without these counts, as on a kernel that does not keep them. */
export const decodeProcessActivity = (status: string): ProcessActivity | null => {
  const [, state] = /^State:\t(\w)/m.exec(status) ?? []
  const [, voluntary] = /^voluntary_ctxt_switches:\t(\d+)$/m.exec(status) ?? []
  const [, forced] = /^nonvoluntary_ctxt_switches:\t(\d+)$/m.exec(status) ?? []
  if (state === undefined || voluntary === undefined || forced === undefined) return null
  return { sleeping: state === 'S', contextSwitches: Number(voluntary) + Number(forced) }
}
