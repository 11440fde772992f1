/** What serves: a monitor that knows the role, and a port that tells it. */
import type { Report } from '../facts/event.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { currentVerdict } from '../facts/snapshot.ts'
import type { Timers } from '../facts/timers.ts'
import { startMonitor } from '../observe/monitor.ts'
import type { AnsweringOptions } from '../serve/answering.ts'
import { describeListenFault } from '../serve/endpoint.ts'
import { makeReplies } from '../serve/reply.ts'
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

/**
 * Fails when the port can't be had. The monitor is there first, because with several addresses
 * somebody may ask on one while another is still being opened.
 */
export const startServing = async (
  options: ServeOptions,
  { outside, report }: { readonly outside: Outside; readonly report: Report },
): Promise<Outcome<Serving, OperatorError>> => {
  const { clock, openProbe, watch } = outside
  const { intervalMs, leaseMs } = options
  const replyTo = makeReplies(options)
  const port = createPort(options, {
    timers: clock,
    report,
    answer: () => {
      const verdict = monitor.current()
      const waking = monitor.waking()
      return waking === null ? replyTo(verdict) : waking.then(() => replyTo(monitor.current()))
    },
  })
  const monitor = startMonitor({
    probe: openProbe(options),
    clock,
    watch,
    intervalMs,
    leaseMs,
    report,
    changed: port.follow,
  })
  const now = clock.monotonic()
  const opened = await port.start(currentVerdict(null, { now, leaseMs, pulse: { kind: 'steady' } }))
  if (!opened.ok) {
    monitor.close()
    const { message, hint } = describeListenFault(opened.fault)
    return fault({ message, hint: hint ?? 'see --port and --bind' })
  }
  for (const bound of opened.fact) report({ kind: 'listening', ...bound })
  return fact({
    stop: () => {
      port.destroy()
      monitor.close()
    },
  })
}

const createPort = (
  { bind, port, whenUnavailable }: ServeOptions,
  needs: {
    readonly timers: Timers
    readonly report: Report
    readonly answer: AnsweringOptions['answer']
  },
): RolePort => {
  const { timers, answer } = needs
  const report = createListenerReport(needs.report)
  const addresses = bind.length === 0 ? [null] : bind
  const listeners = addresses.map(address =>
    createRoleListener({ address, port, answer, connectionsMax, lingerMs, timers, report }),
  )
  return createRolePort({ listeners, whenUnavailable, timers, report })
}
