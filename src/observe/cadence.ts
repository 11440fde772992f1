/** How soon to look again, when nobody asks for it and when somebody does. */

/** What the last look leaves open. */
export type Outlook = {
  readonly settled: boolean
  /** Looks in a row that left things unsettled, this one included. */
  readonly unsettledLooks: number
  readonly unsettledForMs: number
  /** What will end it, such as SIGCONT, sends no file event. */
  readonly unheralded: boolean
  /** File events can't be relied on. */
  readonly polling: boolean
}

/** How often files are looked at that send no events. */
export const pollMs = 100

const unsettledMsMax = 20
/** What has been unsettled for long is rather a state than a passage. */
const patienceMs = 10_000
const longUnsettledMs = 250

/**
 * Settled evidence waits for the tick. What can't last is looked at again after 1, 2, 4 ... 20 ms,
 * and after ten seconds of that four times a second if an event will tell when it is over.
 */
export const nextLookMs = (outlook: Outlook, intervalMs: number): number => {
  const tickMs = outlook.polling ? Math.min(intervalMs, pollMs) : intervalMs
  if (outlook.settled) return tickMs
  if (outlook.unsettledForMs > patienceMs && !outlook.unheralded)
    return Math.min(tickMs, longUnsettledMs)
  return Math.min(tickMs, unsettledMsMax, 2 ** (outlook.unsettledLooks - 1))
}

/** What a promotion writes within a millisecond or two is worth a look each. */
const inRowMax = 4
const restMs = 1
/** In a storm that goes on: twenty looks a second, after the first thirty. */
const stormRestMs = 50
const beforeStorm = 30

export type Eagerness = {
  /** To be told when a look begins. */
  readonly began: (now: number) => void
  /** How long a look that is asked for has to wait. */
  readonly waitMs: (now: number) => number
  /** To be told of what is no part of a storm: the next looks need not wait for its end. */
  readonly calm: () => void
}

/**
 * A storm of events must not become one of looks: after a few in a row there is a rest, and after
 * thirty each one has to be earned. A busy standby may write its control file a hundred times a
 * second.
 */
export const createEagerness = (): Eagerness => {
  let lastAt = -Infinity
  let inRow = 0
  let left = beforeStorm
  const leftAt = (now: number): number => Math.min(beforeStorm, left + (now - lastAt) / stormRestMs)
  return {
    began: now => {
      inRow = now - lastAt < restMs ? inRow + 1 : 1
      left = Math.max(0, leftAt(now) - 1)
      lastAt = now
    },
    waitMs: now => {
      const rest = inRow < inRowMax ? 0 : lastAt + restMs - now
      return Math.max(0, rest, (1 - leftAt(now)) * stormRestMs)
    },
    calm: () => {
      left = beforeStorm
    },
  }
}
