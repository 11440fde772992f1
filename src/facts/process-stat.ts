/**
 * /proc/PID/stat: one line that tells whether a process lives, stands still or is a zombie.
 *
 * Source: proc_pid_stat(5) and fs/proc/array.c of Linux.
 */
import { fact, fault, type Outcome } from './outcome.ts'
import type { Pid, Ticks } from './units.ts'

/**
 * `running` stands for every state in which the process makes progress or may at any moment:
 * R, S, D, I, P, K, W and letters yet to be invented. `traced` (t) also flashes up whenever a
 * debugger or strace attaches, so that it means something only when it lasts.
 */
export type ProcessState = 'running' | 'stopped' | 'traced' | 'zombie' | 'dead'

export type ProcessStat = {
  readonly pid: Pid
  /** The command name, at most 15 characters; may itself hold blanks and parentheses. */
  readonly comm: string
  readonly state: ProcessState
  readonly parent: number
  /** Field 22: start time since boot. With the pid it names one process for ever. */
  readonly started: Ticks
}

export type ProcessStatFault = { readonly kind: 'unintelligible'; readonly found: string }

const foundLengthMax = 40

export const decodeProcessStat = (text: string): Outcome<ProcessStat, ProcessStatFault> => {
  // The name is whatever the process calls itself, `a) R (b` included; no field after it can hold
  // a parenthesis, so that the last one closes it.
  const nameEnd = text.lastIndexOf(')')
  const [, pid, comm] = /^([1-9]\d*) \(([^]*)$/.exec(text.slice(0, Math.max(nameEnd, 0))) ?? []
  const [, letter, parent, started] = fieldsAfterName.exec(text.slice(nameEnd + 1)) ?? []
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
    state: namedStates[letter] ?? 'running',
    parent: Number(parent),
    started: Number(started) as Ticks,
  })
}

/**
 * Fields 3 (state), 4 (parent), 17 more that are numbers, and 22 (start time). The blank after it
 * belongs to the form: without it the number may have been cut short.
 */
const fieldsAfterName = /^ ([A-Za-z]) (\d+) (?:-?\d+ ){17}(\d+) /

const namedStates: { readonly [Letter in string]?: ProcessState } = {
  T: 'stopped',
  t: 'traced',
  Z: 'zombie',
  X: 'dead',
  x: 'dead',
}
