/**
 * Notifies systemd that the service is ready or reloading, and of the status line that
 * `systemctl status` shows: the role with its reason, or how many clusters have which role.
 *
 * Each notification is a process. There is one at a time, and one a second at most for changes. Of
 * the changes in between only the last state is sent. Nothing waits for it.
 */
import type { Report } from '../../facts/report/event.ts'
import { plainText } from '../../facts/visible-text.ts'
import type { Timer, Timers } from '../../facts/timers.ts'
import { answerOf, type Verdict } from '../../facts/decide/verdict.ts'
import type { Notification, Notify } from '../system/systemd.ts'

export type ServiceNotifier = {
  /** To be called with each verdict on a cluster; null when it is no longer served. */
  readonly follow: (cluster: string | null, verdict: Verdict | null) => void
  /** To be called when all ports are open, after the start and after each reload. */
  readonly ready: () => void
  /** To be called when a reload begins. */
  readonly reloading: () => void
  readonly destroy: () => void
}

export const pauseMs = 1000
/** In a row. systemd terminates a service that it is not notified of as ready. */
export const triesMax = 10

export const createServiceNotifier = (needs: {
  /** Null if systemd does not wait for notifications. */
  readonly notify: Notify | null
  readonly timers: Timers
  readonly report: Report
}): ServiceNotifier => {
  const { notify, timers, report } = needs
  const verdicts = new Map<string | null, Verdict>()
  let phase: 'starting' | 'ready' | 'reloading' | 'closed' = 'starting'
  let reloadPending = false
  /** The last status line; null until systemd has been notified that the service is ready. */
  let sent: string | null = null
  let failures = 0
  let busy = false
  let pause: Timer | null = null

  const send = async (by: Notify, notification: Notification): Promise<void> => {
    busy = true
    // Of repeated attempts the first failure is a warning.
    const awaited = sent === null && failures === 0
    const failure = await by(notification)
    if (phase === 'closed') return
    if (failure !== null) report({ kind: 'notify failed', because: failure, awaited })
    if (notification.kind === 'reloading') return proceed()
    failures = failure === null ? 0 : failures + 1
    if (failures === 0 || failures >= triesMax) sent = notification.statusLine
    pause = timers.after(pauseMs, proceed)
  }

  const proceed = (): void => {
    busy = false
    sendChanges()
  }

  const sendChanges = (): void => {
    if (notify === null || busy || phase === 'closed') return
    if (reloadPending) {
      // Also if the reload is over: `systemctl reload` waits for both notifications.
      reloadPending = false
      sent = null
      return void send(notify, { kind: 'reloading' })
    }
    const statusLine = statusLineOf(verdicts)
    if (phase === 'ready' && statusLine !== sent) void send(notify, { kind: 'ready', statusLine })
  }

  const enter = (next: 'ready' | 'reloading'): void => {
    // A reload may end after the daemon was stopped.
    if (phase !== 'closed') phase = next
    sendChanges()
  }

  return {
    follow: (cluster, verdict) => {
      // Most checks change nothing.
      if (verdict === verdicts.get(cluster)) return
      if (verdict === null) verdicts.delete(cluster)
      else verdicts.set(cluster, verdict)
      sendChanges()
    },
    ready: () => enter('ready'),
    reloading: () => {
      reloadPending = true
      enter('reloading')
    },
    destroy: () => {
      phase = 'closed'
      pause?.cancel()
    },
  }
}

const statusLineOf = (verdicts: ReadonlyMap<string | null, Verdict>): string => {
  const [first, ...others] = verdicts
  if (first === undefined || others.length > 0) return countsOf([...verdicts.values()])
  const [cluster, verdict] = first
  const text = `${answerOf(verdict)}: ${verdict.because}`
  return plainText(cluster === null ? text : `${cluster}: ${text}`)
}

const roles = ['primary', 'standby', 'unavailable'] as const

const countsOf = (verdicts: readonly Verdict[]): string => {
  const counts = roles.map(
    role => [role, verdicts.filter(verdict => answerOf(verdict) === role).length] as const,
  )
  const some = counts.flatMap(([role, count]) => (count === 0 ? [] : [`${count} ${role}`]))
  return [`${verdicts.length} clusters`, ...some].join(', ')
}
