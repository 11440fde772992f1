/** The daemon, from the first look for mistakes to the signal that ends it. */
import assert from 'node:assert'
import type { Event } from '../facts/event.ts'
import type { Outcome } from '../facts/outcome.ts'
import { refusalOf } from '../facts/refusal.ts'
import type { Accounts } from './accounts.ts'
import { refusalToServe } from './cluster-to-be.ts'
import { createDrain, type Drain } from './drain.ts'
import { exitCodes, exitDone } from './exit-codes.ts'
import { createFleet, ofCluster, type Fleet } from './fleet.ts'
import type { ClusterReport } from './log.ts'
import { lookOnce } from './look.ts'
import type { OperatorError } from './operator-error.ts'
import type { Cluster, Configuration, LogOptions } from './option-values.ts'
import type { Outside } from './outside.ts'
import { patiently } from './patience.ts'
import { givenFor } from './places.ts'
import { dropPrivileges, type Privileges } from './privileges.ts'
import { createReloading } from './reloading.ts'
import { createServiceStatus, type ServiceStatus } from './service-status.ts'
import { startServing } from './serving.ts'
import { sourceOf, withSource } from './settings.ts'

export type RunNeeds = {
  readonly version: string
  readonly accounts: Accounts
  readonly outside: Outside
  readonly logAs: (options: LogOptions) => ClusterReport
  readonly fail: (error: OperatorError) => void
  /** From now on a signal stops in good order; resolves with the name of the first. */
  readonly stopAsked: () => Promise<string>
  /** Takes what a signal makes us do from now on. */
  readonly whenRecordAsked: (action: () => void) => void
  /** From now on a signal drains all clusters, or ends that. */
  readonly onDrainSignal: (toggle: () => void) => void
  /** From now on SIGHUP is heard. */
  readonly reloadAsked: (listener: () => void) => void
  /** Reads the configuration again; null where it has no file. */
  readonly reread: (() => Promise<Outcome<Configuration, readonly OperatorError[]>>) | null
}

/** Serves until asked to stop; resolves to the exit code. */
export const serve = async (configuration: Configuration, needs: RunNeeds): Promise<number> => {
  const { fail } = needs
  const { clusters } = configuration
  const stopped = needs.stopAsked()
  let log = needs.logAs(configuration)
  const report: ClusterReport = (event, cluster) => log(event, cluster)
  const service = createServiceStatus({
    notify: needs.outside.notify,
    timers: needs.outside.clock,
    report,
  })
  const reloading = createReloading(needs.reread, {
    report,
    began: service.reloading,
    ended: service.ready,
    take: async (next, fleet) => {
      log = needs.logAs(next)
      await fleet.change(next.clusters)
    },
  })
  needs.reloadAsked(reloading.ask)
  // At once: as long as nobody listens, the signal ends the process.
  const drain = createDrain(needs.outside, report)
  needs.onDrainSignal(drain.toggle)
  // A disk that hangs at the start must not hold up the end.
  const found = await Promise.race([findMistakes(clusters, { ...needs, report }), stopped])
  if (typeof found === 'string') return exitDone
  const fleet = openFleet({ ...needs, report, drain, service })
  const errors = found.length > 0 ? found : await fleet.start(clusters)
  for (const error of errors) fail(error)
  if (errors.length > 0) return exitCodes.couldNotLook
  service.ready()
  needs.whenRecordAsked(() => tellHistory(fleet, report))
  reloading.begin(fleet)
  report({ kind: 'stopping', signal: await stopped })
  service.destroy()
  fleet.stop()
  report({ kind: 'stopped' })
  return exitDone
}

const tellHistory = (fleet: Fleet, report: ClusterReport): void => {
  for (const { cluster, serving } of fleet.members()) {
    for (const change of serving.knowledge.history()) {
      report({ kind: 'change recorded', ...change }, cluster.name)
    }
  }
}

type Needs = Pick<RunNeeds, 'accounts' | 'outside' | 'version'> & { readonly report: ClusterReport }

const openFleet = (
  needs: Needs & { readonly drain: Drain; readonly service: ServiceStatus },
): Fleet => {
  const { version, outside, report, drain, service } = needs
  return createFleet({
    report,
    judge: cluster => judge(cluster, { kind: 'never had any' }, needs),
    open: cluster => {
      const { name, options } = cluster
      report({ kind: 'started', version, directory: options.pgdata, pid: process.pid }, name)
      const reportOf = (event: Event): void => report(event, name)
      return startServing(options, {
        outside,
        report: reportOf,
        maintenance: drain.watchFor(options),
        follow: verdict => service.follow(name, verdict),
        written: (option, endpoint) => {
          const given = givenFor(cluster.given, option, endpoint)
          return sourceOf(given ?? { name: name === null ? `--${option}` : option, at: null })
        },
      })
    },
  })
}

/** None when there is none; then we are by now whoever owns the first data directory. */
const findMistakes = async (
  clusters: readonly Cluster[],
  needs: Needs,
): Promise<readonly OperatorError[]> => {
  const { accounts, outside, report } = needs
  const [first] = clusters
  assert(first !== undefined, 'a configuration without a cluster')
  const passed = outside.sockets.ok ? outside.sockets.fact.length : 0
  if (first.name !== null && passed > 0) return [whoseSocket]
  const dropped = await dropPrivileges(first.options.pgdata, accounts)
  if (!dropped.ok) return [dropped.fault]
  const privileges = dropped.fact
  if (privileges.kind === 'dropped') {
    const { user, group } = privileges.account
    report({ kind: 'privileges dropped', user, group })
  }
  const judgements = clusters.map(async cluster => {
    const refusal = await judge(cluster, privileges, needs)
    return refusal === null ? null : ofCluster(refusal, cluster)
  })
  return (await Promise.all(judgements)).filter(refusal => refusal !== null)
}

const judge = async (
  cluster: Cluster,
  privileges: Privileges,
  needs: Needs,
): Promise<OperatorError | null> => {
  const refusal = await judgeDirectory(cluster, privileges, needs)
  return refusal === null ? null : withSource(refusal, cluster.given, 'pgdata')
}

const judgeDirectory = async (
  { options }: Cluster,
  privileges: Privileges,
  { accounts, outside }: Needs,
): Promise<OperatorError | null> => {
  const snapshot = await patiently(
    lookOnce(outside.openProbe(options), outside.clock, { restartMs: 0 }),
    outside.clock,
  )
  const userName = await accounts.names()
  if (privileges.kind === 'still root') {
    const refusal = snapshot === null ? null : refusalOf(snapshot.evidence, userName)
    return refusal ?? ownedByRoot(options.pgdata)
  }
  return snapshot === null ? null : refusalToServe(snapshot.evidence, userName)
}

const whoseSocket: OperatorError = {
  message: 'systemd has passed a socket, and a configuration file does not tell whose it is',
  hint: 'use a unit with a socket for each cluster, or a configuration file without a socket',
}

const ownedByRoot = (path: string): OperatorError => ({
  message: `started as root, and ${path} belongs to root, wanted the user that runs the server`,
  hint: 'run as that user, such as: runuser -u postgres -- pg-replstatus',
})
