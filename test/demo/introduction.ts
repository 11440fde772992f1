/** What is there, and what to try. */
import { userInfo } from 'node:os'
import { findProgram } from '../harness/needs.ts'
import { serverUser } from '../harness/server-user.ts'
import { places, readPort, writePort } from './places.ts'
import { major, type Server } from './server.ts'
import type { Stage } from './stage.ts'

export const introduction = ({ servers, haproxy, withPeers }: Stage): string => {
  const [first] = servers
  const probes = servers.map(({ probePort }) => `localhost:${probePort}`).join(' ')
  const withPsql = findProgram('psql') !== null
  return `
${servers.map(describe).join('\n')}
${haproxy === null ? '' : describeHaproxy}\
${withPeers ? describePeers : ''}
Try in another terminal:
  nc localhost ${first?.probePort} </dev/null
${withPsql && haproxy !== null ? `  psql -h localhost -p ${writePort} -U postgres\n` : ''}\
  dist/pg-replstatus.js status -D ${first?.dataDirectory}
  dist/pg-replstatus.js query ${probes}

Keys here:
  p      stop the primary and promote a standby
  r      bring the old primary back, as it was
  1 2 3  stop or start s1, s2, s3
  q      quit

`
}

const describe = ({ name, serverPort, probePort }: Server): string =>
  `  ${name}: PostgreSQL ${major} on ${serverPort}, pg-replstatus on ${probePort}`

const describeHaproxy = `  haproxy: writers on ${writePort}, readers on ${readPort}, by fixtures/haproxy.cfg
  a client writes rows through ${writePort}
`
const httpPorts = places.map(({ httpPort }) => httpPort).join(' ')
const describePeers = `  peers: the daemons ask each other on ${httpPorts}\n`

/** Who the servers run as, where that is somebody else. */
export const serverUserNote = (): string =>
  serverUser().uid === userInfo().uid ? '' : ` as user id ${serverUser().uid}`
