/** The clusters that Debian's tools have made: /etc/postgresql/VERSION/NAME. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSettings } from '../facts/server-settings.ts'
import type { DebianCluster } from './discover.ts'

/** In the order of versions and names. */
export const findClusters = async (
  folder = '/etc/postgresql',
): Promise<readonly DebianCluster[]> => {
  const clusters: DebianCluster[] = []
  const versions = await entriesOf(folder)
  for (const version of versions.filter(name => /^\d+(?:\.\d+)?$/.test(name)).toSorted(byNumber)) {
    for (const name of (await entriesOf(join(folder, version))).toSorted()) {
      const cluster = await readCluster(join(folder, version, name), `${version}-${name}`)
      if (cluster !== null) clusters.push(cluster)
    }
  }
  return clusters
}

const byNumber = (one: string, other: string): number => Number(one) - Number(other)

/** Null for a folder without a postgresql.conf. */
const readCluster = async (folder: string, name: string): Promise<DebianCluster | null> => {
  const main = await textOf(join(folder, 'postgresql.conf'))
  if (main === null) return null
  const parts = (await entriesOf(join(folder, 'conf.d'))).filter(isPart).toSorted()
  const texts = [main]
  for (const part of parts) texts.push((await textOf(join(folder, 'conf.d', part))) ?? '')
  const own = readSettings(texts)
  const pgdata = own.get('data_directory') ?? null
  // What ALTER SYSTEM wrote; it is for the user of the server to see.
  const altered = pgdata === null ? null : await textOf(join(pgdata, 'postgresql.auto.conf'))
  return {
    name,
    pgdata,
    settings: altered === null ? own : readSettings([...texts, altered]),
    complete: altered !== null,
  }
}

/** ParseConfigDirectory() in guc-file.l */
const isPart = (name: string): boolean => name.endsWith('.conf') && !name.startsWith('.')

const entriesOf = (folder: string): Promise<readonly string[]> => readdir(folder).catch(noEntries)
const noEntries = (): string[] => []

const textOf = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(noText)
const noText = (): null => null
