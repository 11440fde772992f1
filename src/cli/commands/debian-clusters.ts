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

export type Limits = {
  /** Of one file; that of Debian has 30 kB. */
  readonly fileBytes: number
  /** Of all files together. */
  readonly allBytes: number
  /** Of one folder. */
  readonly entries: number
}

export const defaultLimits: Limits = {
  fileBytes: 1024 * 1024,
  allBytes: 64 * 1024 * 1024,
  entries: 10_000,
}

/** In the order of versions and names. */
export const findClusters = async (
  folder = '/etc/postgresql',
  limits = defaultLimits,
): Promise<readonly DebianCluster[]> => {
  const clusters: DebianCluster[] = []
  const reader = createReader(limits)
  const versions = await reader.entries(folder)
  if (versions.refused !== null) clusters.push(unreadCluster(folder, versions.refused))
  for (const version of versions.names.filter(isVersion).toSorted(byNumber)) {
    const { names, refused } = await reader.entries(join(folder, version))
    if (refused !== null) clusters.push(unreadCluster(version, refused))
    for (const name of names.toSorted()) {
      const place = { folder: join(folder, version, name), name: `${version}-${name}` }
      const cluster = await readCluster(place, reader)
      if (cluster !== null) clusters.push(cluster)
    }
  }
  return clusters
}

const isVersion = (name: string): boolean => /^\d+(?:\.\d+)?$/.test(name)
const byNumber = (one: string, other: string): number => Number(one) - Number(other)

type Reader = {
  /** A text, or why it could not be read: null if the file does not exist. */
  readonly file: (
    path: string,
  ) => Promise<{ readonly text: string } | { readonly text: null; readonly why: string | null }>
  /** In any order, and no more than the limit; `refused` tells that there are more. */
  readonly entries: (
    folder: string,
  ) => Promise<{ readonly names: readonly string[]; readonly refused: string | null }>
}

const createReader = ({ fileBytes, allBytes, entries }: Limits): Reader => {
  let left = allBytes
  return {
    file: async path => {
      const none = (why: string | null) => ({ text: null, why: why && `${path} (${why})` })
      const raw = await readRegularFile(path, fileBytes + 1)
      if (raw.kind !== 'present') return none(raw.kind === 'absent' ? null : raw.code)
      const { length } = raw.bytes
      if (length > fileBytes) return none(`longer than ${fileBytes} bytes`)
      if (length > left) return none(`more than ${allBytes} bytes in all`)
      left -= length
      return { text: Buffer.from(raw.bytes).toString('utf8') }
    },
    entries: async folder => {
      const names: string[] = []
      try {
        for await (const { name } of await opendir(folder)) {
          if (names.length === entries)
            return { names, refused: `${folder} (more than ${entries} entries)` }
          names.push(name)
        }
      } catch {
        // It does not exist, or must not be read.
      }
      return { names, refused: null }
    },
  }
}

/** Null for a folder without a postgresql.conf. */
const readCluster = async (
  { folder, name }: { readonly folder: string; readonly name: string },
  reader: Reader,
): Promise<DebianCluster | null> => {
  const main = await reader.file(join(folder, 'postgresql.conf'))
  if (main.text === null) return main.why === null ? null : unreadCluster(name, main.why)
  const parts = await reader.entries(join(folder, 'conf.d'))
  const unread = parts.refused === null ? [] : [parts.refused]
  const texts = [main.text]
  for (const part of parts.names.filter(isPart).toSorted()) {
    const found = await reader.file(join(folder, 'conf.d', part))
    if (found.text !== null) texts.push(found.text)
    else if (found.why !== null) unread.push(found.why)
  }
  const own = readSettings(texts)
  const pgdata = own.get('data_directory') ?? null
  // The settings of ALTER SYSTEM, which only the user of the server can read.
  const altered =
    pgdata !== null && isAbsolute(pgdata)
      ? await reader.file(join(pgdata, 'postgresql.auto.conf'))
      : null
  if (altered === null || altered.text === null)
    return { name, pgdata, settings: own, unread, complete: false }
  const settings = readSettings([...texts, altered.text])
  return { name, pgdata, settings, unread, complete: true }
}

/** One of which nothing is known but what could not be read. */
const unreadCluster = (name: string, why: string): DebianCluster => ({
  name,
  pgdata: null,
  settings: new Map(),
  unread: [why],
  complete: false,
})

/** ParseConfigDirectory() in guc-file.l */
const isPart = (name: string): boolean => name.endsWith('.conf') && !name.startsWith('.')
