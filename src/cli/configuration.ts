/** A configuration file judged: what the process is to serve, or every mistake in the file. */
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import type { Endpoint } from '../serve/endpoint.ts'
import { parseConfigFile, type ConfigSection } from './config-file.ts'
import { helpHint } from './command-words.ts'
import { path as pathForm } from './forms.ts'
import type { FileMistake, OperatorError } from './operator-error.ts'
import type { OptionName } from './option-table.ts'
import { localOptions, logOptions, serveOptions } from './options.ts'
import type { Cluster, ConfigRequest, Configuration, ServeOptions } from './option-values.ts'
import { createSettings, type Entries, type Settings } from './settings.ts'

/** `text` is what the file says. */
export const readConfiguration = (
  text: string,
  { path, flags, environment: surrounding }: ConfigRequest,
): Outcome<Configuration, readonly OperatorError[]> => {
  const file = parseConfigFile(text, path)
  // Set for PostgreSQL's own tools, or for a probe of one cluster.
  const { PGDATA: _, PG_REPLSTATUS_PORT: __, ...environment } = surrounding
  const mistakes: (OperatorError | FileMistake)[] = [...file.mistakes]

  const settingsOf = (parts: readonly Entries[]): Settings =>
    createSettings(flags, { environment, file: { path, parts }, hint: helpHint('serve') })

  const readCluster = (section: ConfigSection): Found | null => {
    const settings = settingsOf([section.entries, file.top])
    const pgdata = settings.one('pgdata', pathForm, null)
    const options = { ...localOptions(pgdata ?? '', settings), ...serveOptions(settings) }
    mistakes.push(...settings.mistakes)
    if (!section.entries.has('pgdata')) mistakes.push(noDirectory(path, section))
    return pgdata === null ? null : { name: section.name, options, section }
  }

  const log = settingsOf([file.top])
  const logs = logOptions(log)
  mistakes.push(...log.mistakes)
  const found = file.sections.map(readCluster).filter(cluster => cluster !== null)
  mistakes.push(...clashes(found, path))
  if (file.sections.length === 0) mistakes.push(noSection(path))
  if (mistakes.length > 0) return fault(inOrder(mistakes))
  const clusters = found.map(({ name, options }): Cluster => ({ name, options }))
  return fact({ ...logs, clusters })
}

type Found = {
  readonly name: string
  readonly options: ServeOptions
  readonly section: ConfigSection
}

const noSection = (path: string): OperatorError => ({
  message: `${path} has no section, wanted one for each cluster`,
  hint: 'begin it with its name, [main], and name its data directory below: pgdata = ...',
})

const noDirectory = (path: string, { name, line }: ConfigSection): FileMistake => ({
  message: `${path}:${line}: cluster ${name} has no pgdata, wanted its data directory`,
  hint: 'add a line such as: pgdata = /var/lib/postgresql/16/main',
  line,
})

/** Two clusters with one directory, or on one port of one address. */
const clashes = (found: readonly Found[], path: string): readonly FileMistake[] =>
  found.flatMap((later, index) => {
    const earlier = found.slice(0, index)
    const mistakes: FileMistake[] = []
    const tell = (keys: readonly OptionName[], message: string, hint: string): void => {
      const line = lineOf(later.section, keys)
      mistakes.push({ message: `${path}:${line}: ${message}`, hint, line })
    }
    const { pgdata } = later.options
    const same = earlier.find(({ options }) => options.pgdata === pgdata)
    if (same !== undefined) {
      const message = `pgdata is ${JSON.stringify(pgdata)}, which ${same.name} has already`
      tell(['pgdata'], message, 'each cluster has a data directory of its own')
    }
    for (const { keys, port, addresses } of placesOf(later.options)) {
      const isTaken = (place: Place): boolean =>
        port !== 0 && place.port === port && overlap(place.addresses, addresses)
      const taken = earlier.find(({ options }) => placesOf(options).some(isTaken))
      if (taken === undefined) continue
      const message = `${later.name} answers on port ${port}, as ${taken.name} does`
      tell(keys, message, 'give it another port, or each of them an address of its own')
    }
    return mistakes
  })

/** Where the section says it, or else where it begins. */
const lineOf = ({ entries, line }: ConfigSection, keys: readonly OptionName[]): number =>
  keys.flatMap(key => entries.get(key) ?? [])[0]?.line ?? line

/** Where a cluster answers. Port 0 is whichever is free; no addresses stand for all of them. */
type Place = {
  /** What says so in the file. */
  readonly keys: readonly OptionName[]
  readonly port: number
  readonly addresses: readonly string[]
}

const placesOf = ({ port, bind, http, agent }: ServeOptions): readonly Place[] => {
  const at =
    (key: OptionName) =>
    (place: Endpoint): Place => ({
      keys: [key],
      port: place.port,
      addresses: place.address === null ? [] : [place.address],
    })
  return [
    { keys: ['port', 'bind'], port, addresses: bind },
    ...http.map(at('http')),
    ...agent.map(at('agent')),
  ]
}

/** Whether both would listen on some address; no addresses stand for all of them. */
export const overlap = (some: readonly string[], others: readonly string[]): boolean => {
  if (isAny(some) || isAny(others)) return true
  if (some.includes(all4) && holds4(others)) return true
  if (others.includes(all4) && holds4(some)) return true
  return some.some(address => others.includes(address))
}

const all4 = '0.0.0.0'
/** IPv6's own wildcard takes IPv4 along. */
const isAny = (addresses: readonly string[]): boolean =>
  addresses.length === 0 || addresses.includes('::')
const holds4 = (addresses: readonly string[]): boolean =>
  addresses.some(address => address.includes('.'))

/** By line; what is wrong on the command line and with the whole file comes first, all once. */
const inOrder = (mistakes: readonly (OperatorError | FileMistake)[]): readonly OperatorError[] => {
  const unique = new Map(mistakes.map(mistake => [mistake.message, mistake]))
  return [...unique.values()]
    .toSorted((one, other) => placeOf(one) - placeOf(other))
    .map(({ message, hint }) => ({ message, hint }))
}

const placeOf = (mistake: OperatorError | FileMistake): number =>
  'line' in mistake ? mistake.line : 0
