/**
 * What `systemctl status` shows of us: that we are ready, or reading the configuration again, and
 * the role with its reason, or of several clusters how many have which.
 *
 * It is told by another program, one at a time, and of changes one a second at most. What changes
 * meanwhile is told later, the last state alone; nothing ever waits for it.
 */
import type { Report } from '../facts/event.ts'
import { plainText } from '../facts/foreign-text.ts'
import type { Timer, Timers } from '../facts/timers.ts'
import type { Verdict } from '../facts/verdict.ts'
import { roleOf } from './log.ts'
import type { Notice, Notify } from './systemd-notify.ts'

export type ServiceStatus = {
  /** To be called with each verdict on a cluster; null when it is served no more. */
  readonly follow: (cluster: string | null, verdict: Verdict | null) => void
  /** To be called when all is open, at the start and after each reload. */
  readonly ready: () => void
  /** To be called when a reload begins. */
  readonly reloading: () => void
  readonly destroy: () => void
}

export const pauseMs = 1000
/** In a row. Without being told that we are ready, systemd ends us and starts another. */
export const triesMax = 10

export const createServiceStatus = (needs: {
  /** Null when nobody wants to know. */
  readonly notify: Notify | null
  readonly timers: Timers
  readonly report: Report
}): ServiceStatus => {
  const { notify, timers, report } = needs
  const verdicts = new Map<string | null, Verdict>()
  let phase: 'starting' | 'ready' | 'reloading' | 'closed' = 'starting'
  let reloadUntold = false
  /** Null as long as systemd does not take us for ready. */
  let told: string | null = null
  let failures = 0
  let busy = false
  let pause: Timer | null = null

  const tell = async (by: Notify, notice: Notice): Promise<void> => {
    busy = true
    // Of an attempt that is repeated the first failure is told.
    const awaited = told === null && failures === 0
    const failure = await by(notice)
    if (phase === 'closed') return
    if (failure !== null) report({ kind: 'notify failed', because: failure, awaited })
    if (notice.kind === 'reloading') return goOn()
    failures = failure === null ? 0 : failures + 1
    if (failures === 0 || failures >= triesMax) told = notice.status
    pause = timers.after(pauseMs, goOn)
  }

  const goOn = (): void => {
    busy = false
    tellNews()
  }

  const tellNews = (): void => {
    if (notify === null || busy || phase === 'closed') return
    if (reloadUntold) {
      // Even when it is over: who has asked for it waits to be told of both.
      reloadUntold = false
      told = null
      return void tell(notify, { kind: 'reloading' })
    }
    const status = statusOf(verdicts)
    if (phase === 'ready' && status !== told) void tell(notify, { kind: 'ready', status })
  }

  const enter = (next: 'ready' | 'reloading'): void => {
    // A reload may outlast us.
    if (phase !== 'closed') phase = next
    tellNews()
  }

  return {
    follow: (cluster, verdict) => {
      // As after most looks.
      if (verdict === verdicts.get(cluster)) return
      if (verdict === null) verdicts.delete(cluster)
      else verdicts.set(cluster, verdict)
      tellNews()
    },
    ready: () => enter('ready'),
    reloading: () => {
      reloadUntold = true
      enter('reloading')
    },
    destroy: () => {
      phase = 'closed'
      pause?.cancel()
    },
  }
}

/** One line. */
const statusOf = (verdicts: ReadonlyMap<string | null, Verdict>): string => {
  const [first, ...others] = verdicts
  if (first === undefined || others.length > 0) return countsOf([...verdicts.values()])
  const [cluster, verdict] = first
  const text = `${roleOf(verdict)}: ${verdict.because}`
  return plainText(cluster === null ? text : `${cluster}: ${text}`)
}

const roles = ['primary', 'standby', 'unavailable'] as const

const countsOf = (verdicts: readonly Verdict[]): string => {
  const counts = roles.map(
    role => [role, verdicts.filter(verdict => roleOf(verdict) === role).length] as const,
  )
  const some = counts.flatMap(([role, count]) => (count === 0 ? [] : [`${count} ${role}`]))
  return [`${verdicts.length} clusters`, ...some].join(', ')
}
