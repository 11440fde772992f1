/** Who listens where: the ports of fixtures/haproxy.cfg and HTTP, all on 127.0.0.1. */
import { once } from 'node:events'
import { createServer } from 'node:net'

export type Place = {
  /** As haproxy calls it. */
  readonly name: string
  readonly serverPort: number
  readonly probePort: number
  /** Where other members ask pg-replstatus. */
  readonly httpPort: number
}

export const places: readonly [Place, Place, Place] = [
  { name: 's1', serverPort: 5500, probePort: 5400, httpPort: 5600 },
  { name: 's2', serverPort: 5501, probePort: 5401, httpPort: 5601 },
  { name: 's3', serverPort: 5502, probePort: 5402, httpPort: 5602 },
]

export const writePort = 5999
export const readPort = 5998

/** Those of the demo's ports that somebody else has. */
export const portsInUse = async (): Promise<readonly number[]> => {
  const wanted = places.flatMap(({ serverPort, probePort, httpPort }) => [
    serverPort,
    probePort,
    httpPort,
  ])
  const taken: number[] = []
  for (const port of [...wanted, writePort, readPort]) {
    if (!(await canListen(port))) taken.push(port)
  }
  return taken
}

const canListen = async (port: number): Promise<boolean> => {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
