/**
 * The clusters that one process serves. They are independent: a change or a failure of one does not
 * affect the ports of the others.
 */
import type { Event } from '../../facts/report/event.ts'
import type { Outcome } from '../../facts/outcome.ts'
import { exclude, portOrPath } from '../../serve/endpoint.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { Cluster } from '../options/option-values.ts'
import { listenAddressesOf } from '../options/listen-addresses.ts'
import type { Serving } from './serving.ts'

export type FleetNeeds = {
  /** Null if it can be served. */
  readonly check: (cluster: Cluster) => Promise<OperatorError | null>
  readonly open: (cluster: Cluster) => Promise<Outcome<Serving, OperatorError>>
  readonly report: (event: Event, cluster: string | null) => void
}

export type Fleet = {
  /** Opens all clusters. If one fails, all are closed again, and the errors are returned. */
  readonly start: (clusters: readonly Cluster[]) => Promise<readonly OperatorError[]>
  /** Serves these clusters instead. One call at a time, and only after the start. */
  readonly change: (clusters: readonly Cluster[]) => Promise<void>
  readonly members: () => readonly Member[]
  /** Permanent, also for clusters that are being opened. */
  readonly stop: () => void
}

export type Member = { readonly cluster: Cluster; readonly serving: Serving }

export const createFleet = ({ check, open, report }: FleetNeeds): Fleet => {
  const members = new Map<string | null, Member>()
  let stopped = false

  const launch = async (cluster: Cluster): Promise<OperatorError | null> => {
    if (stopped) return null
    const inUse = portInUse(cluster, [...members.values()])
    if (inUse !== null) return inUse
    const opened = await open(cluster)
    if (!opened.ok) return opened.fault
    if (stopped) opened.fact.stop()
    else members.set(cluster.name, { cluster, serving: opened.fact })
    return null
  }

  const end = ({ cluster, serving }: Member): void => {
    serving.stop()
    members.delete(cluster.name)
  }

  const stop = (): void => {
    stopped = true
    for (const member of members.values()) end(member)
  }

  const start = async (clusters: readonly Cluster[]): Promise<readonly OperatorError[]> => {
    const errors: OperatorError[] = []
    for (const cluster of clusters) {
      const error = await launch(cluster)
      if (error !== null) errors.push(errorOfCluster(error, cluster))
    }
    if (errors.length > 0) stop()
    return errors
  }

  const reportFailure = ({ message, hint }: OperatorError, name: string | null): void => {
    const served = members.has(name) ? 'as before' : 'no longer'
    report({ kind: 'cluster failed', because: message, hint, served }, name)
  }

  /** Null for a cluster that is left as it is. */
  const checked = async (cluster: Cluster): Promise<Cluster | null> => {
    const refusal = await check(cluster)
    if (refusal !== null) reportFailure(refusal, cluster.name)
    return refusal === null ? cluster : null
  }

  const change = async (clusters: readonly Cluster[]): Promise<void> => {
    const isNew = (cluster: Cluster): boolean =>
      !isSame(members.get(cluster.name)?.cluster, cluster)
    const results = await Promise.all(clusters.filter(isNew).map(checked))
    if (stopped) return
    const next = results.filter(cluster => cluster !== null)
    const names = new Set(clusters.map(({ name }) => name))
    const removed = [...members.values()].filter(({ cluster }) => !names.has(cluster.name))
    const replaced = next.flatMap(({ name }) => members.get(name) ?? [])
    for (const member of removed) {
      end(member)
      report({ kind: 'stopped' }, member.cluster.name)
    }
    // All of them before the first is opened: it may have the port of another one.
    for (const member of replaced) end(member)
    // Without those that are opened below, which read their certificates anyway.
    const unchangedOnes = [...members.values()]
    const counts = { started: 0, changed: 0 }
    for (const cluster of next) {
      const before = replaced.find(member => member.cluster.name === cluster.name)
      const error = await launch(cluster)
      if (error === null) counts[before === undefined ? 'started' : 'changed'] += 1
      else await fallBack(error, { cluster, before })
    }
    await Promise.all(unchangedOnes.map(({ serving }) => serving.renew()))
    const unchanged = members.size - counts.started - counts.changed
    report({ kind: 'reloaded', ...counts, stopped: removed.length, unchanged }, null)
  }

  const fallBack = async (error: OperatorError, { cluster, before }: Change): Promise<void> => {
    const again = before === undefined ? null : await launch(before.cluster)
    reportFailure(error, cluster.name)
    if (again !== null) reportFailure(again, cluster.name)
  }

  return { start, change, members: () => [...members.values()], stop }
}

type Change = { readonly cluster: Cluster; readonly before: Member | undefined }

/**
 * In a file no two clusters have the same port, but a cluster that could not be changed keeps its
 * former one. While that port is closed, opening it for another cluster would not fail.
 */
const portInUse = (cluster: Cluster, members: readonly Member[]): OperatorError | null => {
  for (const address of listenAddressesOf(cluster.options)) {
    const other = members.find(member =>
      listenAddressesOf(member.cluster.options).some(one => exclude(one, address)),
    )
    if (other === undefined) continue
    const { name } = other.cluster
    return {
      message: `${portOrPath(address)} is already used by cluster ${name}`,
      hint: `reload again when cluster ${name} no longer uses that port`,
    }
  }
  return null
}

/** Equal options are written equally in JSON, since both were made by command-line.ts. */
const isSame = (one: Cluster | undefined, other: Cluster): boolean =>
  one?.name === other.name && JSON.stringify(one.options) === JSON.stringify(other.options)

export const errorOfCluster = (
  { message, hint }: OperatorError,
  { name }: Cluster,
): OperatorError => ({
  message: name === null ? message : `cluster ${name}: ${message}`,
  hint,
})
