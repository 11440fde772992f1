/**
 * The port as the world sees it: one listener for each address, open or closed together.
 *
 * With `refuse` it is open only while there is a role to tell, so that a plain connect check
 * fails with the cluster. It is opened at the start all the same: a port that is in use must be
 * found out while somebody is looking, not in the failover that needs it.
 */
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import type { Timers } from '../facts/timers.ts'
import type { Availability } from '../facts/verdict.ts'
import type { BoundAddress, ListenFault } from './endpoint.ts'
import { createReopening, type ReopeningEvent } from './reopening.ts'
import type { WhenUnavailable } from './reply.ts'
import type { RoleListener } from './role-listener.ts'

export type RolePortOptions = {
  readonly listeners: readonly RoleListener[]
  readonly whenUnavailable: WhenUnavailable
  readonly timers: Timers
  readonly report: (event: ReopeningEvent) => void
}

export type RolePort = {
  /**
   * Opens every listener, and closes them again where the latest availability wants that. One
   * that can't be opened is the end of it: all are closed, and its fault is returned.
   */
  readonly start: (
    availability: Availability,
  ) => Promise<Outcome<readonly BoundAddress[], ListenFault>>
  /** To be called with each verdict, also while the start is under way. */
  readonly follow: (availability: Availability) => void
  /** For good: accepts nobody from now on. */
  readonly close: () => void
  /** Closes, and cuts off whoever is still there. */
  readonly destroy: () => void
}

export const createRolePort = (options: RolePortOptions): RolePort => {
  const { listeners, whenUnavailable, timers, report } = options
  const reopenings = listeners.map(listener => createReopening({ listener, timers, report }))
  let phase: 'starting' | 'following' | 'closed' = 'starting'
  let open = true

  const obey = (): void => {
    if (phase !== 'following') return
    for (const reopening of reopenings) reopening.want(open)
  }

  const follow = (availability: Availability): void => {
    open = whenUnavailable !== 'refuse' || availability.kind === 'available'
    obey()
  }

  const close = (): void => {
    phase = 'closed'
    for (const reopening of reopenings) reopening.want(false)
  }

  const start = async (
    availability: Availability,
  ): Promise<Outcome<readonly BoundAddress[], ListenFault>> => {
    follow(availability)
    const outcomes = await Promise.all(listeners.map(listener => listener.open()))
    const bounds: BoundAddress[] = []
    for (const outcome of outcomes) {
      if (!outcome.ok) {
        close()
        return fault(outcome.fault)
      }
      bounds.push(outcome.fact)
    }
    if (phase === 'starting') phase = 'following'
    obey()
    return fact(bounds)
  }

  const destroy = (): void => {
    close()
    for (const listener of listeners) listener.destroy()
  }

  return { start, follow, close, destroy }
}
