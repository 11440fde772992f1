/**
 * `--discover`: proposes a configuration file for the clusters that Debian's tools have made. One
 * that is answered for by bgw_replstatus keeps its port and address, so that no load balancer has
 * to be told.
 */
import { writeConfigValue } from '../facts/config-line.ts'
import { plainText, quoteText } from '../facts/foreign-text.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { workerSettings, type ServerSettings } from '../facts/server-settings.ts'
import { exclude, type Endpoint } from '../serve/endpoint.ts'
import { lawfulName } from './config-file.ts'
import { ipAddress } from './forms.ts'
import type { OperatorError } from './operator-error.ts'
import { defaultPort } from './query.ts'

export type DebianCluster = {
  /** VERSION-NAME */
  readonly name: string
  /** Null where postgresql.conf does not say it. */
  readonly pgdata: string | null
  readonly settings: ServerSettings
  /** What ALTER SYSTEM wrote could be read, too. */
  readonly complete: boolean
}

/** A file as --config takes it, ending with a line feed. */
export const proposeConfiguration = (
  clusters: readonly DebianCluster[],
): Outcome<string, OperatorError> => {
  const usable = clusters.filter(isUsable)
  if (usable.length === 0) return fault(nothingFound)
  const claims = new Map<string, Endpoint>()
  for (const cluster of usable) {
    const claim = claimOf(cluster)
    if (claim === null || [...claims.values()].some(other => exclude(other, claim))) continue
    claims.set(cluster.name, claim)
  }
  const taken = new Set([...claims.values()].map(({ port }) => port))
  for (const { settings } of clusters) taken.add(Number(settings.get('port') ?? 5432))
  const nextFree = (): number => {
    let port = defaultPort
    while (taken.has(port)) port += 1
    taken.add(port)
    return port
  }
  const sections = clusters.map(cluster =>
    isUsable(cluster)
      ? section(cluster, claims.get(cluster.name) ?? { port: nextFree(), address: null })
      : [`; ${plainText(cluster.name)} is left out: ${unusable(cluster)}.`],
  )
  const paragraphs = [introduction, ...sections].map(lines =>
    lines.map(line => `${line}\n`).join(''),
  )
  return fact(paragraphs.join('\n'))
}

const nothingFound: OperatorError = {
  message: 'found no cluster under /etc/postgresql, wanted those that Debian keeps there',
  hint: 'start it with -D, or write the file for --config by hand',
}

const introduction = [
  '; Proposed by pg-replstatus --discover. Where bgw_replstatus is loaded, its port and address.',
  '; Check with: pg-replstatus --config FILE --check-config',
]

type Usable = DebianCluster & { readonly pgdata: string }

const isUsable = (cluster: DebianCluster): cluster is Usable =>
  cluster.pgdata !== null &&
  writeConfigValue(cluster.pgdata) !== null &&
  lawfulName.test(cluster.name)

const unusable = ({ pgdata, name }: DebianCluster): string => {
  if (pgdata === null) return 'its postgresql.conf names no data_directory'
  return lawfulName.test(name)
    ? 'its data_directory has a line feed in its name'
    : `${quoteText(name)} is no name for a section`
}

/** What bgw_replstatus has; null where it has nothing, or what we can't have. */
const claimOf = ({ settings }: DebianCluster): Endpoint | null => {
  const worker = workerSettings(settings)
  if (worker === null) return null
  const { port, bind } = worker
  const address = bind === null ? null : ipAddress.read(bind)
  const fits = Number.isInteger(port) && port > 0 && port < 65_536
  return fits && (bind === null || address !== null) ? { port, address } : null
}

const section = (
  { name, pgdata, settings, complete }: Usable,
  { port, address }: Endpoint,
): readonly string[] => {
  const lines = [`[${name}]`, `pgdata = ${writeConfigValue(pgdata)}`]
  const worker = workerSettings(settings)
  if (worker !== null && (worker.port !== port || (worker.bind !== null && address === null))) {
    const kept = worker.bind === null ? '' : ` with bgw_replstatus.bind ${quoteText(worker.bind)}`
    lines.push(`; bgw_replstatus.port ${worker.port}${kept} can't be had here.`)
  }
  if (!complete)
    lines.push('; What ALTER SYSTEM wrote could not be read: run it as root to see it.')
  lines.push(`port = ${port}`)
  if (address !== null) lines.push(`bind = ${address}`)
  return lines
}
