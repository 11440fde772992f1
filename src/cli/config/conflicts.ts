/**
 * Clusters of a configuration file that exclude each other: the same directory, or the same port.
 */
import { quoteText } from '../../facts/visible-text.ts'
import { exclude, portOrPath } from '../../serve/endpoint.ts'
import type { FileError, OperatorError } from '../output/operator-error.ts'
import type { ServeOptions } from '../options/option-values.ts'
import { givenFor, listenAddressesOf, type ListenAddress } from '../options/listen-addresses.ts'
import type { Given, GivenOptions } from '../options/settings.ts'

export type ConfiguredCluster = {
  readonly name: string
  readonly options: ServeOptions
  readonly given: GivenOptions
  /** Of its section. */
  readonly line: number
}

/** `path` is that of the file. */
export const findConflicts = (
  clusters: readonly ConfiguredCluster[],
  path: string,
): readonly (OperatorError | FileError)[] => {
  const claims = clusters.flatMap(cluster =>
    listenAddressesOf(cluster.options).map(address => ({ cluster, address })),
  )
  return [
    ...clusters.flatMap((cluster, index) => {
      const other = clusters
        .slice(0, index)
        .find(({ options }) => options.pgdata === cluster.options.pgdata)
      return other === undefined ? [] : [sharedDirectory(cluster, other, path)]
    }),
    ...claims.flatMap((claim, index) => {
      const other = claims.slice(0, index).find(({ address }) => exclude(address, claim.address))
      return other === undefined ? [] : [sharedPort(claim, other, path)]
    }),
  ]
}

const sharedDirectory = (
  cluster: ConfiguredCluster,
  other: ConfiguredCluster,
  path: string,
): FileError => {
  const { pgdata } = cluster.options
  const line = cluster.given.get('pgdata')?.[0]?.at?.line ?? cluster.line
  return {
    message: `${path}:${line}: pgdata ${quoteText(pgdata)} is already used by cluster ${other.name}`,
    hint: 'each cluster has a data directory of its own',
    line,
  }
}

type Claim = { readonly cluster: ConfiguredCluster; readonly address: ListenAddress }

const sharedPort = (claim: Claim, other: Claim, path: string): OperatorError | FileError => {
  const [given, before] = [givenTo(claim), givenTo(other)]
  const [source, otherSource] = [sourceOf(given, claim, path), sourceOf(before, other, path)]
  const user = other.cluster === claim.cluster ? '' : ` by cluster ${other.cluster.name}`
  const error = {
    message:
      `${source}: ${portOrPath(claim.address)} of cluster ${claim.cluster.name} is already used` +
      `${user}${source === otherSource ? '' : ` (${otherSource})`}`,
    hint:
      source === otherSource && user !== ''
        ? `${source} applies to every cluster: set ${claim.address.by.port} in each section instead`
        : 'use another port, or a separate address for each',
  }
  if (given === null) return { ...error, line: claim.cluster.line }
  return given.at === null ? error : { ...error, line: given.at.line }
}

/** Where the port was given, or else the address; null if both are defaults. */
const givenTo = ({ cluster: { given }, address }: Claim): Given | null =>
  givenFor(given, address.by.port, address) ?? givenFor(given, address.by.address, address)

/** For a default, the line of the section. */
const sourceOf = (given: Given | null, { cluster }: Claim, path: string): string => {
  if (given === null) return `${path}:${cluster.line}`
  return given.at === null ? given.name : `${given.at.path}:${given.at.line}`
}
