/** What serves: a monitor that knows the role, and surfaces that tell it. */
import type { Report } from '../facts/event.ts'
import { withChange, type History } from '../facts/history.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { currentVerdict } from '../facts/snapshot.ts'
import type { Timers } from '../facts/timers.ts'
import type { Verdict } from '../facts/verdict.ts'
import type { MaintenanceWatch } from '../observe/maintenance.ts'
import { startMonitor } from '../observe/monitor.ts'
import { createChangeCommand, type ChangeCommand } from '../serve/change-command.ts'
import {
  describeListenFault,
  exclude,
  type Endpoint,
  type EndpointOptions,
  type ListenFault,
} from '../serve/endpoint.ts'
import { systemListen, type Listen } from '../serve/listening.ts'
import type { OperatorError } from './operator-error.ts'
import type { OptionName } from './option-table.ts'
import type { ServeOptions } from './option-values.ts'
import type { Outside } from './outside.ts'
import { patiently } from './patience.ts'
import { placesOf } from './places.ts'
import { openSurfaces, type Knowledge, type SurfaceOptions } from './surfaces.ts'

export type Serving = {
  readonly knowledge: Knowledge
  readonly stop: () => void
}

type Needs = {
  readonly outside: Outside
  readonly report: Report
  /** Started here, and closed at the end. */
  readonly maintenance: MaintenanceWatch
  /** Told each verdict, from before the first look on; null at the end. */
  readonly follow: (verdict: Verdict | null) => void
  /** How the operator gave an option for this endpoint, or can give it: for hints. */
  readonly written: (option: OptionName, endpoint: Endpoint) => string
  /** Default: the system's. */
  readonly listen?: Listen
}

/**
 * Fails when a port can't be had. The monitor is there first, because with several addresses
 * somebody may ask on one while another is still being opened.
 */
export const startServing = async (
  options: ServeOptions,
  needs: Needs,
): Promise<Outcome<Serving, OperatorError>> => {
  const { outside, report, maintenance, follow, written, listen = systemListen } = needs
  const { clock, openProbe, openTitles, watch, sockets } = outside
  const { intervalMs, leaseMs } = options
  if (!sockets.ok) return sockets
  const given = { ...options, sockets: sockets.fact }
  const clash = ownClash(given, written)
  if (clash !== null) return fault(clash)
  const firstLook = createFirstLook(sockets.fact, clock)
  const titles = openTitles()
  let history: History = []
  const knowledge: Knowledge = {
    verdict: () => {
      const unknown = firstLook.pending()
      if (unknown !== null) return unknown.then(monitor.current)
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
  const surfaces = openSurfaces(given, { outside, report, listen }, knowledge)
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
      if (verdict.rule !== 'not looked yet') firstLook.over()
      for (const surface of surfaces) surface.follow(verdict)
      follow(verdict)
    },
  })
  const stop = (): void => {
    firstLook.over()
    for (const surface of surfaces) surface.destroy()
    maintenance.close()
    monitor.close()
    changeCommand?.destroy()
    follow(null)
  }
  const first = currentVerdict(null, {
    now: clock.monotonic(),
    leaseMs,
    pulse: { kind: 'steady' },
    maintenance: maintenance.current(),
  })
  follow(first)
  for (const surface of surfaces) {
    const opened = await surface.start(first)
    if (!opened.ok) {
      stop()
      const { port, address } = surface.givenBy
      const at = opened.fault
      return fault(portError(at, { port: written(port, at), address: written(address, at) }))
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

/**
 * Two places of ours of which only one can be had. It has to be found beforehand: while there is
 * no role to tell, the port of the first may be closed, and the second would take it.
 */
const ownClash = (options: SurfaceOptions, written: Needs['written']): OperatorError | null => {
  // Sockets that were passed to us take the place of --port and --bind.
  const places = placesOf(options).filter(
    ({ by }) => options.sockets.length === 0 || by.port !== 'port',
  )
  for (const [index, place] of places.entries()) {
    const earlier = places.slice(0, index).find(one => exclude(one, place))
    if (earlier === undefined) continue
    const isSame = earlier.by.port === place.by.port
    const [first, second] = [earlier, place].map(one =>
      isSame
        ? `${written(one.by.address, one)} on ${one.address ?? 'every address'}`
        : written(one.by.port, one),
    )
    return {
      message: `port ${place.port} is used twice, by ${first} and ${second}`,
      hint: 'use another port, or a separate address for each',
    }
  }
  return null
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
