/**
 * The clusters that Debian's tools have created: /etc/postgresql/VERSION/NAME.
 *
 * Root may run this, but the account of the server controls most of the files, and with links and
 * data_directory also which files are read. Therefore only regular files are opened, their size is
 * limited, and only the few settings are used that discover.ts needs.
 */
import { opendir } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { readSettings } from '../../facts/decode/postgresql-conf.ts'
import { readRegularFile } from '../../observe/files/disk.ts'
import type { DebianCluster } from './discover.ts'

/** That of Debian has 30 kB. */
const fileBytesMax = 1024 * 1024
/** Of all files together. */
const allBytesMax = 64 * 1024 * 1024
/** Of one folder. */
export const entriesMax = 10_000

/** In the order of versions and names. */
export const findClusters = async (
  folder = '/etc/postgresql',
): Promise<readonly DebianCluster[]> => {
  const clusters: DebianCluster[] = []
  const read = createReader()
  const versions = await entriesOf(folder)
  if (!versions.whole) clusters.push(unreadFolder(folder, folder))
  for (const version of versions.names.filter(isVersion).toSorted(byNumber)) {
    const below = join(folder, version)
    const { names, whole } = await entriesOf(below)
    if (!whole) clusters.push(unreadFolder(version, below))
    for (const name of names.toSorted()) {
      const cluster = await readCluster(join(below, name), { name: `${version}-${name}`, read })
      if (cluster !== null) clusters.push(cluster)
    }
  }
  return clusters
}

const isVersion = (name: string): boolean => /^\d+(?:\.\d+)?$/.test(name)
const byNumber = (one: string, other: string): number => Number(one) - Number(other)

/** A text, or why it could not be read. */
type Read = (
  path: string,
) => Promise<{ readonly text: string } | { readonly text: null; readonly why: string | null }>

/** `why` is null if the file does not exist. */
const createReader = (): Read => {
  let left = allBytesMax
  return async path => {
    const none = (why: string | null) => ({ text: null, why: why && `${path} (${why})` })
    const raw = await readRegularFile(path, fileBytesMax + 1)
    if (raw.kind !== 'present') return none(raw.kind === 'absent' ? null : raw.code)
    const { length } = raw.bytes
    if (length > fileBytesMax) return none(`longer than ${fileBytesMax} bytes`)
    if (length > left) return none(`more than ${allBytesMax} bytes in all`)
    left -= length
    return { text: Buffer.from(raw.bytes).toString('utf8') }
  }
}

/** Null for a folder without a postgresql.conf. */
const readCluster = async (
  folder: string,
  { name, read }: { readonly name: string; readonly read: Read },
): Promise<DebianCluster | null> => {
  const main = await read(join(folder, 'postgresql.conf'))
  if (main.text === null)
    return main.why === null ? null : { ...nothingOf(name), unread: [main.why] }
  const parts = await entriesOf(join(folder, 'conf.d'))
  const unread = parts.whole ? [] : [tooMany(join(folder, 'conf.d'))]
  const texts = [main.text]
  for (const part of parts.names.filter(isPart).toSorted()) {
    const found = await read(join(folder, 'conf.d', part))
    if (found.text !== null) texts.push(found.text)
    else if (found.why !== null) unread.push(found.why)
  }
  const own = readSettings(texts)
  const pgdata = own.get('data_directory') ?? null
  // The settings of ALTER SYSTEM, which only the user of the server can read.
  const altered =
    pgdata !== null && isAbsolute(pgdata) ? await read(join(pgdata, 'postgresql.auto.conf')) : null
  if (altered === null || altered.text === null)
    return { name, pgdata, settings: own, unread, complete: false }
  const settings = readSettings([...texts, altered.text])
  return { name, pgdata, settings, unread, complete: true }
}

const nothingOf = (name: string) => ({
  name,
  pgdata: null,
  settings: new Map<string, string>(),
  complete: false,
})

const unreadFolder = (name: string, path: string): DebianCluster => ({
  ...nothingOf(name),
  unread: [tooMany(path)],
})

const tooMany = (folder: string): string => `${folder} (more than ${entriesMax} entries)`

/** ParseConfigDirectory() in guc-file.l */
const isPart = (name: string): boolean => name.endsWith('.conf') && !name.startsWith('.')

type Entries = { readonly names: readonly string[]; readonly whole: boolean }

/** In any order, and no more than the limit. */
const entriesOf = async (folder: string): Promise<Entries> => {
  const names: string[] = []
  try {
    for await (const { name } of await opendir(folder)) {
      if (names.length === entriesMax) return { names, whole: false }
      names.push(name)
    }
  } catch {
    // It does not exist, or must not be read.
  }
  return { names, whole: true }
}
