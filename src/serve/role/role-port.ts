/**
 * The port that reports the role: one listener for each address, open or closed together.
 *
 * With `refuse` it is open only while there is a role, so that a plain TCP check fails otherwise.
 * It is opened at the start in any case, in order to find a port that is in use then, rather than
 * in a failover.
 */
import type { OpenPort, PortPurpose, Report } from '../../facts/report/event.ts'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import type { Timers } from '../../facts/timers.ts'
import type { Availability } from '../../facts/decide/verdict.ts'
import type { ListenFault } from '../endpoint.ts'
import { createReopening } from './reopening.ts'
import type { WhenUnavailable } from './reply.ts'
import type { RoleListener } from './role-listener.ts'

export type RolePortOptions = {
  readonly listeners: readonly RoleListener[]
  readonly purpose: PortPurpose
  readonly whenUnavailable: WhenUnavailable
  readonly timers: Timers
  readonly report: Report
}

export type RolePort = {
  /**
   * Opens every listener, and closes them again if the latest availability requires that. If one
   * cannot be opened, all are closed, and its fault is returned.
   */
  readonly start: (availability: Availability) => Promise<Outcome<readonly OpenPort[], ListenFault>>
  /** To be called with each verdict, also during the start. */
  readonly follow: (availability: Availability) => void
  /** Accepts no new connections. Permanent. */
  readonly close: () => void
  /** Closes it, and all connections. */
  readonly destroy: () => void
}

export const createRolePort = (options: RolePortOptions): RolePort => {
  const { listeners, purpose, whenUnavailable, timers, report } = options
  const reopenings = listeners.map(listener =>
    createReopening({ listener, purpose, timers, report }),
  )
  let phase: 'starting' | 'following' | 'closed' = 'starting'
  let open = true

  const apply = (): void => {
    if (phase !== 'following') return
    for (const reopening of reopenings) reopening.setOpen(open)
  }

  const follow = (availability: Availability): void => {
    open = whenUnavailable !== 'refuse' || availability.kind === 'available'
    apply()
  }

  const close = (): void => {
    phase = 'closed'
    for (const reopening of reopenings) reopening.setOpen(false)
  }

  const start = async (
    availability: Availability,
  ): Promise<Outcome<readonly OpenPort[], ListenFault>> => {
    follow(availability)
    const outcomes = await Promise.all(listeners.map(listener => listener.open()))
    const bounds: OpenPort[] = []
    for (const outcome of outcomes) {
      if (!outcome.ok) {
        close()
        return fault(outcome.fault)
      }
      bounds.push({ ...outcome.fact, purpose })
    }
    if (phase === 'starting') phase = 'following'
    apply()
    return fact(bounds)
  }

  const destroy = (): void => {
    close()
    for (const listener of listeners) listener.destroy()
  }

  return { start, follow, close, destroy }
}
