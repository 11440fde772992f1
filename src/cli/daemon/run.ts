/** The daemon, from the checks before the start to the signal that stops it. */
import assert from 'node:assert'
import type { Event } from '../../facts/report/event.ts'
import { fact, type Outcome } from '../../facts/outcome.ts'
import { createDescriptorBudget, type DescriptorBudget } from '../../serve/descriptor-budget.ts'
import type { Account, Accounts } from '../system/accounts.ts'
import { refusalOfCluster } from './may-start.ts'
import { createMaintenanceSwitch, type MaintenanceSwitch } from './maintenance-switch.ts'
import { exitCodes, exitDone } from '../output/exit-codes.ts'
import { createFleet, errorOfCluster, type Fleet } from './fleet.ts'
import type { ClusterReport } from '../output/log.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { Cluster, Configuration, LogOptions } from '../options/option-values.ts'
import type { Host } from '../system/host.ts'
import { givenFor, listenAddressesOf } from '../options/listen-addresses.ts'
import { dropPrivileges } from '../system/privileges.ts'
import { createReloader } from './reload.ts'
import { createServiceNotifier, type ServiceNotifier } from './service-notifier.ts'
import { startServing } from './serving.ts'
import { sourceOf, withSource } from '../options/settings.ts'
import type { OperatorSignals } from './signals.ts'
import { version } from '../output/version.ts'

export type DaemonNeeds = OperatorSignals & {
  readonly accounts: Accounts
  /** The account that root has become to read the configuration; null for none. */
  readonly account: Account | null
  readonly host: Host
  readonly logAs: (options: LogOptions) => ClusterReport
  readonly fail: (error: OperatorError) => void
  /** Reads the configuration file again; null without a file. */
  readonly reread: (() => Promise<Outcome<Configuration, readonly OperatorError[]>>) | null
}

/** Serves until a signal stops it; resolves to the exit code. */
export const serve = async (configuration: Configuration, needs: DaemonNeeds): Promise<number> => {
  const { host, fail } = needs
  const { clusters } = configuration
  const stopped = needs.stopRequested()
  let log = needs.logAs(configuration)
  const report: ClusterReport = (event, cluster) => log(event, cluster)
  const budget = createDescriptorBudget(report)
  const limitDescriptors = async (served: readonly Cluster[]): Promise<OperatorError | null> => {
    const limit = await host.readDescriptorLimit()
    return budget.setLimit(
      limit,
      served.map(({ options }) => listenAddressesOf(options).length),
    )
  }
  const notifier = createServiceNotifier({ notify: host.notify, timers: host.clock, report })
  const reloader = createReloader(needs.reread ?? sameAgain(configuration), {
    report,
    began: notifier.reloading,
    ended: notifier.ready,
    apply: async (next, fleet) => {
      const tooLow = await limitDescriptors(next.clusters)
      if (tooLow !== null) {
        const { message, hint } = tooLow
        return report({ kind: 'reload refused', because: message, hint })
      }
      log = needs.logAs(next)
      await fleet.change(next.clusters)
      budget.report()
      maintenance.checkFolders()
    },
  })
  // Without a listener, each of these signals would terminate the process.
  needs.onReload(reloader.request)
  const maintenance = createMaintenanceSwitch(host, report)
  needs.onMaintenance(maintenance.toggle)
  // A disk that hangs during the start must not prevent the stop.
  const found = await Promise.race([prepare(configuration, { ...needs, report }), stopped])
  if (typeof found === 'string') return exitDone
  const tooLow = await limitDescriptors(clusters)
  const obstacles = tooLow === null ? found : [...found, tooLow]
  const fleet = openFleet({ ...needs, report, maintenance, notifier, budget })
  const errors = obstacles.length > 0 ? obstacles : await fleet.start(clusters)
  for (const error of errors) fail(error)
  if (errors.length > 0) return exitCodes.error
  budget.report()
  notifier.ready()
  maintenance.checkFolders()
  needs.onHistory(() => reportHistory(fleet, report))
  reloader.begin(fleet)
  report({ kind: 'stopping', signal: await stopped })
  notifier.destroy()
  fleet.stop()
  report({ kind: 'stopped' })
  return exitDone
}

/** Without a configuration file, there may be a certificate to be read again. */
const sameAgain = (configuration: Configuration): DaemonNeeds['reread'] =>
  configuration.clusters.some(({ options }) => options.httpTls !== null)
    ? () => Promise.resolve(fact(configuration))
    : null

const reportHistory = (fleet: Fleet, report: ClusterReport): void => {
  for (const { cluster, serving } of fleet.members()) {
    for (const change of serving.knowledge.history()) {
      report({ kind: 'change recorded', ...change }, cluster.name)
    }
  }
}

type Needs = Pick<DaemonNeeds, 'accounts' | 'account' | 'host'> & { readonly report: ClusterReport }

const openFleet = (
  needs: Needs & {
    readonly maintenance: MaintenanceSwitch
    readonly notifier: ServiceNotifier
    readonly budget: DescriptorBudget
  },
): Fleet => {
  const { host, report, maintenance, notifier, budget } = needs
  return createFleet({
    report,
    check: async cluster => {
      // The check opens files, too.
      const { leave } = budget.join()
      const refusal = await checkCluster(cluster, needs)
      leave()
      return refusal
    },
    open: cluster => {
      const { name, options } = cluster
      report({ kind: 'started', version, directory: options.pgdata, pid: process.pid }, name)
      return startServing(options, {
        host,
        budget,
        report: (event: Event): void => report(event, name),
        maintenance: maintenance.watchFor(options),
        follow: verdict => notifier.follow(name, verdict),
        sourceFor: (option, endpoint) => {
          const given = givenFor(cluster.given, option, endpoint)
          return sourceOf(given ?? { name: name === null ? `--${option}` : option, at: null })
        },
      })
    },
  })
}

/** Becomes the account to run as, and checks each cluster. Returns what prevents the start. */
const prepare = async (
  { clusters, user }: Configuration,
  needs: Needs,
): Promise<readonly OperatorError[]> => {
  const { accounts, account: present, host, report } = needs
  const reportAccount = (account: Account): void =>
    report({ kind: 'privileges dropped', user: account.user, group: account.group })
  if (present !== null) reportAccount(present)
  const [first] = clusters
  assert(first !== undefined, 'a configuration without a cluster')
  const passed = host.sockets.ok ? host.sockets.fact.length : 0
  if (first.name !== null && passed > 0) return [unassignedSocket]
  const dropped = await dropPrivileges({ user, directory: first.options.pgdata }, accounts)
  if (!dropped.ok) {
    const { fault } = dropped
    return [user === null ? errorOfCluster(withSource(fault, first.given, 'pgdata'), first) : fault]
  }
  if (dropped.fact.kind === 'dropped') reportAccount(dropped.fact.account)
  const checks = clusters.map(async cluster => {
    const refusal = await checkCluster(cluster, needs)
    return refusal === null ? null : errorOfCluster(refusal, cluster)
  })
  return (await Promise.all(checks)).filter(refusal => refusal !== null)
}

const checkCluster = async (
  cluster: Cluster,
  { accounts, host }: Needs,
): Promise<OperatorError | null> => {
  const { options, given } = cluster
  const refusal = await refusalOfCluster(cluster, { host, userName: await accounts.names() })
  if (refusal !== null) return withSource(refusal, given, 'pgdata')
  const { httpTls } = options
  if (httpTls === null) return null
  const read = await host.readCredentials(httpTls, host.clock.unix())
  return read.ok ? null : withSource(read.fault, given, 'http-cert')
}

const unassignedSocket: OperatorError = {
  message: 'cannot assign a socket passed by systemd to a cluster of the configuration file',
  hint: 'use a unit with a socket for each cluster, or a configuration file without a socket',
}
