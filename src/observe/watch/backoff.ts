/** Repeats what has failed, at increasing intervals. */
import type { Timer, Timers } from '../../facts/timers.ts'

export type BackOff = {
  /** Does it after `msMin`; each further time after twice as long, up to `msMax`. */
  readonly tryLater: () => void
  /** To be called after success: the next wait is `msMin` again. */
  readonly reset: () => void
  readonly cancel: () => void
}

export const createBackOff = (needs: {
  readonly timers: Timers
  readonly msMin: number
  readonly msMax: number
  readonly action: () => void
}): BackOff => {
  const { timers, msMin, msMax, action } = needs
  let waitMs = msMin
  let timer: Timer | null = null
  return {
    tryLater: () => {
      timer?.cancel()
      timer = timers.after(waitMs, action)
      waitMs = Math.min(2 * waitMs, msMax)
    },
    reset: () => {
      waitMs = msMin
    },
    cancel: () => {
      timer?.cancel()
    },
  }
}
