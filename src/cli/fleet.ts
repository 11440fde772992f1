/**
 * The clusters that one process serves, each apart from the others: what becomes of one leaves
 * the ports of the others as they are.
 */
import type { Event } from '../facts/event.ts'
import type { Outcome } from '../facts/outcome.ts'
import { exclude } from '../serve/endpoint.ts'
import type { OperatorError } from './operator-error.ts'
import type { Cluster } from './option-values.ts'
import { placesOf } from './places.ts'
import type { Serving } from './serving.ts'

export type FleetNeeds = {
  /** Null where nothing speaks against serving it. */
  readonly judge: (cluster: Cluster) => Promise<OperatorError | null>
  readonly open: (cluster: Cluster) => Promise<Outcome<Serving, OperatorError>>
  readonly report: (event: Event, cluster: string | null) => void
}

export type Fleet = {
  /** Opens all of them, or tells what keeps which of them from it; then none is left open. */
  readonly start: (clusters: readonly Cluster[]) => Promise<readonly OperatorError[]>
  /** Serves these instead. One at a time, and only after the start. */
  readonly change: (clusters: readonly Cluster[]) => Promise<void>
  readonly members: () => readonly Member[]
  /** For good, also what is being opened meanwhile. */
  readonly stop: () => void
}

export type Member = { readonly cluster: Cluster; readonly serving: Serving }

export const createFleet = ({ judge, open, report }: FleetNeeds): Fleet => {
  const members = new Map<string | null, Member>()
  let stopped = false

  const launch = async (cluster: Cluster): Promise<OperatorError | null> => {
    if (stopped) return null
    const taken = takenFrom(cluster, [...members.values()])
    if (taken !== null) return taken
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
      if (error !== null) errors.push(ofCluster(error, cluster))
    }
    if (errors.length > 0) stop()
    return errors
  }

  const tellFailed = ({ message, hint }: OperatorError, name: string | null): void => {
    const served = members.has(name) ? 'as before' : 'no more'
    report({ kind: 'cluster failed', because: message, hint, served }, name)
  }

  /** Null for one that is not to be touched. */
  const judged = async (cluster: Cluster): Promise<Cluster | null> => {
    const refusal = await judge(cluster)
    if (refusal !== null) tellFailed(refusal, cluster.name)
    return refusal === null ? cluster : null
  }

  const change = async (clusters: readonly Cluster[]): Promise<void> => {
    const isNew = (cluster: Cluster): boolean =>
      !isSame(members.get(cluster.name)?.cluster, cluster)
    const looked = await Promise.all(clusters.filter(isNew).map(judged))
    if (stopped) return
    const next = looked.filter(cluster => cluster !== null)
    const names = new Set(clusters.map(({ name }) => name))
    const removed = [...members.values()].filter(({ cluster }) => !names.has(cluster.name))
    const replaced = next.flatMap(({ name }) => members.get(name) ?? [])
    for (const member of removed) {
      end(member)
      report({ kind: 'stopped' }, member.cluster.name)
    }
    // All of them first: one may be given the port of another.
    for (const member of replaced) end(member)
    const counts = { started: 0, changed: 0 }
    for (const cluster of next) {
      const before = replaced.find(member => member.cluster.name === cluster.name)
      const error = await launch(cluster)
      if (error === null) counts[before === undefined ? 'started' : 'changed'] += 1
      else await fallBack(error, { cluster, before })
    }
    const unchanged = members.size - counts.started - counts.changed
    report({ kind: 'reloaded', ...counts, stopped: removed.length, unchanged }, null)
  }

  const fallBack = async (error: OperatorError, { cluster, before }: Change): Promise<void> => {
    const again = before === undefined ? null : await launch(before.cluster)
    tellFailed(error, cluster.name)
    if (again !== null) tellFailed(again, cluster.name)
  }

  return { start, change, members: () => [...members.values()], stop }
}

type Change = { readonly cluster: Cluster; readonly before: Member | undefined }

/**
 * A file has no two clusters on one port, but one that could not be changed goes on where it was.
 * Its port may be closed for the moment, so that opening it would not fail.
 */
const takenFrom = (cluster: Cluster, members: readonly Member[]): OperatorError | null => {
  for (const place of placesOf(cluster.options)) {
    const rival = members.find(member =>
      placesOf(member.cluster.options).some(other => exclude(other, place)),
    )
    if (rival === undefined) continue
    const { name } = rival.cluster
    return {
      message: `port ${place.port} is already used by cluster ${name}`,
      hint: `reload again as soon as cluster ${name} has left that port`,
    }
  }
  return null
}

/** Both made by options.ts, so that equal ones are written equally. Lines may move in a file. */
const isSame = (one: Cluster | undefined, other: Cluster): boolean =>
  one?.name === other.name && JSON.stringify(one.options) === JSON.stringify(other.options)

/** Which of several can't be served. */
export const ofCluster = ({ message, hint }: OperatorError, { name }: Cluster): OperatorError => ({
  message: name === null ? message : `cluster ${name}: ${message}`,
  hint,
})
