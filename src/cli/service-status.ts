/**
 * What `systemctl status` shows of us: that we are ready, and the role with its reason.
 *
 * It is told by another program, one at a time and one a second at most. What changes meanwhile
 * is told later, the last state alone; nothing ever waits for it.
 */
import type { Report } from '../facts/event.ts'
import { plainText } from '../facts/foreign-text.ts'
import { fact, type Outcome } from '../facts/outcome.ts'
import type { Timer, Timers } from '../facts/timers.ts'
import type { Verdict } from '../facts/verdict.ts'
import { roleOf } from './log.ts'
import type { Notify } from './systemd-notify.ts'

export type ServiceStatus = {
  /** To be called when all is open: from now on we are ready. */
  readonly start: (verdict: Verdict) => Promise<Outcome<readonly never[], never>>
  /** To be called with each verdict. */
  readonly follow: (verdict: Verdict) => void
  readonly destroy: () => void
}

export const pauseMs = 1000
/** In a row. Without being told that we are ready, systemd ends us and starts another. */
export const triesMax = 10

export const createServiceStatus = (needs: {
  readonly notify: Notify
  readonly timers: Timers
  readonly report: Report
}): ServiceStatus => {
  const { notify, timers, report } = needs
  let phase: 'starting' | 'following' | 'closed' = 'starting'
  let wanted = ''
  let told = ''
  let failures = 0
  let busy = false
  let pause: Timer | null = null

  const tell = async (): Promise<void> => {
    busy = true
    const text = wanted
    const failure = await notify(text)
    if (phase === 'closed') return
    failures = failure === null ? 0 : failures + 1
    if (failures === 0 || failures >= triesMax) told = text
    if (failure !== null) report({ kind: 'notify failed', because: failure })
    pause = timers.after(pauseMs, () => {
      busy = false
      tellNews()
    })
  }

  const tellNews = (): void => {
    if (phase === 'following' && !busy && wanted !== told) void tell()
  }

  return {
    start: async verdict => {
      phase = 'following'
      // What it was told meanwhile is newer.
      if (wanted === '') wanted = statusOf(verdict)
      tellNews()
      return fact([])
    },
    follow: verdict => {
      wanted = statusOf(verdict)
      tellNews()
    },
    destroy: () => {
      phase = 'closed'
      pause?.cancel()
    },
  }
}

/** One line. */
const statusOf = (verdict: Verdict): string => plainText(`${roleOf(verdict)}: ${verdict.because}`)
