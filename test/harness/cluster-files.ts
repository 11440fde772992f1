/**
 * Making and setting up real data directories: initdb, copies, settings.
 */
import { chownSync, existsSync, writeFileSync } from 'node:fs'
import { appendFile, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from './left-overs.ts'
import { runProgram } from './programs.ts'
import type { ServerUser } from './server-user.ts'
import type { Site } from './postmaster.ts'

/** Names and values of postgresql.conf; values without quotes around them. */
export type Settings = Readonly<Record<string, string>>

/** From here on the recovery.conf of old became settings and signal files. */
export const signalFilesSince = 12

/** What makes a standby of a server at its next start. */
export const standbyRequestFile = (major: number): string =>
  major < signalFilesSince ? 'recovery.conf' : 'standby.signal'

/**
 * A folder that belongs to the server user: a new temporary one, or one of the given name,
 * which must not be there yet since it will be removed with all that is in it.
 */
export const makeFolder = async (user: ServerUser, directory?: string): Promise<string> => {
  if (directory === undefined) {
    const folder = temporaryFolder()
    await chown(folder, user.uid, user.gid)
    return folder
  }
  await mkdir(directory, { mode: 0o700 })
  await chown(directory, user.uid, user.gid)
  return directory
}

/** A fresh cluster that trusts everybody who comes over loopback. */
export const initialize = async (site: Site, segmentSize = 16): Promise<void> => {
  const trusting = ['-U', 'postgres', '-A', 'trust']
  const plain = ['-E', 'UTF8', '--locale=C', '--no-sync']
  const segments = segmentSize === 16 ? [] : [`--wal-segsize=${segmentSize}`]
  await runProgram({
    program: join(site.binaries, 'initdb'),
    args: ['-D', site.dataDirectory, ...trusting, ...plain, ...segments],
    cwd: site.folder,
    user: site.user,
  })
  await appendFile(join(site.dataDirectory, 'postgresql.conf'), "include 'harness.conf'\n")
}

/** A copy of a stopped cluster, as an administrator makes a standby by hand. */
export const copyCluster = async (from: Site, to: Site): Promise<void> => {
  await runProgram({
    program: 'cp',
    args: ['-a', from.dataDirectory, to.dataDirectory],
    cwd: to.folder,
    user: to.user,
  })
}

/**
 * What every test server starts with. Small and on loopback only; dynamic shared memory lies in
 * files of the data directory, so that killed servers leave nothing in /dev/shm.
 */
export const baseSettings = (port: number): Settings => ({
  listen_addresses: '127.0.0.1',
  port: String(port),
  unix_socket_directories: '',
  shared_buffers: '16MB',
  max_connections: '20',
  dynamic_shared_memory_type: 'mmap',
})

export const writeSettings = (site: Site, settings: Settings): void => {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoted(value)}\n`)
  placeFile(site, 'harness.conf', lines.join(''))
}

/**
 * Asks for a standby at the next start, of the server on this port or of nobody. Gives back the
 * settings that belong to it; up to 11 they go into recovery.conf instead.
 */
export const requestStandby = (site: Site, upstreamPort: number | null): Settings => {
  const conninfo =
    upstreamPort === null
      ? ''
      : `host=127.0.0.1 port=${upstreamPort} user=postgres application_name=standby`
  if (site.major >= signalFilesSince) {
    placeFile(site, standbyRequestFile(site.major), '')
    return { primary_conninfo: conninfo }
  }
  const lines = ["standby_mode = 'on'", "recovery_target_timeline = 'latest'"]
  if (upstreamPort !== null) lines.push(`primary_conninfo = ${quoted(conninfo)}`)
  placeFile(site, standbyRequestFile(site.major), `${lines.join('\n')}\n`)
  return {}
}

/** Does the next start enter recovery as a standby? */
export const standbyRequested = ({ dataDirectory }: Site): boolean =>
  existsSync(join(dataDirectory, 'standby.signal')) ||
  existsSync(join(dataDirectory, 'recovery.conf'))

/** A file in the data directory that belongs to the server, which opens signal files to write. */
export const placeFile = ({ dataDirectory, user }: Site, name: string, text: string): void => {
  const path = join(dataDirectory, name)
  writeFileSync(path, text, { mode: 0o600 })
  chownSync(path, user.uid, user.gid)
}

const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`
