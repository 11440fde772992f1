/**
 * haproxy in front of three real servers: whoever connects reaches the server that the port is for,
 * before and after a promotion.
 */
import type { Test } from 'tap'
import { createCluster, type Cluster } from './cluster.ts'
import { startDaemon } from './daemon.ts'
import { freePort } from './free-port.ts'
import { examplePorts, haproxyFor, leadsTo, replacePorts, type ServerRow } from './haproxy.ts'
import { cutOff, openSession } from './session.ts'
import { within } from './until.ts'

const startServers = async (t: Test): Promise<readonly [Cluster, Cluster, Cluster]> => {
  const s1 = await createCluster({ major: 18 })
  t.teardown(s1.destroy)
  await s1.start()
  const s2 = await s1.standby()
  t.teardown(s2.destroy)
  const s3 = await s1.standby()
  t.teardown(s3.destroy)
  await Promise.all([s2.start(), s3.start()])
  return [s1, s2, s3]
}

/** One session, and the port of the server that it came to. */
const visit = async (port: number): Promise<{ server: number; inRecovery: boolean }> => {
  const session = await openSession(port)
  try {
    const [row] = await session.query('select inet_server_port() as port')
    return { server: Number(row?.['port']), inRecovery: await session.isInRecovery() }
  } finally {
    await session.close()
  }
}

/** `config` is an example, with its ports. */
export const playHaproxyStory = async (
  t: Test,
  { program, config }: { readonly program: string; readonly config: string },
): Promise<void> => {
  const servers = await startServers(t)
  const [s1, s2, s3] = servers
  const ports = new Map<number, number>()
  for (const [index, server] of servers.entries()) {
    const daemon = await startDaemon({ dataDirectory: server.dataDirectory })
    t.teardown(daemon.stop)
    ports.set(examplePorts.servers[index] ?? 0, server.port)
    ports.set(examplePorts.probes[index] ?? 0, daemon.port)
    await daemon.until(server === s1 ? 'primary' : 'standby')
  }
  const [write, read] = [await freePort(), await freePort()]
  ports.set(examplePorts.write, write).set(examplePorts.read, read)

  const haproxy = await haproxyFor(t, {
    program,
    config: replacePorts(config, ports),
  })

  await t.test('a writer reaches only the primary', async t => {
    await haproxy.sees('one primary', leadsTo('read-write', 's1'))
    t.strictSame(await visit(write), { server: s1.port, inRecovery: false })
  })

  await t.test('readers reach every standby, and no other server', async t => {
    await haproxy.sees('two standbys', leadsTo('read-only', 's2', 's3'))
    const visited = [await visit(read), await visit(read), await visit(read), await visit(read)]
    t.ok(visited.every(({ inRecovery }) => inRecovery))
    t.strictSame(new Set(visited.map(({ server }) => server)), new Set([s2.port, s3.port]))
  })

  await t.test('a server that is down is distinguished from one of the other role', async t => {
    await s3.stop()
    await haproxy.sees('one standby', leadsTo('read-only', 's2'))
    // Who connects while the port is being closed is reset, once.
    const isClosed = (row: ServerRow): boolean => row.server !== 's3' || /L4CON/.test(row.check)
    await haproxy.sees('a closed port', all => all.every(isClosed))
    const rows = await haproxy.servers()
    const check = (section: string, server: string): string | undefined =>
      rows.find(row => row.section === section && row.server === server)?.check
    t.match(check('read-only', 's1'), /L7RSP/)
    t.match(check('read-write', 's2'), /L7RSP/)
    await s3.start()
    await haproxy.sees('two standbys again', leadsTo('read-only', 's2', 's3'))
  })

  await t.test('a writer is cut off from a primary that hangs, a reader is not', async t => {
    const [writer, reader] = [await openSession(write), await openSession(read)]
    t.teardown(writer.close)
    t.teardown(reader.close)
    // The children of a stopped postmaster go on serving those who are in.
    for (const server of servers) server.kill('SIGSTOP')
    await within(cutOff(writer), { what: 'haproxy to cut the writer off' })
    await haproxy.sees('nobody to read from', leadsTo('read-only'))
    t.equal(await reader.isInRecovery(), true)
    for (const server of servers) server.kill('SIGCONT')
    await haproxy.sees('the primary again', leadsTo('read-write', 's1'))
    await haproxy.sees('the standbys again', leadsTo('read-only', 's2', 's3'))
    await writer.close()
    await reader.close()
  })

  await t.test('after a promotion a writer reaches the new primary', async t => {
    await s1.stop()
    await haproxy.sees('no primary', leadsTo('read-write'))
    await t.rejects(openSession(write), 'there is nobody to write to meanwhile')
    await s2.promote('sql')
    await haproxy.sees('the new primary', leadsTo('read-write', 's2'))
    t.strictSame(await visit(write), { server: s2.port, inRecovery: false })
    await haproxy.sees('one standby left', leadsTo('read-only', 's3'))
    t.strictSame(await visit(read), { server: s3.port, inRecovery: true })
  })
}
