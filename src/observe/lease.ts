/**
 * The lease on what the last look saw: when it ends, and whether we were there to see it end.
 *
 * A process that was stopped, or not given a processor, wakes up to an old snapshot and to the
 * connects that have queued up meanwhile. Nothing is wrong then but that nobody has looked, and a
 * look takes milliseconds: so they are made to wait for it, for `graceMs` at most. Where looks were
 * due and did not end, as on a disk that hangs, nobody waits.
 */
import type { Timer } from '../facts/timers.ts'
import type { MonotonicMs } from '../facts/units.ts'
import type { Clock } from './clock.ts'

export type Lease = {
  /** A look that began then has ended, and with it the lease of the one before. */
  readonly renew: (lookedAt: MonotonicMs) => void
  /** Asked when the lease has expired: whether that is only because we slept. */
  readonly overslept: () => boolean
  /** Resolves when a look has ended, or has not ended in time; null when we are wide awake. */
  readonly waking: () => Promise<void> | null
  readonly close: () => void
}

/** A timer that comes later than this was not held up by other work: the process did not run. */
const sleptMsMin = 50
/** Hundred times what a look takes, and less than any client waits for an answer. */
export const graceMs = 250

export const createLease = (needs: {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly leaseMs: number
  readonly lookAgain: () => void
  /** It has run out, and nothing excuses that. */
  readonly expired: () => void
}): Lease => {
  const { clock, leaseMs, lookAgain, expired } = needs
  let endsAt = Infinity
  let timer: Timer | null = null
  /** Who waits for the first look after a sleep; null when we are awake. */
  let waiting: (() => void)[] | null = null
  let told = false

  const slept = (): boolean => !told && clock.monotonic() - endsAt > sleptMsMin

  const wake = (): void => {
    timer?.cancel()
    timer = clock.after(graceMs, giveUp)
    waiting = []
    lookAgain()
  }
  const giveUp = (): void => {
    told = true
    endWaking()
    expired()
  }
  const endWaking = (): void => {
    const all = waiting ?? []
    waiting = null
    for (const go of all) go()
  }
  const setTimer = (): void => {
    timer = clock.after(Math.max(0, endsAt - clock.monotonic()) + 1, end)
  }
  const end = (): void => {
    // Node counts whole milliseconds, from a whole one: a timer may come almost two too early.
    if (clock.monotonic() <= endsAt) return setTimer()
    if (slept()) return wake()
    told = true
    expired()
  }
  return {
    renew: lookedAt => {
      endsAt = lookedAt + leaseMs
      const isOver = clock.monotonic() > endsAt
      // The look that was under way when we fell asleep: the next one tells.
      if (waiting !== null && isOver) return lookAgain()
      endWaking()
      timer?.cancel()
      // A look that took longer than the lease: that it ran out was told in time.
      told &&= isOver
      if (!told) setTimer()
    },
    overslept: () => {
      if (waiting === null && slept()) wake()
      return waiting !== null
    },
    waking: () => {
      const others = waiting
      return others === null ? null : new Promise(resolve => void others.push(resolve))
    },
    close: () => {
      timer?.cancel()
    },
  }
}
