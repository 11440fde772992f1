/**
 * haproxy with the file that the README shows, in front of three real servers: whoever connects
 * reaches the server that the port is for, before and after a promotion.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { freePort } from '../harness/free-port.ts'
import { startDaemon } from '../harness/daemon.ts'
import { haproxyFor, leadsTo, replacePorts } from '../harness/haproxy.ts'
import type { ServerRow } from '../harness/haproxy.ts'
import { needProgram } from '../harness/needs.ts'
import { readExample, repositoryRoot } from '../harness/repository.ts'
import { openSession, type Session } from '../harness/session.ts'
import { until, within } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const haproxyProgram = needProgram('haproxy')
const config = readExample('haproxy.cfg')
/** As the file has them, in the order of s1, s2 and s3. */
const example = { servers: [5500, 5501, 5502], probes: [5400, 5401, 5402], write: 5999, read: 5998 }

t.test('the example names each port that the README speaks of', t => {
  const { servers, probes, write, read } = example
  const named = new Set(config.match(/\b\d{4}\b/g)?.map(Number))
  t.strictSame(named, new Set([write, ...servers, ...probes, read]))
  t.end()
})

t.test('the README shows the example as it is', t => {
  const readme = readFileSync(join(repositoryRoot(), 'README.md'), 'utf8')
  const [, shown] = /^```haproxy\n(.*?)^```$/ms.exec(readme) ?? []
  t.equal(shown, config)
  t.end()
})

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

/** Resolves when the session is cut off, asking it all the while. */
const cutOff = async (session: Session): Promise<void> => {
  const ask = async (): Promise<boolean> =>
    session.query('select').then(
      () => false,
      () => true,
    )
  await until(ask, { what: 'the session to be cut off' })
}

const name = 'haproxy leads writers to the primary and readers to the standbys'
t.test(name, haproxyProgram.options, async t => {
  const servers = await startServers(t)
  const [s1, s2, s3] = servers
  const ports = new Map<number, number>()
  for (const [index, server] of servers.entries()) {
    const daemon = await startDaemon({ dataDirectory: server.dataDirectory })
    t.teardown(daemon.stop)
    ports.set(example.servers[index] ?? 0, server.port)
    ports.set(example.probes[index] ?? 0, daemon.port)
    await daemon.until(server === s1 ? 'primary' : 'standby')
  }
  const [write, read] = [await freePort(), await freePort()]
  ports.set(example.write, write).set(example.read, read)

  const haproxy = await haproxyFor(t, {
    program: haproxyProgram.get(),
    config: replacePorts(config, ports),
  })

  await t.test('a writer reaches the primary, and nobody else', async t => {
    await haproxy.sees('one primary', leadsTo('read-write', 's1'))
    t.strictSame(await visit(write), { server: s1.port, inRecovery: false })
  })

  await t.test('readers reach every standby, and nobody else', async t => {
    await haproxy.sees('two standbys', leadsTo('read-only', 's2', 's3'))
    const visited = [await visit(read), await visit(read), await visit(read), await visit(read)]
    t.ok(visited.every(({ inRecovery }) => inRecovery))
    t.strictSame(new Set(visited.map(({ server }) => server)), new Set([s2.port, s3.port]))
  })

  await t.test('a server that is down is told from one of the other role', async t => {
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
})
