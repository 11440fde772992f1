/**
 * Real PostgreSQL clusters for tests, the demo and the fixtures: made, started, promoted,
 * killed, and removed without a trace.
 */
import assert from 'node:assert'
import { join } from 'node:path'
import {
  baseSettings,
  copyCluster,
  initialize,
  makeFolder,
  placeFile,
  requestStandby,
  standbyRequested,
  writeSettings,
} from './cluster-files.ts'
import { freePort } from './free-port.ts'
import type { Settings } from './cluster-files.ts'
import { guardFolder } from './guard.ts'
import type { Guard } from './guard.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { awaitReady, launchPostmaster, lockFileLine, sharedMemoryReleased } from './postmaster.ts'
import type { Launch, Postmaster, Site } from './postmaster.ts'
import { runProgram } from './programs.ts'
import { serverUser } from './server-user.ts'
import { acceptsLogins, openSession } from './session.ts'
import type { Session } from './session.ts'
import { startSingleUser } from './single-user.ts'
import type { SingleUser } from './single-user.ts'
import { until, within } from './until.ts'

export type StopMode = 'smart' | 'fast' | 'immediate'

export type ClusterOptions = {
  readonly major: number
  /** Folder to make for the data directory and the log; default a new temporary one. */
  readonly directory?: string
  readonly settings?: Settings
  /** In MB; from 11 on. Default: 16, that of the server. */
  readonly segmentSize?: number
}

export type CopyOptions = {
  readonly directory?: string
  readonly settings?: Settings
}

export type StandbyOptions = CopyOptions & {
  /** Default true; false: a standby that refuses logins. */
  readonly hotStandby?: boolean
}

/** `Site` tells where it is: major, dataDirectory, logFile, port, user, binaries. */
export type Cluster = Site & {
  /** Starts it and waits until a login is accepted, or until it is a standby without logins. */
  readonly start: (how?: Launch) => Promise<void>
  /** Starts it and waits for nothing. */
  readonly launch: () => Promise<void>
  /** Waits until the postmaster has been reaped; a smart stop waits for sessions to end. */
  readonly stop: (mode?: StopMode) => Promise<void>
  readonly restart: () => Promise<void>
  /** Sends the postmaster a signal, at once. */
  readonly kill: (signal: NodeJS.Signals) => void
  /** Resolves when the postmaster has been reaped, and at once when there is none. */
  readonly ended: () => Promise<void>
  /** The postmaster's pid as its lock file tells. */
  readonly pid: () => number
  readonly promote: (by: 'pg_ctl' | 'sql') => Promise<void>
  /** A copy of it, which has to be stopped for that; the copy is not running either. */
  readonly copy: (options?: CopyOptions) => Promise<Cluster>
  /** A standby made from a copy, for which the cluster is stopped; afterwards it runs. */
  readonly standby: (options?: StandbyOptions) => Promise<Cluster>
  /** Makes a standby of it at the next start: of this server, or of nobody for WAL of its own. */
  readonly requestStandby: (upstream: Site | null) => void
  readonly session: () => Promise<Session>
  /** Can somebody log in at this moment? */
  readonly accepts: () => Promise<boolean>
  readonly singleUser: () => Promise<SingleUser>
  /** Changes settings; they count from the next start on. */
  readonly configure: (settings: Settings) => void
  /** Writes a file of the server's into the data directory, a signal file for example. */
  readonly place: (name: string, text: string) => void
  /** Ends what runs and removes everything. */
  readonly destroy: () => Promise<void>
}

const signals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const

/** Makes a cluster with initdb; it is not running yet. */
export const createCluster = async (options: ClusterOptions): Promise<Cluster> => {
  const { site, guard } = await claimSite(options)
  try {
    await initialize(site, options.segmentSize)
    return clusterAt(site, guard, { ...baseSettings(site.port), ...options.settings })
  } catch (failure) {
    await guard.finish()
    throw failure
  }
}

/** The folder is guarded from its first moment on. */
const claimSite = async (options: ClusterOptions): Promise<{ site: Site; guard: Guard }> => {
  const user = serverUser()
  const binaries = await postgresBinaries(options.major)
  const port = await freePort()
  const folder = await makeFolder(user, options.directory)
  const guard = guardFolder(folder)
  const dataDirectory = join(folder, 'data')
  const logFile = join(folder, 'log')
  return {
    site: { major: options.major, binaries, user, folder, dataDirectory, logFile, port },
    guard,
  }
}

const clusterAt = (site: Site, guard: Guard, initialSettings: Settings): Cluster => {
  let settings = initialSettings
  let postmaster: Postmaster | null = null
  writeSettings(site, settings)

  const ended = async (): Promise<void> => postmaster?.exited

  const launch = async (how?: Launch): Promise<Postmaster> => {
    assert(postmaster?.running() !== true, 'the cluster runs already')
    const released = (): boolean => sharedMemoryReleased(site.dataDirectory)
    await until(released, { what: 'the children of a killed postmaster to end' })
    postmaster = await launchPostmaster(site, how)
    return postmaster
  }

  const cluster: Cluster = {
    ...site,
    ended,
    launch: async () => void (await launch()),
    start: async how => {
      const withoutLogins = settings['hot_standby'] === 'off' && standbyRequested(site)
      await awaitReady(site, { postmaster: await launch(how), withoutLogins })
    },
    stop: async (mode = 'fast') => {
      postmaster?.signal(signals[mode])
      await within(ended(), { what: `a ${mode} stop of PostgreSQL ${site.major}` })
    },
    restart: async () => {
      await cluster.stop()
      await cluster.start()
    },
    kill: signal => postmaster?.signal(signal),
    pid: () => Number(lockFileLine(site.dataDirectory, 1)),
    promote: async by => promote(cluster, by),
    copy: async (options = {}) => makeCopy(cluster, settings, options),
    standby: async (options = {}) => makeStandby(cluster, options),
    requestStandby: upstream => cluster.configure(requestStandby(site, upstream?.port ?? null)),
    session: async () => openSession(site.port),
    accepts: async () => acceptsLogins(site.port),
    singleUser: async () => startSingleUser(site),
    configure: changes => {
      settings = { ...settings, ...changes }
      writeSettings(site, settings)
    },
    place: (name, text) => placeFile(site, name, text),
    destroy: async () => {
      await guard.finish()
      await within(ended(), { what: `PostgreSQL ${site.major} to be gone` })
    },
  }
  return cluster
}

const promote = async (cluster: Cluster, by: 'pg_ctl' | 'sql'): Promise<void> => {
  if (by === 'pg_ctl') {
    await runProgram({
      program: join(cluster.binaries, 'pg_ctl'),
      args: ['promote', '-w', '-t', '30', '-D', cluster.dataDirectory],
      cwd: cluster.folder,
      user: cluster.user,
    })
    return
  }
  const session = await cluster.session()
  try {
    const [row] = await session.query('select pg_promote(true, 30) as done')
    assert(row?.['done'] === true, 'pg_promote() gave up')
  } finally {
    await session.close()
  }
}

const makeCopy = async (
  original: Cluster,
  originalSettings: Settings,
  { directory, settings }: CopyOptions,
): Promise<Cluster> => {
  const options = { major: original.major, ...(directory === undefined ? {} : { directory }) }
  const { site, guard } = await claimSite(options)
  try {
    await copyCluster(original, site)
    return clusterAt(site, guard, { ...originalSettings, ...baseSettings(site.port), ...settings })
  } catch (failure) {
    await guard.finish()
    throw failure
  }
}

const makeStandby = async (
  primary: Cluster,
  { hotStandby = true, directory, settings }: StandbyOptions,
): Promise<Cluster> => {
  await primary.stop()
  const standby = await primary.copy({
    ...(directory === undefined ? {} : { directory }),
    settings: { hot_standby: hotStandby ? 'on' : 'off', ...settings },
  })
  try {
    standby.requestStandby(primary)
    await primary.start()
    return standby
  } catch (failure) {
    await standby.destroy()
    throw failure
  }
}
