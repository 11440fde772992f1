/** All that runs in the demo: three servers, a probe beside each, and haproxy if installed. */
import { join } from 'node:path'
import { makeFolder } from '../harness/cluster-files.ts'
import { startHaproxy, type Haproxy, type ServerRow } from '../harness/haproxy.ts'
import { findProgram, howToInstall } from '../harness/needs.ts'
import { readExample } from '../harness/repository.ts'
import { serverUser } from '../harness/server-user.ts'
import type { Closers } from './closers.ts'
import type { Folder } from './folder.ts'
import type { Tell } from './journal.ts'
import { places } from './places.ts'
import { startProbe } from './probe.ts'
import { watchRoutes } from './routes.ts'
import { createServer, type Server } from './server.ts'
import { supervise } from './supervised.ts'

export type Stage = {
  readonly servers: readonly Server[]
  /** Null where it is not installed. */
  readonly haproxy: (() => Haproxy) | null
}

type Needs = { readonly folder: Folder; readonly tell: Tell; readonly closers: Closers }

/** s1 becomes the primary, the others its standbys. */
export const openStage = async (needs: Needs): Promise<Stage> => {
  const { folder, tell, closers } = needs
  const servers: Server[] = []
  for (const place of places) {
    const server = await createServer(place, folder)
    closers.add(server.destroy)
    server.onCrash(() => tell({ who: server.name, what: 'the server was ended by somebody' }))
    servers.push(server)
  }
  // Before there is anything to watch: probes wait for their servers.
  const probes = servers.map(async server => {
    const name = `${server.name}: pg-replstatus`
    const probe = await supervise({ name, start: async () => startProbe(server, tell), tell })
    closers.add(probe.stop)
  })
  await Promise.all([startServers(servers), ...probes])
  return { servers, haproxy: await openHaproxy(needs) }
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
}

/** Something to look at. */
const fill = async (primary: Server): Promise<void> => {
  const session = await primary.session()
  try {
    await session.query(
      'create table visits (id serial, at timestamptz default now(), server text)',
    )
    await session.query("insert into visits (server) select 's1' from generate_series(1, 1000)")
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
