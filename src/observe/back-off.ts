/** Trying again, ever less often, what does not work for now. */
import type { Timer, Timers } from '../facts/timers.ts'

export type BackOff = {
  /** Does it after `msMin`; after twice as long each further time, up to `msMax`. */
  readonly tryLater: () => void
  /** It worked: begin with `msMin` the next time. */
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
