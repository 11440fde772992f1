/** A configuration file judged: what the process is to serve, or every mistake in the file. */
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { clashes, type Claimant } from './clashes.ts'
import { parseConfigFile, type ConfigSection } from './config-file.ts'
import { helpHint } from './command-words.ts'
import { path as pathForm } from './forms.ts'
import type { FileMistake, OperatorError } from './operator-error.ts'
import { localOptions, logOptions, serveOptions } from './options.ts'
import type { Cluster, ConfigRequest, Configuration } from './option-values.ts'
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

  const readCluster = (section: ConfigSection): Claimant | null => {
    const settings = settingsOf([section.entries, file.top])
    const pgdata = settings.one('pgdata', pathForm, null)
    const options = { ...localOptions(pgdata ?? '', settings), ...serveOptions(settings) }
    mistakes.push(...settings.mistakes)
    if (!section.entries.has('pgdata')) mistakes.push(noDirectory(path, section))
    const { name, line } = section
    // What a default stands in for can be held against nobody.
    if (pgdata === null || settings.mistakes.length > 0) return null
    return { name, line, options, given: settings.given }
  }

  const log = settingsOf([file.top])
  const logs = logOptions(log)
  mistakes.push(...log.mistakes)
  const found = file.sections.map(readCluster).filter(cluster => cluster !== null)
  mistakes.push(...clashes(found, path))
  if (file.sections.length === 0) mistakes.push(noSection(path))
  if (mistakes.length > 0) return fault(inOrder(mistakes))
  const clusters = found.map(({ name, options, given }): Cluster => ({ name, options, given }))
  return fact({ ...logs, clusters })
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

/** By line; what is wrong on the command line and with the whole file comes first, all once. */
const inOrder = (mistakes: readonly (OperatorError | FileMistake)[]): readonly OperatorError[] => {
  const unique = new Map(mistakes.map(mistake => [mistake.message, mistake]))
  return [...unique.values()]
    .toSorted((one, other) => placeOf(one) - placeOf(other))
    .map(({ message, hint }) => ({ message, hint }))
}

const placeOf = (mistake: OperatorError | FileMistake): number =>
  'line' in mistake ? mistake.line : 0
