/**
 * Ports for servers and daemons of tests.
 *
 * Not by binding port 0: that port comes from the range of outgoing connections, and while a
 * server is down for a restart one of them could sit on it. Nor is it enough that a port can be
 * bound now: that of a stopped server or of a probe that refuses connects is closed, and still
 * taken. So each port is reserved for as long as the test process lives.
 */
import { once } from 'node:events'
import { createServer, type ListenOptions } from 'node:net'

/** Free on 127.0.0.1, and given to nobody else while this process lives. */
export const freePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if ((await reserve(port)) && (await canBind(port))) return port
  }
  throw new Error('found no free port on 127.0.0.1 in 100 attempts')
}

/** Linux has sockets with a name but no file, which are gone with the process that holds them. */
const reserve = async (port: number): Promise<boolean> =>
  process.platform !== 'linux' ||
  (await listens({ path: `\0pg-replstatus-test-port-${port}` })) !== null

const canBind = async (port: number): Promise<boolean> => {
  const server = await listens({ port, host: '127.0.0.1' })
  server?.close()
  return server !== null
}

const listens = async (where: ListenOptions) => {
  const server = createServer()
  try {
    server.listen(where)
    await once(server, 'listening')
    return server.unref()
  } catch {
    return null
  }
}
