/**
 * `--discover`: proposes a configuration file for the clusters that Debian's tools have created. A
 * cluster with bgw_replstatus keeps its port and address, so that load balancers need no change.
 */
import { isAbsolute, resolve } from 'node:path'
import { writeConfigValue } from '../config/config-line.ts'
import { plainText, quoteText, visibleText } from '../../facts/visible-text.ts'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import { workerSettings, type ServerSettings } from '../../facts/decode/postgresql-conf.ts'
import { exclude, type Endpoint } from '../../serve/endpoint.ts'
import { sectionName } from '../config/config-file.ts'
import { ipAddress } from '../options/option-forms.ts'
import type { OperatorError } from '../output/operator-error.ts'
import { defaultPort } from '../options/query-target.ts'

export type DebianCluster = {
  /** VERSION-NAME */
  readonly name: string
  /** Null if postgresql.conf does not set it. */
  readonly pgdata: string | null
  readonly settings: ServerSettings
  /** Files that could not be read, each with the reason. */
  readonly unread: readonly string[]
  /** The settings made by ALTER SYSTEM are included. */
  readonly complete: boolean
}

/**
 * A file for --config, ending with a line feed. Names and settings are controlled by the account
 * that runs the server, and root may use the file: whatever they are, a section has no other keys
 * than pgdata, port and bind.
 */
export const proposeConfiguration = (
  clusters: readonly DebianCluster[],
): Outcome<string, OperatorError> => {
  const judged = judge(clusters)
  const usable = judged.flatMap(one => ('directory' in one ? one : []))
  if (usable.length === 0) return fault(nothingFound)
  const claims = new Map<Usable, Endpoint>()
  for (const one of usable) {
    const claim = claimOf(one.cluster)
    if (claim === null || [...claims.values()].some(other => exclude(other, claim))) continue
    claims.set(one, claim)
  }
  const taken = new Set([...claims.values()].map(({ port }) => port))
  for (const { settings } of clusters) taken.add(Number(settings.get('port') ?? 5432))
  const nextFree = (): number => {
    let port = defaultPort
    while (taken.has(port)) port += 1
    taken.add(port)
    return port
  }
  const sections = judged.map(one =>
    'directory' in one
      ? section(one, claims.get(one) ?? { port: nextFree(), address: null })
      : [`; ${plainText(one.cluster.name)} is left out: ${one.because}.`],
  )
  const paragraphs = [introduction, ...sections].map(lines =>
    lines.map(line => `${line}\n`).join(''),
  )
  return fact(paragraphs.join('\n'))
}

const nothingFound: OperatorError = {
  message: 'no cluster found in /etc/postgresql',
  hint: 'start pg-replstatus with -D, or write the file for --config by hand',
}

const introduction = [
  '; Proposed by pg-replstatus --discover, with port and address of bgw_replstatus, if loaded.',
  '; Check with: pg-replstatus --config FILE --check-config',
]

/** `directory` is its data_directory as written in the file. */
type Usable = { readonly cluster: DebianCluster; readonly directory: string }

const judge = (
  clusters: readonly DebianCluster[],
): readonly (Usable | { readonly cluster: DebianCluster; readonly because: string })[] => {
  const known = new Map<string, string>()
  return clusters.map(cluster => {
    const { name, pgdata, unread } = cluster
    if (!sectionName.test(name)) {
      return { cluster, because: `${quoteText(name)} is not a valid section name` }
    }
    if (pgdata === null) {
      const because = unread.map(couldNotRead).join(', ')
      return { cluster, because: because || 'data_directory is not set in its postgresql.conf' }
    }
    if (!isAbsolute(pgdata))
      return { cluster, because: 'its data_directory is not an absolute path' }
    const directory = isPrintable(pgdata) ? writeConfigValue(pgdata) : null
    if (directory === null) {
      return { cluster, because: 'the name of its data_directory is not printable UTF-8' }
    }
    const first = known.get(resolve(pgdata))
    if (first !== undefined) return { cluster, because: `its data_directory is that of ${first}` }
    known.set(resolve(pgdata), name)
    return { cluster, directory }
  })
}

/** Invalid UTF-8 has been read as the replacement character. */
const isPrintable = (text: string): boolean =>
  visibleText(text) === text && !text.includes('\uFFFD')

const couldNotRead = (file: string): string => `could not read ${visibleText(file)}`

/** Port and address of bgw_replstatus; null if there are none, or they cannot be used. */
const claimOf = ({ settings }: DebianCluster): Endpoint | null => {
  const worker = workerSettings(settings)
  if (worker === null) return null
  const { port, bind } = worker
  const address = bind === null || !isPrintable(bind) ? null : ipAddress.read(bind)
  const fits = Number.isInteger(port) && port > 0 && port < 65_536
  return fits && (bind === null || address !== null) ? { port, address } : null
}

const section = (
  { cluster: { name, settings, unread, complete }, directory }: Usable,
  { port, address }: Endpoint,
): readonly string[] => {
  const lines = [`[${name}]`, `pgdata = ${directory}`]
  const worker = workerSettings(settings)
  if (worker !== null && (worker.port !== port || (worker.bind !== null && address === null))) {
    const kept =
      worker.bind === null
        ? ''
        : ` with bgw_replstatus.bind ${quoteText(worker.bind.slice(0, 100))}`
    lines.push(`; bgw_replstatus.port ${worker.port}${kept} cannot be used here.`)
  }
  lines.push(...unread.map(file => `; ${couldNotRead(file)}.`))
  if (!complete)
    lines.push('; The settings of ALTER SYSTEM could not be read: run --discover as root.')
  lines.push(`port = ${port}`)
  if (address !== null) lines.push(`bind = ${address}`)
  return lines
}
