/**
 * All that runs in the demo: three servers, a probe beside each, and if haproxy is installed, that
 * and a client that writes through it.
 */
import { join } from 'node:path'
import { makeFolder } from '../harness/cluster-files.ts'
import type { Daemon } from '../harness/daemon.ts'
import { startHaproxy, type Haproxy, type ServerRow } from '../harness/haproxy.ts'
import { findProgram, howToInstall } from '../harness/needs.ts'
import { readExample } from '../harness/repository.ts'
import { createRowTable, startRowWriter, type RowWriter } from '../harness/row-writer.ts'
import { serverUser } from '../harness/server-user.ts'
import { until } from '../harness/until.ts'
import type { Closers } from './closers.ts'
import type { Folder } from './folder.ts'
import type { Tell } from './journal.ts'
import { places, writePort } from './places.ts'
import { startProbe } from './probe.ts'
import { watchRoutes } from './routes.ts'
import { createServer, type Server } from './server.ts'
import { supervise } from './supervised.ts'

export type Stage = {
  readonly servers: readonly Server[]
  /** Null where it is not installed. */
  readonly haproxy: (() => Haproxy) | null
  /** Null without haproxy, through which it writes. */
  readonly writer: RowWriter | null
  readonly withPeers: boolean
}

type Needs = {
  readonly folder: Folder
  readonly tell: Tell
  readonly closers: Closers
  /** Are the members to ask each other? */
  readonly withPeers: boolean
}

/** At most 20 rows a second. */
const rowEveryMs = 50

/** s1 becomes the primary, the others its standbys. */
export const openStage = async (needs: Needs): Promise<Stage> => {
  const { folder, tell, closers, withPeers } = needs
  const servers: Server[] = []
  for (const place of places) {
    const server = await createServer(place, folder)
    closers.add(server.destroy)
    server.onCrash(() => tell({ who: server.name, what: 'the server was stopped from outside' }))
    servers.push(server)
  }
  // Before there is anything to watch: probes wait for their servers.
  const probes = servers.map(async server => {
    const name = `${server.name}: pg-replstatus`
    const start = async (): Promise<Daemon> => startProbe(server, { tell, withPeers })
    const probe = await supervise({ name, start, tell })
    closers.add(probe.stop)
  })
  await Promise.all([startServers(servers), ...probes])
  const haproxy = await openHaproxy(needs)
  const writer = haproxy === null ? null : startRowWriter(writePort, rowEveryMs)
  if (writer !== null) closers.add(writer.stop)
  return { servers, haproxy, writer, withPeers }
}

const startServers = async ([primary, ...standbys]: readonly Server[]): Promise<void> => {
  if (primary === undefined) return
  await primary.initialize()
  await primary.start()
  await fill(primary)
  const starts: Promise<void>[] = []
  for (const standby of standbys) {
    await standby.clone(primary)
    const start = standby.start()
    // If it fails while the next one is cloned: that is told below.
    start.catch(() => undefined)
    starts.push(start)
  }
  await Promise.all(starts)
  await until(async () => (await countStreaming(primary)) === starts.length, {
    what: 'the standbys to stream',
  })
}

const countStreaming = async (primary: Server): Promise<number> => {
  const session = await primary.session()
  try {
    const query = "select from pg_stat_replication where state = 'streaming'"
    return (await session.query(query)).length
  } finally {
    await session.close()
  }
}

/** Something to look at. */
const fill = async (primary: Server): Promise<void> => {
  const session = await primary.session()
  try {
    await session.query(
      'create table visits (id serial, at timestamptz default now(), server text)',
    )
    await session.query("insert into visits (server) select 's1' from generate_series(1, 1000)")
    await createRowTable(session)
  } finally {
    await session.close()
  }
}

const openHaproxy = async ({ folder, tell, closers }: Needs): Promise<(() => Haproxy) | null> => {
  const program = findProgram('haproxy')
  if (program === null) {
    tell({ who: 'demo', what: howToInstall('haproxy') })
    return null
  }
  const place = await makeFolder(serverUser(), join(folder.path, 'haproxy'))
  const start = async (): Promise<Haproxy> =>
    startHaproxy({ program, config: readExample('haproxy.cfg'), folder: place })
  const haproxy = await supervise({ name: 'haproxy', start, tell })
  closers.add(haproxy.stop)
  // Until then it takes every server for up.
  const checked = (rows: readonly ServerRow[]): boolean =>
    rows.every(({ check }) => !/\bINI\b/.test(check))
  await haproxy.current().sees('every server checked', checked)
  closers.add(watchRoutes(haproxy.current, tell).stop)
  return haproxy.current
}
