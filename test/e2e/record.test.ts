/** The flight record of the built daemon, asked for by a signal that Node has other plans for. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import t from 'tap'
import { createCluster } from '../harness/cluster.ts'
import { startDaemon } from '../harness/daemon.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

/** Ports that the process listens on. */
const listeningPorts = (pid: number): readonly number[] => {
  const links = readdirSync(`/proc/${pid}/fd`).map(name => readlinkSync(`/proc/${pid}/fd/${name}`))
  const tables = ['tcp', 'tcp6'].map(name => readFileSync(`/proc/${pid}/net/${name}`, 'latin1'))
  return tables
    .flatMap(table => table.trim().split('\n').slice(1))
    .map(row => row.trim().split(/\s+/))
    .filter(
      ([, , , state, , , , , , inode]) => state === '0A' && links.includes(`socket:[${inode}]`),
    )
    .map(([, local = '']) => Number.parseInt(local.slice(local.indexOf(':') + 1), 16))
}

t.test('SIGUSR1 makes it log its last changes, and opens no port for a debugger', async t => {
  const cluster = await createCluster({ major: 15 })
  t.teardown(cluster.destroy)
  const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory })
  t.teardown(daemon.stop)
  await daemon.until('unavailable')
  await cluster.start()
  await daemon.answers('MASTER')
  await cluster.stop()
  await daemon.answers('refused')
  await cluster.start()
  await daemon.answers('MASTER')
  daemon.kill('SIGUSR1')
  await daemon.said(/ earlier change .* from=unavailable to=primary .*timeline=1/)
  const recorded = (): readonly string[] =>
    daemon.log().filter(line => / earlier change /.test(line))
  const changes = daemon.log().filter(line => / (?:role|reason) changed /.test(line))
  await until(() => recorded().length >= changes.length, { what: 'each change' })
  t.equal(recorded().length, changes.length)
  const told = changes.map(line => /because="[^"]*"/.exec(line)?.[0])
  t.strictSame(
    recorded().map(line => /because="[^"]*"/.exec(line)?.[0]),
    told,
    'in the order in which they came',
  )
  t.match(recorded()[0], / from=unknown to=unavailable /)
  t.strictSame(listeningPorts(daemon.pid), [daemon.port])
  t.notMatch(daemon.log().join('\n'), /debugger/i)
  daemon.kill('SIGUSR1')
  await until(() => recorded().length >= 2 * changes.length, { what: 'the same once more' })
})
