/**
 * Waiting for something outside that sends no event: a bounded poll.
 */
import { setTimeout as sleep } from 'node:timers/promises'

type Waiting = {
  /** Ends the error message "waited N ms for ...". */
  readonly what: string
  readonly limitMs?: number
  readonly everyMs?: number
}

/** Asks until the answer is true; throws when the limit is over. */
export const until = async (
  condition: () => boolean | Promise<boolean>,
  { what, limitMs = 30_000, everyMs = 10 }: Waiting,
): Promise<void> => {
  const giveUpAt = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`waited ${limitMs} ms for ${what}`)
    await sleep(everyMs)
  }
}

/** The promise's value, or an error when it takes longer than the limit. */
export const within = async <Value>(
  promise: Promise<Value>,
  { what, limitMs = 30_000 }: Waiting,
): Promise<Value> => {
  const over = new AbortController()
  const expired = sleep(limitMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`waited ${limitMs} ms for ${what}`)
  })
  // Aborting the timer rejects it after the race has been won, when nobody listens any more.
  expired.catch(() => undefined)
  try {
    return await Promise.race([promise, expired])
  } finally {
    over.abort()
  }
}
