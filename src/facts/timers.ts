/** Timers as an argument, so that tests control the time. */
export type Timer = {
  /** Harmless when the action has run already. */
  readonly cancel: () => void
}

export type Timers = {
  /** Runs `action` once, `ms` milliseconds from now at the earliest. */
  readonly after: (ms: number, action: () => void) => Timer
}
