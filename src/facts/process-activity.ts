/**
 * Whether a process has run between two readings of its /proc/PID/status.
 *
 * Source: proc_pid_status(5), fs/proc/array.c of Linux.
 */

export type ProcessActivity = {
  /** It waits for an event (S), not for a disk (D). */
  readonly sleeping: boolean
  /** How often it has given up or lost the processor. Unchanged: it has not run since. */
  readonly contextSwitches: number
}

/** Null if the text does not tell, as on a kernel that counts nothing. */
export const decodeProcessActivity = (status: string): ProcessActivity | null => {
  const [, state] = /^State:\t(\w)/m.exec(status) ?? []
  const [, voluntary] = /^voluntary_ctxt_switches:\t(\d+)$/m.exec(status) ?? []
  const [, forced] = /^nonvoluntary_ctxt_switches:\t(\d+)$/m.exec(status) ?? []
  if (state === undefined || voluntary === undefined || forced === undefined) return null
  return { sleeping: state === 'S', contextSwitches: Number(voluntary) + Number(forced) }
}
