/**
 * One of the demo's PostgreSQL servers: on a port that is known beforehand, cloned from a running
 * primary, and following whoever is primary now.
 */
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  baseSettings,
  initialize,
  makeFolder,
  placeFile,
  requestStandby,
  standbyRequested,
  writeSettings,
} from '../harness/cluster-files.ts'
import { guardFolder } from '../harness/guard.ts'
import { postgresBinaries } from '../harness/postgres-binaries.ts'
import {
  awaitReady,
  launchPostmaster,
  sharedMemoryReleased,
  type Postmaster,
  type Site,
} from '../harness/postmaster.ts'
import { runProgram } from '../harness/programs.ts'
import { serverUser } from '../harness/server-user.ts'
import { openSession, type Session } from '../harness/session.ts'
import { until, within } from '../harness/until.ts'
import type { Folder } from './folder.ts'
import type { Place } from './places.ts'

export const major = 18

/** The control file has the timeline of a promoted server only after its next checkpoint. */
const timelineQuery = `select case when not pg_is_in_recovery() then
  ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end as timeline`

export type Server = Place & {
  readonly dataDirectory: string
  readonly running: () => boolean
  readonly session: () => Promise<Session>
  readonly isPrimary: () => Promise<boolean>
  /** Of a primary; null of a standby. */
  readonly timeline: () => Promise<number | null>
  /** At the next start; by its files, as it does not run. */
  readonly startsAsPrimary: () => boolean
  /** Makes a fresh cluster. */
  readonly initialize: () => Promise<void>
  /** Makes a standby of a running primary, in place of what was there. */
  readonly clone: (primary: Server) => Promise<void>
  /** As a standby, streams from now on from that primary. */
  readonly follow: (primary: Server) => void
  readonly start: () => Promise<void>
  /** A fast stop: standbys have got all by then. */
  readonly stop: () => Promise<void>
  /** Hears when the server ends without having been asked to. */
  readonly onCrash: (listener: () => void) => void
  readonly destroy: () => Promise<void>
}

export const createServer = async (place: Place, parent: Folder): Promise<Server> => {
  const { name, serverPort: port } = place
  const user = serverUser()
  const folder = await makeFolder(user, join(parent.path, name))
  const guard = guardFolder(folder)
  const binaries = await postgresBinaries(major)
  const dataDirectory = join(folder, 'data')
  parent.owns(await makeFolder(user, dataDirectory))
  const site: Site = {
    major,
    binaries,
    user,
    folder,
    dataDirectory,
    logFile: join(folder, 'log'),
    port,
  }
  const settings = {
    ...baseSettings(port),
    // No less than what initdb wrote into the control file, or a clone would refuse to start.
    max_connections: '100',
    cluster_name: name,
    wal_keep_size: '128MB',
    wal_retrieve_retry_interval: '500ms',
  }
  let postmaster: Postmaster | null = null
  let expected = true
  const crashListeners: (() => void)[] = []

  const running = (): boolean => postmaster?.running() === true
  const session = async (): Promise<Session> => openSession(port)
  const timeline = async (): Promise<number | null> => {
    const asking = await session()
    try {
      const [row] = await asking.query(timelineQuery)
      return row?.['timeline'] as number | null
    } finally {
      await asking.close()
    }
  }

  const tellCrash = async (launched: Postmaster): Promise<void> => {
    await launched.exited
    if (!expected) for (const listener of crashListeners) listener()
  }

  const launch = async (): Promise<Postmaster> => {
    const released = (): boolean => sharedMemoryReleased(dataDirectory)
    await until(released, { what: `the processes of ${name} to end` })
    postmaster = await launchPostmaster(site)
    expected = false
    void tellCrash(postmaster)
    return postmaster
  }

  return {
    ...place,
    dataDirectory,
    running,
    session,
    timeline,
    isPrimary: async () => (await timeline()) !== null,
    startsAsPrimary: () => !standbyRequested(site),
    initialize: async () => {
      await initialize(site)
      writeSettings(site, settings)
    },
    clone: async primary => {
      const copy: Site = { ...site, dataDirectory: join(folder, 'copy') }
      await copyRunning(primary, copy)
      writeSettings(copy, { ...settings, ...requestStandby(copy, primary.serverPort) })
      // Emptied, not replaced: `parent` knows the directory by its inode.
      for (const entry of await readdir(dataDirectory)) {
        await rm(join(dataDirectory, entry), { recursive: true })
      }
      for (const entry of await readdir(copy.dataDirectory)) {
        await rename(join(copy.dataDirectory, entry), join(dataDirectory, entry))
      }
    },
    follow: primary => {
      writeSettings(site, { ...settings, ...requestStandby(site, primary.serverPort) })
      // Since 13 a new primary_conninfo needs no restart.
      postmaster?.signal('SIGHUP')
    },
    start: async () => awaitReady(site, { postmaster: await launch(), withoutLogins: false }),
    stop: async () => {
      expected = true
      postmaster?.signal('SIGINT')
      // One that somebody has stopped with SIGSTOP would never hear of it.
      postmaster?.signal('SIGCONT')
      if (postmaster !== null) await within(postmaster.exited, { what: `${name} to stop` })
    },
    onCrash: listener => void crashListeners.push(listener),
    destroy: async () => {
      expected = true
      await guard.finish()
      if (postmaster !== null) await within(postmaster.exited, { what: `${name} to be gone` })
    },
  }
}

/** What pg_basebackup does, which is not among the binaries: a copy between start and stop. */
const copyRunning = async (primary: Server, copy: Site): Promise<void> => {
  await rm(copy.dataDirectory, { recursive: true, force: true })
  const session = await primary.session()
  try {
    await session.query("select pg_backup_start('clone', true)")
    await runProgram({
      program: 'cp',
      args: ['-a', primary.dataDirectory, copy.dataDirectory],
      cwd: copy.folder,
      user: copy.user,
    })
    const [row] = await session.query('select labelfile from pg_backup_stop(false)')
    for (const name of ['postmaster.pid', 'postmaster.opts']) {
      await rm(join(copy.dataDirectory, name), { force: true })
    }
    placeFile(copy, 'backup_label', String(row?.['labelfile']))
  } finally {
    await session.close()
  }
}
