/** Checks a configuration file: the clusters to serve, or every error in the file. */
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import { findConflicts, type ConfiguredCluster } from './conflicts.ts'
import { parseConfigFile, type ConfigSection } from './config-file.ts'
import { helpHint } from '../options/command-words.ts'
import { path as pathForm } from '../options/option-forms.ts'
import type { FileError, OperatorError } from '../output/operator-error.ts'
import { accountOptions, localOptions, logOptions, serveOptions } from '../options/read-options.ts'
import type { Cluster, ConfigRequest, Configuration } from '../options/option-values.ts'
import { createSettings, type Entries, type Settings } from '../options/settings.ts'

/** `text` is the content of the file. */
export const readConfiguration = (
  text: string,
  { path, flags, environment: surrounding }: Omit<ConfigRequest, 'user'>,
): Outcome<Configuration, readonly OperatorError[]> => {
  const file = parseConfigFile(text, path)
  // Set for PostgreSQL's tools, or for a pg-replstatus that serves one cluster.
  const { PGDATA: _, PG_REPLSTATUS_PORT: __, ...environment } = surrounding
  const errors: (OperatorError | FileError)[] = [...file.errors]

  const settingsOf = (parts: readonly Entries[]): Settings =>
    createSettings(flags, { environment, file: { path, parts }, hint: helpHint('serve') })

  const readCluster = (section: ConfigSection): ConfiguredCluster | null => {
    const settings = settingsOf([section.entries, file.top])
    const pgdata = settings.one('pgdata', pathForm, null)
    const options = { ...localOptions(pgdata ?? '', settings), ...serveOptions(settings) }
    errors.push(...settings.errors)
    if (!section.entries.has('pgdata')) errors.push(noDirectory(path, section))
    const { name, line } = section
    // With a default in place of an invalid value, conflicts would be wrong.
    if (pgdata === null || settings.errors.length > 0) return null
    return { name, line, options, given: settings.given }
  }

  const top = settingsOf([file.top])
  const ofProcess = { ...logOptions(top), ...accountOptions(top) }
  errors.push(...top.errors)
  const found = file.sections.map(readCluster).filter(cluster => cluster !== null)
  errors.push(...findConflicts(found, path))
  if (file.sections.length === 0) errors.push(noSection(path))
  if (errors.length > 0) return fault(inOrder(errors))
  const clusters = found.map(({ name, options, given }): Cluster => ({ name, options, given }))
  return fact({ ...ofProcess, clusters })
}

const noSection = (path: string): OperatorError => ({
  message: `${path} has no section`,
  hint: 'add a section for each cluster: [main], and below it pgdata = ...',
})

const noDirectory = (path: string, { name, line }: ConfigSection): FileError => ({
  message: `${path}:${line}: pgdata of cluster ${name} is not set`,
  hint: 'add a line such as: pgdata = /var/lib/postgresql/16/main',
  line,
})

/** By line, without repetitions. Errors without a line come first. */
const inOrder = (errors: readonly (OperatorError | FileError)[]): readonly OperatorError[] => {
  const unique = new Map(errors.map(error => [error.message, error]))
  return [...unique.values()]
    .toSorted((one, other) => lineOf(one) - lineOf(other))
    .map(({ message, hint }) => ({ message, hint }))
}

const lineOf = (error: OperatorError | FileError): number => ('line' in error ? error.line : 0)
