/** When the next look begins: by itself, and after an event. */

/** What the last look leaves undecided. */
export type Outlook = {
  readonly settled: boolean
  /** The number of looks in a row with unsettled evidence, this one included. */
  readonly unsettledLooks: number
  readonly unsettledForMs: number
  /** What will end it, such as SIGCONT, causes no file event. */
  readonly endsWithoutEvent: boolean
  /** File events are not reliable. */
  readonly polling: boolean
}

/** The interval between looks where files send no events. */
export const pollMs = 100

const unsettledMsMax = 20
/** After this time it is not expected to be over within milliseconds. */
const briefMs = 10_000
const longUnsettledMs = 250

/**
 * Settled evidence waits for the tick. What can't last is looked at again after 1, 2, 4 ... 20 ms,
 * and after ten seconds of that four times a second if an event will announce the end.
 */
export const nextLookMs = (outlook: Outlook, intervalMs: number): number => {
  const tickMs = outlook.polling ? Math.min(intervalMs, pollMs) : intervalMs
  if (outlook.settled) return tickMs
  if (outlook.unsettledForMs > briefMs && !outlook.endsWithoutEvent)
    return Math.min(tickMs, longUnsettledMs)
  return Math.min(tickMs, unsettledMsMax, 2 ** (outlook.unsettledLooks - 1))
}

/** While events go on and on: twenty looks a second, after the first thirty. */
const stormRestMs = 50
const burstMax = 30

export type RateLimit = {
  /** To be called when a look begins. */
  readonly began: (now: number) => void
  /** How long the next look has to wait. */
  readonly waitMs: (now: number) => number
  /** To be called for what is no part of a storm: the next looks need not wait for its end. */
  readonly reset: () => void
}

/**
 * A storm of events must not become one of looks: a busy standby may write its control file a
 * hundred times a second. A token bucket: a burst of looks, as a promotion needs them, uses it up.
 */
export const createRateLimit = (): RateLimit => {
  let lastAt = -Infinity
  let left = burstMax
  const leftAt = (now: number): number => Math.min(burstMax, left + (now - lastAt) / stormRestMs)
  return {
    began: now => {
      left = Math.max(0, leftAt(now) - 1)
      lastAt = now
    },
    waitMs: now => Math.max(0, (1 - leftAt(now)) * stormRestMs),
    reset: () => {
      left = burstMax
    },
  }
}
