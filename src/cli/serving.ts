/** What serves: a monitor that knows the role, and surfaces that tell it. */
import type { Report } from '../facts/event.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { currentVerdict } from '../facts/snapshot.ts'
import type { Verdict } from '../facts/verdict.ts'
import type { MaintenanceWatch } from '../observe/maintenance.ts'
import { startMonitor } from '../observe/monitor.ts'
import { createAllowList, type Allowed } from '../serve/allow-list.ts'
import { makeAgentReplies } from '../serve/agent-reply.ts'
import {
  describeListenFault,
  rolePortOptions,
  type Endpoint,
  type EndpointOptions,
} from '../serve/endpoint.ts'
import { makeReplies, type Reply, type WhenUnavailable } from '../serve/reply.ts'
import { createRoleListener } from '../serve/role-listener.ts'
import { createRolePort, type RolePort } from '../serve/role-port.ts'
import { createListenerReport } from './listener-events.ts'
import type { OperatorError } from './operator-error.ts'
import type { ServeOptions } from './options.ts'
import type { Outside } from './outside.ts'

/** Simultaneous connections of one address; a load balancer has a handful. */
const connectionsMax = 4096
/** How long an answered client may take to hang up. */
const lingerMs = 1000

export type Serving = { readonly stop: () => void }

/** A way of asking for the role: opened at the start, told of each verdict, closed at the end. */
type Surface = Pick<RolePort, 'start' | 'follow' | 'destroy'> & {
  /** What a mistake in where it listens is mended with. */
  readonly options: EndpointOptions
}

/** What a surface asks of the monitor at the moment somebody asks it. */
type Knowledge = {
  /** The verdict that may be told now. One to wait for never rejects. */
  readonly verdict: () => Verdict | Promise<Verdict>
}

type Needs = {
  readonly outside: Outside
  readonly report: Report
  /** Started here, and closed at the end. */
  readonly maintenance: MaintenanceWatch
}

/** What every surface needs that listens on TCP. */
type TcpNeeds = Needs & {
  /** Null for everybody. */
  readonly allowed: Allowed | null
}

/**
 * Fails when a port can't be had. The monitor is there first, because with several addresses
 * somebody may ask on one while another is still being opened.
 */
export const startServing = async (
  options: ServeOptions,
  needs: Needs,
): Promise<Outcome<Serving, OperatorError>> => {
  const { outside, report, maintenance } = needs
  const { clock, openProbe, watch } = outside
  const { intervalMs, leaseMs } = options
  const surfaces = openSurfaces(options, needs, {
    verdict: () => {
      const verdict = monitor.current()
      return monitor.waking()?.then(monitor.current) ?? verdict
    },
  })
  // First of all: it is to be known before the first look ends.
  maintenance.start(() => {
    monitor.reconsider()
  })
  const monitor = startMonitor({
    probe: openProbe(options),
    clock,
    watch,
    intervalMs,
    leaseMs,
    maintenance: maintenance.current,
    report,
    changed: verdict => {
      for (const surface of surfaces) surface.follow(verdict)
    },
  })
  const stop = (): void => {
    for (const surface of surfaces) surface.destroy()
    maintenance.close()
    monitor.close()
  }
  const first = currentVerdict(null, {
    now: clock.monotonic(),
    leaseMs,
    pulse: { kind: 'steady' },
    maintenance: maintenance.current(),
  })
  for (const surface of surfaces) {
    const opened = await surface.start(first)
    if (!opened.ok) {
      stop()
      const { port, address } = surface.options
      const { message, hint } = describeListenFault(opened.fault, surface.options)
      const names = port === address ? port : `${port} and ${address}`
      return fault({ message, hint: hint ?? `see ${names}` })
    }
    for (const bound of opened.fact) report({ kind: 'listening', ...bound })
  }
  return fact({ stop })
}

const openSurfaces = (
  options: ServeOptions,
  needs: Needs,
  knowledge: Knowledge,
): readonly Surface[] => {
  const tcp = { ...needs, allowed: createAllowList(options.allow) }
  const rolePort = createRoleSurface(options, tcp, knowledge)
  if (options.agent.length === 0) return [rolePort]
  return [rolePort, createAgentSurface(options, tcp, knowledge)]
}

const createRoleSurface = (
  options: ServeOptions,
  needs: TcpNeeds,
  knowledge: Knowledge,
): Surface => {
  const { bind, port, whenUnavailable } = options
  const addresses = bind.length === 0 ? [null] : bind
  return createTcpSurface(
    {
      endpoints: addresses.map(address => ({ address, port })),
      whenUnavailable,
      answer: answerWith(makeReplies(options), knowledge),
      options: rolePortOptions,
    },
    needs,
  )
}

/** Open whatever the verdict: HAProxy takes no notice of an agent that it can't reach. */
const createAgentSurface = (
  { agent, agentUpFor }: ServeOptions,
  needs: TcpNeeds,
  knowledge: Knowledge,
): Surface =>
  createTcpSurface(
    {
      endpoints: agent,
      whenUnavailable: 'reply',
      answer: answerWith(makeAgentReplies(agentUpFor), knowledge),
      options: { port: '--agent', address: '--agent' },
    },
    needs,
  )

const answerWith =
  (replyTo: (verdict: Verdict) => Reply, { verdict }: Knowledge) =>
  (): Reply | Promise<Reply> => {
    const now = verdict()
    return now instanceof Promise ? now.then(replyTo) : replyTo(now)
  }

const createTcpSurface = (
  surface: {
    readonly endpoints: readonly Endpoint[]
    readonly whenUnavailable: WhenUnavailable
    readonly answer: () => Reply | Promise<Reply>
    readonly options: EndpointOptions
  },
  needs: TcpNeeds,
): Surface => {
  const { endpoints, whenUnavailable, answer, options } = surface
  const { allowed } = needs
  const timers = needs.outside.clock
  const report = createListenerReport(needs.report)
  const listeners = endpoints.map(endpoint =>
    createRoleListener({ ...endpoint, answer, allowed, connectionsMax, lingerMs, timers, report }),
  )
  return { ...createRolePort({ listeners, whenUnavailable, timers, report }), options }
}
