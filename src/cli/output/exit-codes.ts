/** Exit codes. Shell scripts and load balancers depend on them. */

/** Of `status`, and of `query` with one address. */
export const exitCodes = {
  primary: 0,
  standby: 1,
  unavailable: 2,
  /** There is no result: wrong usage, no such directory, no permission, port in use. */
  error: 3,
} as const

/** Of `status --expect`, and of `query` with several addresses. */
export const exitAsExpected = 0
export const exitOtherwise = 1

/** Of `status --nagios`: those of every monitoring plugin. */
export const nagiosExitCodes = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const

/** Of `serve` after a signal stopped it, and of --help and --version. */
export const exitDone = 0
