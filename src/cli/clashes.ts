/** What no two clusters of a configuration file can have: one directory, or one place to answer. */
import { exclude } from '../serve/endpoint.ts'
import type { FileMistake, OperatorError } from './operator-error.ts'
import type { ServeOptions } from './option-values.ts'
import { givenFor, placesOf, type Place } from './places.ts'
import type { Given, GivenOptions } from './settings.ts'

export type Claimant = {
  readonly name: string
  readonly options: ServeOptions
  readonly given: GivenOptions
  /** Of its section. */
  readonly line: number
}

/** `path` is that of the file. */
export const clashes = (
  clusters: readonly Claimant[],
  path: string,
): readonly (OperatorError | FileMistake)[] => {
  const claims = clusters.flatMap(cluster =>
    placesOf(cluster.options).map(place => ({ cluster, place })),
  )
  return [
    ...clusters.flatMap((cluster, index) => {
      const rival = clusters
        .slice(0, index)
        .find(({ options }) => options.pgdata === cluster.options.pgdata)
      return rival === undefined ? [] : [sharedDirectory(cluster, rival, path)]
    }),
    ...claims.flatMap((claim, index) => {
      const rival = claims.slice(0, index).find(({ place }) => exclude(place, claim.place))
      return rival === undefined ? [] : [sharedPort(claim, rival, path)]
    }),
  ]
}

const sharedDirectory = (cluster: Claimant, rival: Claimant, path: string): FileMistake => {
  const { pgdata } = cluster.options
  const line = cluster.given.get('pgdata')?.[0]?.at?.line ?? cluster.line
  return {
    message: `${path}:${line}: pgdata is ${JSON.stringify(pgdata)}, which ${rival.name} has already`,
    hint: 'each cluster has a data directory of its own',
    line,
  }
}

type Claim = { readonly cluster: Claimant; readonly place: Place }

const sharedPort = (claim: Claim, rival: Claim, path: string): OperatorError | FileMistake => {
  const [given, before] = [givenTo(claim), givenTo(rival)]
  const [source, other] = [placeOf(given, claim, path), placeOf(before, rival, path)]
  const user = rival.cluster === claim.cluster ? '' : ` by cluster ${rival.cluster.name}`
  const told = {
    message:
      `${source}: port ${claim.place.port} of cluster ${claim.cluster.name} is already used` +
      `${user}${source === other ? '' : ` (${other})`}`,
    hint:
      source === other && user !== ''
        ? `${source} applies to every cluster: set ${claim.place.by.port} in each section instead`
        : 'use another port, or a separate address for each',
  }
  if (given === null) return { ...told, line: claim.cluster.line }
  return given.at === null ? told : { ...told, line: given.at.line }
}

/** What gave the port, or else the address; null where both are the defaults. */
const givenTo = ({ cluster: { given }, place }: Claim): Given | null =>
  givenFor(given, place.by.port, place) ?? givenFor(given, place.by.address, place)

/** A default is told with the line of the section. */
const placeOf = (given: Given | null, { cluster }: Claim, path: string): string => {
  if (given === null) return `${path}:${cluster.line}`
  return given.at === null ? given.name : `${given.at.path}:${given.at.line}`
}
