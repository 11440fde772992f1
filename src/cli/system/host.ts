/** The system that the program runs on: its clock, files and processes, and what systemd passed. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Maintenance } from '../../facts/decide/maintenance-mode.ts'
import type { Outcome } from '../../facts/outcome.ts'
import type { LocalDaemon } from '../../facts/report/daemon-view.ts'
import type { HistoryView } from '../../facts/report/history-view.ts'
import type { ClusterView } from '../../facts/report/cluster-view.ts'
import { systemClock, type Clock } from '../../observe/system/clock.ts'
import { createControlSource } from '../../observe/files/control-source.ts'
import { openDataDirectory } from '../../observe/files/data-directory.ts'
import { readDescriptorLimit } from '../../observe/processes/descriptor-limit.ts'
import { createFreezer } from '../../observe/processes/freezer.ts'
import { readMaintenance } from '../../observe/files/maintenance-file.ts'
import { whoElseWrites } from '../../observe/files/trusted-path.ts'
import { findControlDataProgram } from '../../observe/files/pg-controldata.ts'
import {
  createClusterClient,
  createHistoryClient,
  createPeerClient,
  createStatusClient,
  type Ask,
  type AskPeer,
  type PeerTls,
} from '../../observe/peers/peer-request.ts'
import { createProbe, type Probe } from '../../observe/probe.ts'
import { openProcessTable } from '../../observe/processes/process-table.ts'
import { createStandbyProbe } from '../../observe/standby-probe.ts'
import { createStandbyTitles, type StandbyTitles } from '../../observe/processes/standby-titles.ts'
import { systemWatchLibrary } from '../../observe/watch/watch-attempt.ts'
import { createWatcher, type Watcher, type WatcherNeeds } from '../../observe/watch/watcher.ts'
import { createWalPositions, type WalPositions } from '../../observe/wal-position.ts'
import { createShell, type StartShellCommand } from '../../serve/push/shell-command.ts'
import { readCredentials, type ReadCredentials } from './credential-files.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { CheckOptions } from '../options/option-values.ts'
import { findDaemon } from './local-daemon.ts'
import { passedSockets, systemdNotify, type Notify } from './systemd.ts'
import type { Environment } from '../options/settings.ts'

export type Host = {
  readonly clock: Clock
  /** That of the host, without a domain. */
  readonly name: string
  readonly openProbe: (options: CheckOptions) => Probe
  readonly openTitles: () => StandbyTitles
  readonly openWalPositions: () => WalPositions
  /** See Member. */
  readonly newInstance: () => string
  /** `tls`: what to use for https now; null for what the system has. */
  readonly openPeerClient: (tls: () => PeerTls | null) => AskPeer
  readonly openClusterClient: () => Ask<ClusterView>
  readonly openHistoryClient: () => Ask<HistoryView>
  /** The running daemon of a data directory; null if none was found. */
  readonly findDaemon: (directory: string, user: number) => Promise<LocalDaemon | null>
  readonly startShellCommand: StartShellCommand
  readonly readMaintenance: (path: string | null) => Promise<Maintenance>
  /** Why others can create a file in a folder; null if they cannot. */
  readonly whoElseWrites: (folder: string) => Promise<string | null>
  readonly readDescriptorLimit: typeof readDescriptorLimit
  readonly readCredentials: ReadCredentials
  readonly findOwnNames: () => Promise<readonly string[]>
  readonly watch: (needs: Pick<WatcherNeeds, 'hint' | 'armed' | 'trouble'>) => Watcher
  /** Descriptors of listening sockets that were passed. */
  readonly sockets: Outcome<readonly number[], OperatorError>
  /** Null if systemd does not wait for notifications. */
  readonly notify: Notify | null
}

export const systemHost = (environment: Environment, pid: number): Host => {
  const clock = systemClock
  return {
    clock,
    name: hostname().replace(/\..*$/, ''),
    readMaintenance,
    readDescriptorLimit,
    whoElseWrites,
    readCredentials,
    findOwnNames,
    openProbe: ({ pgdata, controlCheck, pgControldata }) => {
      const directory = openDataDirectory(pgdata, clock)
      const program = findControlDataProgram(pgControldata, environment)
      const control = createControlSource(controlCheck, { directory, program, timers: clock })
      const processes = openProcessTable()
      const freezer = createFreezer(clock)
      const probe = createProbe({ controlCheck, directory, processes, freezer, control, clock })
      return createStandbyProbe(probe, { processes, clock })
    },
    openTitles: () => createStandbyTitles(openProcessTable(), clock),
    newInstance: createInstances(pid, clock),
    openWalPositions: () => createWalPositions(clock),
    openPeerClient: tls => createPeerClient(clock, tls),
    openClusterClient: () => createClusterClient(clock),
    openHistoryClient: () => createHistoryClient(clock),
    findDaemon: (directory, user) =>
      findDaemon(directory, { ask: createStatusClient(clock), user }),
    startShellCommand: createShell(environment),
    watch: needs => createWatcher({ ...needs, timers: clock, library: systemWatchLibrary }),
    sockets: passedSockets(environment, pid),
    notify: systemdNotify(environment, pid),
  }
}

/** No secret, so that node:crypto need not be loaded, which takes a while at the start. */
const createInstances = (pid: number, { unix, monotonic }: Clock): (() => string) => {
  let count = 0
  return () => {
    count += 1
    const host = hostname()
      .replace(/[^\w-]/g, '-')
      .slice(0, 20)
    return [host, pid, unix(), Math.trunc(monotonic() * 1000), count].join('-')
  }
}

/**
 * The names of this host, in lower case: its own, and its first label in the search domains of the
 * resolver. The DNS is not queried: it may not answer, and is under the control of others. Never
 * rejects.
 */
export const findOwnNames = async (
  read: (path: string) => Promise<string> = path => readFile(path, 'utf8'),
): Promise<readonly string[]> =>
  ownNamesFrom(hostname(), await read('/etc/resolv.conf').catch(() => ''))

/** `resolver` is the text of resolv.conf(5). */
export const ownNamesFrom = (host: string, resolver: string): readonly string[] => {
  const own = host.toLowerCase()
  const [label = ''] = own.split('.')
  const domains = Array.from(
    resolver.matchAll(/^[ \t]*(?:search|domain)[ \t]+(.*)$/gm),
    ([, list = '']) => list.split(/[ \t]+/),
  ).flat()
  const below = domains
    .map(domain => domain.toLowerCase().replaceAll(/^\.|\.$/g, ''))
    .filter(domain => domain !== '')
  return [own, ...below.map(domain => `${label}.${domain}`)]
}
