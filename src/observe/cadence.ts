/** How soon to look again when nobody asks for it. */

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
