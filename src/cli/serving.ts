/** What serves: a monitor that knows the role, and surfaces that tell it. */
import type { Report } from '../facts/event.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { currentVerdict } from '../facts/snapshot.ts'
import type { Timers } from '../facts/timers.ts'
import type { Verdict } from '../facts/verdict.ts'
import { startMonitor } from '../observe/monitor.ts'
import {
  describeListenFault,
  type BoundAddress,
  type Endpoint,
  type ListenFault,
} from '../serve/endpoint.ts'
import { systemListen, type Listen } from '../serve/listening.ts'
import { makeReplies, type Reply } from '../serve/reply.ts'
import { createRoleListener } from '../serve/role-listener.ts'
import { createRolePort, type RolePort } from '../serve/role-port.ts'
import { createListenerReport } from './listener-events.ts'
import type { OperatorError } from './operator-error.ts'
import type { ServeOptions } from './options.ts'
import type { Outside } from './outside.ts'
import { patiently } from './patience.ts'
import { createServiceStatus } from './service-status.ts'

/** Simultaneous connections of one address; a load balancer has a handful. */
const connectionsMax = 4096
/** How long an answered client may take to hang up. */
const lingerMs = 1000

export type Serving = { readonly stop: () => void }

/** A way of asking for the role: opened at the start, told of each verdict, closed at the end. */
type Surface = {
  readonly start: (verdict: Verdict) => Promise<Outcome<readonly BoundAddress[], ListenFault>>
  readonly follow: (verdict: Verdict) => void
  readonly destroy: () => void
}

/** What a surface asks of the monitor at the moment somebody asks it. */
type Knowledge = {
  /** The verdict that may be told now. One to wait for never rejects. */
  readonly verdict: () => Verdict | Promise<Verdict>
}

type Needs = {
  readonly outside: Outside
  readonly report: Report
  /** Default: the system's. */
  readonly listen?: Listen
}

/** `sockets`: descriptors that listen already, and take the place of port and addresses. */
type SurfaceOptions = ServeOptions & { readonly sockets: readonly number[] }

/**
 * Fails when a port can't be had. The monitor is there first, because with several addresses
 * somebody may ask on one while another is still being opened.
 */
export const startServing = async (
  options: ServeOptions,
  needs: Needs,
): Promise<Outcome<Serving, OperatorError>> => {
  const { outside, report } = needs
  const { clock, openProbe, watch, sockets } = outside
  const { intervalMs, leaseMs } = options
  if (!sockets.ok) return sockets
  const firstLook = createFirstLook(sockets.fact, clock)
  const surfaces = openSurfaces({ ...options, sockets: sockets.fact }, needs, {
    verdict: () => {
      const unknown = firstLook.pending()
      if (unknown !== null) return unknown.then(monitor.current)
      const verdict = monitor.current()
      return monitor.waking()?.then(monitor.current) ?? verdict
    },
  })
  const monitor = startMonitor({
    probe: openProbe(options),
    clock,
    watch,
    intervalMs,
    leaseMs,
    report,
    changed: verdict => {
      if (verdict.rule !== 'not looked yet') firstLook.over()
      for (const surface of surfaces) surface.follow(verdict)
    },
  })
  const stop = (): void => {
    firstLook.over()
    for (const surface of surfaces) surface.destroy()
    monitor.close()
  }
  const first = currentVerdict(null, { now: clock.monotonic(), leaseMs, pulse: { kind: 'steady' } })
  for (const surface of surfaces) {
    const opened = await surface.start(first)
    if (!opened.ok) {
      stop()
      const { message, hint } = describeListenFault(opened.fault)
      return fault({ message, hint: hint ?? 'see --port and --bind' })
    }
    for (const bound of opened.fact) report({ kind: 'listening', ...bound })
  }
  return fact({ stop })
}

/**
 * Who waited in the queue of a passed socket while we were not there is told the role, and not
 * sent away without one because the first look is not over yet. A disk that hangs ends the wait.
 */
const createFirstLook = (sockets: readonly number[], timers: Timers) => {
  let end: (() => void) | null = null
  let pending: Promise<void> | null = null
  const over = (): void => {
    pending = null
    end?.()
  }
  if (sockets.length > 0) {
    const looked = new Promise<void>(resolve => {
      end = resolve
    })
    pending = patiently(looked, timers).then(over)
  }
  return { pending: (): Promise<void> | null => pending, over }
}

/** In the order in which they are opened. */
const openSurfaces = (
  options: SurfaceOptions,
  needs: Needs,
  knowledge: Knowledge,
): readonly Surface[] => {
  const { notify, clock: timers } = needs.outside
  const { report } = needs
  return [
    createRoleSurface(options, needs, knowledge),
    // The last one: when it is opened, all are.
    ...(notify === null ? [] : [createServiceStatus({ notify, timers, report })]),
  ]
}

const createRoleSurface = (
  given: SurfaceOptions,
  needs: Needs,
  { verdict }: Knowledge,
): RolePort => {
  const { sockets } = given
  const closesInstead = sockets.length > 0 && given.whenUnavailable === 'refuse'
  const options = closesInstead ? { ...given, whenUnavailable: 'close' as const } : given
  const { whenUnavailable } = options
  if (sockets.length > 0) {
    needs.report({ kind: 'sockets passed', count: sockets.length, closesInstead })
  }
  const { listen = systemListen } = needs
  const timers = needs.outside.clock
  const report = createListenerReport(needs.report)
  const replyTo = makeReplies(options)
  const answer = (): Reply | Promise<Reply> => {
    const now = verdict()
    return now instanceof Promise ? now.then(replyTo) : replyTo(now)
  }
  const listeners = endpointsOf(options).map(endpoint =>
    createRoleListener({ ...endpoint, answer, connectionsMax, lingerMs, timers, report, listen }),
  )
  return createRolePort({ listeners, whenUnavailable, timers, report })
}

const endpointsOf = ({ sockets, bind, port }: SurfaceOptions): readonly Endpoint[] => {
  if (sockets.length > 0) return sockets.map(passed => ({ address: null, port, passed }))
  return bind.length === 0 ? [{ address: null, port }] : bind.map(address => ({ address, port }))
}
