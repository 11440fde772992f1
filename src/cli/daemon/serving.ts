/** Serves one cluster: a monitor that determines the role, and surfaces that report it. */
import type { Report } from '../../facts/report/event.ts'
import { withChange, type History } from '../../facts/report/changes.ts'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import { lagOf } from '../../facts/decide/lag.ts'
import { currentVerdict } from '../../facts/decide/snapshot.ts'
import type { Verdict } from '../../facts/decide/verdict.ts'
import type { MaintenanceWatch } from '../../observe/files/maintenance-file.ts'
import { startMonitor } from '../../observe/monitor.ts'
import { createPeerWatch, type PeerWatch } from '../../observe/peers/peer-watch.ts'
import { createChangeCommand, type ChangeCommand } from '../../serve/push/change-command.ts'
import type { Credentials } from '../../serve/http/tls-credentials.ts'
import type { DescriptorBudget } from '../../serve/descriptor-budget.ts'
import {
  describeListenFault,
  type Endpoint,
  type EndpointOptions,
  type ListenFault,
} from '../../serve/endpoint.ts'
import { systemListen, type Listen } from '../../serve/listening.ts'
import { reportCredentials } from '../system/credential-files.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { OptionName } from '../options/option-table.ts'
import type { ServeOptions } from '../options/option-values.ts'
import type { Host } from '../system/host.ts'
import { listenAddressesOf, roleOptions } from '../options/listen-addresses.ts'
import { createFirstCheck } from './first-check.ts'
import { ownConflict } from './own-conflict.ts'
import type { Knowledge } from './http-surface.ts'
import { openSurfaces } from './surfaces.ts'

export type Serving = {
  readonly knowledge: Knowledge
  /** Reads the files for TLS again. Invalid files are reported and change nothing. */
  readonly renew: () => Promise<void>
  readonly stop: () => void
}

type Needs = {
  readonly host: Host
  readonly report: Report
  /** Started here, and closed at the end. */
  readonly maintenance: MaintenanceWatch
  /** Called with each verdict, from before the first check on, and with null at the end. */
  readonly follow: (verdict: Verdict | null) => void
  /** How the operator set an option for this endpoint, or can set it: for hints. */
  readonly sourceFor: (option: OptionName, endpoint: Endpoint) => string
  /** What the cluster has of it is released at the end. */
  readonly budget: DescriptorBudget
  /** Default: that of the system. */
  readonly listen?: Listen
}

/**
 * Fails if a port cannot be opened. The monitor is started first: with several addresses, a client
 * may connect to one while another is being opened.
 */
export const startServing = async (
  options: ServeOptions,
  needs: Needs,
): Promise<Outcome<Serving, OperatorError>> => {
  const { host, report, maintenance, follow, sourceFor, budget, listen = systemListen } = needs
  const { clock, openProbe, openTitles, watch, sockets } = host
  const { intervalMs, leaseMs } = options
  if (!sockets.ok) return sockets
  const given = { ...options, sockets: sockets.fact }
  const conflict = ownConflict(given, sourceFor)
  if (conflict !== null) return fault(conflict)
  const found = await findCredentials(options, needs)
  if (!found.ok) return found
  const credentials = found.fact
  const ownNames = await host.findOwnNames()
  const { share, leave } = budget.join()
  const firstCheck = createFirstCheck(sockets.fact, clock)
  const titles = openTitles()
  const positions = host.openWalPositions()
  const identity = { instance: host.newInstance(), name: host.name }
  let history: History = []
  const knowledge: Knowledge = {
    verdict: () => {
      const unknown = firstCheck.pending()
      if (unknown !== null) return unknown.then(monitor.current)
      const verdict = monitor.current()
      return monitor.waking()?.then(monitor.current) ?? verdict
    },
    lastSnapshot: () => monitor.snapshot(),
    currentSnapshot: async () => {
      const snapshot = monitor.snapshot()
      if (snapshot === null) return null
      const evidence = await titles.asOfNow(snapshot.evidence)
      const walPosition = await positions.asOfNow(evidence)
      return { ...snapshot, evidence: { ...evidence, walPosition } }
    },
    lag: ({ evidence }) => lagOf(evidence, peers.words(), peers.heardSince()),
    peers: () => peers.sights(),
    history: () => history,
  }
  const surfaces = openSurfaces(
    given,
    { clock, report, listen, share, ownNames, credentials, identity },
    knowledge,
  )
  const changeCommand = openChangeCommand(options, needs)
  // Before the monitor: the first check must know of maintenance mode.
  maintenance.start(() => {
    monitor.reconsider()
  })
  let { fact: peerTls } = found
  const peers = openPeers(options, needs, {
    ask: host.openPeerClient(() => peerTls),
    walPosition: positions.asOfNow,
    instance: identity.instance,
    heard: () => {
      monitor.reconsider()
    },
  })
  const monitor = startMonitor({
    heedPeers: peers.judge,
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
      if (verdict.rule !== 'not yet checked') firstCheck.end()
      for (const surface of surfaces.all) surface.follow(verdict)
      follow(verdict)
    },
  })
  const stop = (): void => {
    firstCheck.end()
    for (const surface of surfaces.all) surface.destroy()
    maintenance.close()
    monitor.close()
    peers.close()
    changeCommand?.destroy()
    leave()
    follow(null)
  }
  const first = verdictAtStart(leaseMs, needs)
  follow(first)
  for (const surface of surfaces.all) {
    const opened = await surface.start(first)
    if (!opened.ok) {
      stop()
      return fault(portError(opened.fault, optionsFor(opened.fault, given, sourceFor)))
    }
    for (const bound of opened.fact) report({ kind: 'listening', ...bound })
  }
  const renew = (next: Credentials): void => {
    peerTls = next
    surfaces.renew(next)
  }
  return fact({ knowledge, renew: () => renewCredentials(renew, options, needs), stop })
}

const verdictAtStart = (leaseMs: number, { host: { clock }, maintenance }: Needs): Verdict =>
  currentVerdict(null, {
    now: clock.monotonic(),
    leaseMs,
    pulse: { kind: 'steady' },
    maintenance: maintenance.current(),
  })

type PeerNeeds = Parameters<typeof createPeerWatch>[0]

const openPeers = (
  options: ServeOptions,
  { host: { clock }, report }: Needs,
  more: Pick<PeerNeeds, 'ask' | 'walPosition' | 'instance' | 'heard'>,
): PeerWatch =>
  createPeerWatch({
    ...options,
    ...more,
    timeoutMs: options.peerTimeoutMs,
    ageMsMax: options.leaseMs,
    clock,
    report,
  })

/** Null for plain HTTP. */
const findCredentials = async (
  { httpTls }: ServeOptions,
  { host, report }: Needs,
): Promise<Outcome<Credentials | null, OperatorError>> => {
  if (httpTls === null) return fact(null)
  const now = host.clock.unix()
  const read = await host.readCredentials(httpTls, now)
  if (!read.ok) return read
  reportCredentials(read.fact, { file: httpTls.cert, now, report })
  return fact(read.fact.credentials)
}

const renewCredentials = async (
  renew: (credentials: Credentials) => void,
  options: ServeOptions,
  needs: Needs,
): Promise<void> => {
  const found = await findCredentials(options, needs)
  if (!found.ok) {
    const { message, hint } = found.fault
    needs.report({ kind: 'certificate refused', because: message, hint })
  } else if (found.fact !== null) renew(found.fact)
}

const openChangeCommand = (
  { onChange, pgdata }: ServeOptions,
  { host, report }: Needs,
): ChangeCommand | null => {
  if (onChange === null) return null
  const { clock: timers, startShellCommand: start } = host
  return createChangeCommand({ command: onChange, pgdata, start, timers, report })
}

/** The options that set an endpoint, as the operator wrote them. */
const optionsFor = (
  at: Endpoint,
  options: ServeOptions,
  sourceFor: Needs['sourceFor'],
): EndpointOptions => {
  const found = listenAddressesOf(options).find(
    one => one.address === at.address && one.port === at.port,
  )
  const { port, address } = found?.by ?? roleOptions
  return { port: sourceFor(port, at), address: sourceFor(address, at) }
}

const portError = (found: ListenFault, givenBy: EndpointOptions): OperatorError => {
  const { message, hint } = describeListenFault(found, givenBy)
  const names = [...new Set([givenBy.port, givenBy.address])]
  return { message, hint: hint ?? `see ${names.join(' and ')}` }
}
