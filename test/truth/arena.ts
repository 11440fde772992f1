/**
 * Where scenarios of one major version are played: a cluster made once, copied for each of them,
 * and a primary for standbys to follow.
 */
import { existsSync } from 'node:fs'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import type { Settings } from '../harness/cluster-files.ts'
import { freePort } from '../harness/free-port.ts'
import { thenAlways } from '../harness/then-always.ts'
import { openMetronome } from './metronome.ts'

export type Arena = {
  readonly major: number
  /** A copy that has not been started. */
  readonly stopped: (settings?: Settings) => Promise<Cluster>
  readonly primary: (settings?: Settings) => Promise<Cluster>
  /** Follows the upstream, which it starts if need be. */
  readonly standby: (settings?: Settings) => Promise<Cluster>
  readonly upstream: () => Promise<Cluster>
  /** Null where the server does not run bgw_replstatus. */
  readonly predecessorPort: (cluster: Cluster) => number | null
  /** See metronome.ts. */
  readonly standstillMs: () => Promise<number>
  readonly close: () => Promise<void>
}

/** Of Debian and Ubuntu; built for one major version, and it gets along with our server of that. */
const predecessorMajor = 15
const predecessorFolder = `/usr/lib/postgresql/${predecessorMajor}/lib`
export const hasPredecessor = (): boolean => existsSync(`${predecessorFolder}/bgw_replstatus.so`)

const predecessorSettings = (port: number): Settings => ({
  shared_preload_libraries: 'bgw_replstatus',
  dynamic_library_path: `$libdir:${predecessorFolder}`,
  'bgw_replstatus.port': String(port),
  'bgw_replstatus.bind': '127.0.0.1',
})

/** Started once, so that its control file holds the settings a standby compares with its own. */
const createTemplate = async (major: number): Promise<Cluster> => {
  const template = await createCluster({ major })
  return orDestroyed(template, async () => {
    await template.start()
    await template.stop()
  })
}

/** Does something with a second cluster and destroys it, whatever came of it. */
export const ended = (cluster: Cluster, act: () => Promise<void>): Promise<void> =>
  thenAlways(act, cluster.destroy)

const orDestroyed = async (cluster: Cluster, act: () => Promise<void>): Promise<Cluster> => {
  try {
    await act()
    return cluster
  } catch (failure) {
    await cluster.destroy()
    throw failure
  }
}

/** Copies start from where the template stopped, however long ago that was. */
const keepAllWal = (major: number): Settings =>
  major < 13 ? { wal_keep_segments: '64' } : { wal_keep_size: '1GB' }

export const openArena = async (major: number): Promise<Arena> => {
  const template = await createTemplate(major)
  const metronome = await openMetronome()
  const predecessorPorts = new Map<Cluster, number>()
  let upstream: Promise<Cluster> | null = null

  const stopped = async (settings: Settings = {}): Promise<Cluster> => {
    if (major !== predecessorMajor || !hasPredecessor()) return template.copy({ settings })
    const port = await freePort()
    const cluster = await template.copy({ settings: { ...predecessorSettings(port), ...settings } })
    predecessorPorts.set(cluster, port)
    return cluster
  }
  const started = async (cluster: Cluster): Promise<Cluster> => orDestroyed(cluster, cluster.start)
  const startUpstream = async (): Promise<Cluster> =>
    started(await template.copy({ settings: keepAllWal(major) }))
  const arena: Arena = {
    major,
    stopped,
    primary: async settings => started(await stopped(settings)),
    standby: async settings => {
      const standby = await stopped(settings)
      standby.requestStandby(await arena.upstream())
      return started(standby)
    },
    upstream: async () => (upstream ??= startUpstream()),
    predecessorPort: cluster => predecessorPorts.get(cluster) ?? null,
    standstillMs: metronome.standstillMs,
    close: async () => {
      metronome.close()
      await (await upstream)?.destroy()
      await template.destroy()
    },
  }
  return arena
}
