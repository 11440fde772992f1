/** What serves: a monitor that knows the role, and surfaces that tell it. */
import type { Report } from '../facts/event.ts'
import { withChange, type History } from '../facts/history.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { currentVerdict, type Snapshot } from '../facts/snapshot.ts'
import type { Verdict } from '../facts/verdict.ts'
import type { MaintenanceWatch } from '../observe/maintenance.ts'
import { startMonitor } from '../observe/monitor.ts'
import { makeAgentReplies } from '../serve/agent-reply.ts'
import { createAllowList, type Allowed } from '../serve/allow-list.ts'
import type { ConnectCounters } from '../serve/answering.ts'
import { createChangeCommand, type ChangeCommand } from '../serve/change-command.ts'
import { describeListenFault, type Endpoint } from '../serve/endpoint.ts'
import type { EndpointOptions, ListenFault } from '../serve/endpoint.ts'
import { makeReplies, type Reply, type WhenUnavailable } from '../serve/reply.ts'
import { createRoleListener } from '../serve/role-listener.ts'
import { createRolePort, type RolePort } from '../serve/role-port.ts'
import { createHttpSurface } from './http-surface.ts'
import { createListenerReport } from './listener-events.ts'
import type { OperatorError } from './operator-error.ts'
import type { ServeOptions } from './options.ts'
import type { Outside } from './outside.ts'

/** Simultaneous connections of one address; a load balancer has a handful. */
const connectionsMax = 4096
/** How long an answered client may take to hang up. */
const lingerMs = 1000

export type Serving = {
  readonly knowledge: Knowledge
  readonly stop: () => void
}

/** A way of asking for the role: opened at the start, told of each verdict, closed at the end. */
type Surface = Pick<RolePort, 'start' | 'follow' | 'destroy'> & {
  /** The options that say where. */
  readonly givenBy: EndpointOptions
}

type TcpSurface = Surface & { readonly counters: () => readonly ConnectCounters[] }

/** What a surface asks of the monitor at the moment somebody asks it. */
export type Knowledge = {
  /** The verdict that may be told now. One to wait for never rejects. */
  readonly verdict: () => Verdict | Promise<Verdict>
  /** What the last look saw; null before the first. */
  readonly looked: () => Snapshot | null
  /**
   * The same with the titles of now, which tell of replication. Its verdict is that of the look:
   * what may be told now is told by verdict().
   */
  readonly snapshot: () => Promise<Snapshot | null>
  /** The last changes of the verdict, oldest first: see historyJson(). */
  readonly history: () => History
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
  const { clock, openProbe, openTitles, watch } = outside
  const { intervalMs, leaseMs } = options
  const titles = openTitles()
  let history: History = []
  const knowledge: Knowledge = {
    verdict: () => {
      const verdict = monitor.current()
      return monitor.waking()?.then(monitor.current) ?? verdict
    },
    looked: () => monitor.snapshot(),
    snapshot: async () => {
      const snapshot = monitor.snapshot()
      return snapshot && { ...snapshot, evidence: await titles.asOfNow(snapshot.evidence) }
    },
    history: () => history,
  }
  const surfaces = openSurfaces(options, needs, knowledge)
  const changeCommand = openChangeCommand(options, needs)
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
    report: event => {
      if (event.kind === 'verdict changed') {
        const { from, to, postmaster, timeline } = event
        const change = { at: clock.unix(), from, to, postmaster, timeline }
        history = withChange(history, change)
        changeCommand?.changed(change)
      }
      report(event)
    },
    changed: verdict => {
      for (const surface of surfaces) surface.follow(verdict)
    },
  })
  const stop = (): void => {
    for (const surface of surfaces) surface.destroy()
    maintenance.close()
    monitor.close()
    changeCommand?.destroy()
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
      return fault(portError(opened.fault, surface.givenBy))
    }
    for (const bound of opened.fact) report({ kind: 'listening', ...bound })
  }
  return fact({ knowledge, stop })
}

const openChangeCommand = (
  { onChange, pgdata }: ServeOptions,
  { outside, report }: Needs,
): ChangeCommand | null => {
  if (onChange === null) return null
  const { clock: timers, startShellCommand: start } = outside
  return createChangeCommand({ command: onChange, pgdata, start, timers, report })
}

const portError = (found: ListenFault, givenBy: EndpointOptions): OperatorError => {
  const { message, hint } = describeListenFault(found, givenBy)
  const names = [...new Set([givenBy.port, givenBy.address])]
  return { message, hint: hint ?? `see ${names.join(' and ')}` }
}

const openSurfaces = (
  options: ServeOptions,
  needs: Needs,
  knowledge: Knowledge,
): readonly Surface[] => {
  const tcp = { ...needs, allowed: createAllowList(options.allow) }
  const role = createRoleSurface(options, tcp, knowledge)
  const http = createHttpSurface(options.http, {
    ...knowledge,
    connects: role.counters,
    leaseMs: options.leaseMs,
    clock: needs.outside.clock,
    allowed: tcp.allowed,
    report: createListenerReport(needs.report),
  })
  return [role, http, createAgentSurface(options, tcp, knowledge)]
}

const createRoleSurface = (
  options: ServeOptions,
  needs: TcpNeeds,
  knowledge: Knowledge,
): TcpSurface => {
  const { bind, port, whenUnavailable } = options
  const addresses = bind.length === 0 ? [null] : bind
  return createTcpSurface(
    {
      endpoints: addresses.map(address => ({ address, port })),
      whenUnavailable,
      answer: answerWith(makeReplies(options), knowledge),
      givenBy: { port: '--port', address: '--bind' },
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
      givenBy: { port: '--agent', address: '--agent' },
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
    readonly givenBy: EndpointOptions
  },
  needs: TcpNeeds,
): TcpSurface => {
  const { endpoints, whenUnavailable, answer, givenBy } = surface
  const { allowed } = needs
  const timers = needs.outside.clock
  const report = createListenerReport(needs.report)
  const listeners = endpoints.map(endpoint =>
    createRoleListener({ ...endpoint, answer, allowed, connectionsMax, lingerMs, timers, report }),
  )
  return {
    ...createRolePort({ listeners, whenUnavailable, timers, report }),
    givenBy,
    counters: () => listeners.map(listener => listener.counters()),
  }
}
