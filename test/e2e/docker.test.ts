/**
 * The health check of fixtures/Dockerfile, run as Docker runs it, and what is special in a
 * container: the server may be pid 1 there, and so may the daemon. There is no Docker engine here.
 */
import assert from 'node:assert'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { daemonProgram, launchDaemon } from '../harness/daemon.ts'
import { spawnLeashed } from '../harness/leash.ts'
import { needNamespaces } from '../harness/needs.ts'
import { asServerUser, entering, firstProcess, inPidNamespace } from '../harness/pid-namespace.ts'
import { lockFileLine } from '../harness/postmaster.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { installedEnvironment, runCommand, startServers } from '../harness/recipes.ts'
import { readExample } from '../harness/repository.ts'
import { until, within } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const namespaces = needNamespaces()

/** What Docker gives to /bin/sh -c. */
const healthCheck = (): string => {
  const [, command] =
    /^HEALTHCHECK (?:--\S+ |\\\n *)*CMD (.+)$/m.exec(readExample('Dockerfile')) ?? []
  assert(command !== undefined && !command.startsWith('['), 'a health check for the shell')
  return command
}

/** `within` is what makes it run in a container. */
const checkHealth = async (t: Test, directory: string, within: readonly string[] = []) =>
  runCommand([...within, '/bin/sh', '-c', healthCheck()], {
    environment: { ...installedEnvironment(t), PGDATA: directory },
  })

t.test('Docker gets 0 or 1, and the reason', async t => {
  const { primary, standby, stopped } = await startServers(t)
  const check = ({ dataDirectory }: Cluster) => checkHealth(t, dataDirectory)
  t.match(await check(primary), { code: 0, out: /^primary: / })
  t.match(await check(standby), { code: 0, out: /^standby: / })
  t.match(await check(stopped), { code: 1, out: /^unavailable: [^]*no server is running/ })
  t.match(await checkHealth(t, '/nowhere'), { code: 1, out: /\/nowhere does not exist/ })
})

t.test('the server of the init scripts is not healthy', async t => {
  for (const major of [10, 18]) {
    const cluster = await createCluster({ major })
    t.teardown(cluster.destroy)
    const { dataDirectory, folder } = cluster
    // As docker_temp_server_start() of the image does, until they are done.
    cluster.configure({ listen_addresses: '', unix_socket_directories: folder })
    await cluster.launch()
    const isReady = (): boolean => lockFileLine(dataDirectory, 8).startsWith('ready')
    await until(isReady, { what: 'the server to be ready' })
    t.equal(lockFileLine(dataDirectory, 6), '')
    const socketOnly = /^primary: [^]*not as expected: primary, but it listens on no address/
    t.match(await checkHealth(t, dataDirectory), { code: 1, out: socketOnly })
    const args = [daemonProgram(), 'status', '-D', dataDirectory]
    const unasked = await runCommand(args, { environment: serverEnvironment() })
    t.match(unasked, { code: 0, out: /^primary: / })
    await cluster.stop()
    cluster.configure({ listen_addresses: 'localhost' })
    await cluster.start()
    t.match(await checkHealth(t, dataDirectory), { code: 0, out: /^primary: / })
  }
})

/** A container: its first process, as the server user; ends with the test. */
const startContainer = async (t: Test, command: readonly string[]) => {
  const child = spawnLeashed([...inPidNamespace, ...asServerUser(), ...command], {
    cwd: '/',
    env: serverEnvironment(),
  })
  const ended = new Promise<void>(resolve => void child.once('close', () => resolve()))
  // It fills up otherwise, and the server would wait.
  child.stderr.resume()
  const first = await firstProcess(child.pid ?? 0)
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await within(ended, { what: 'the container to end' })
  }
  t.teardown(kill)
  return { within: entering(first), kill }
}

t.test('a server that is pid 1 of its container', namespaces.options, async t => {
  const cluster = await createCluster({ major: 18 })
  t.teardown(cluster.destroy)
  const { dataDirectory, binaries } = cluster
  const server = await startContainer(t, [join(binaries, 'postgres'), '-D', dataDirectory])
  await until(cluster.accepts, { what: 'the server to accept a login' })
  t.equal(lockFileLine(dataDirectory, 1), '1')

  await t.test('is known by that number in there', async t => {
    t.match(await checkHealth(t, dataDirectory, server.within), {
      code: 0,
      out: /^primary: [^]*because postmaster pid 1 is ready/,
    })
  })

  await t.test('and is not mistaken for another pid 1 elsewhere', async t => {
    t.match(await checkHealth(t, dataDirectory), {
      code: 1,
      out: /because process 1 in postmaster\.pid is not /,
    })
  })

  await t.test('nor is pid 1 of the next container for it, after a crash', async t => {
    await server.kill()
    t.equal(lockFileLine(dataDirectory, 1), '1', 'the lock file is left over')
    const next = await startContainer(t, ['sleep', '1000'])
    t.match(await checkHealth(t, dataDirectory, next.within), {
      code: 1,
      out: /because process 1 in postmaster\.pid is not the postmaster/,
    })
  })

  await t.test('nor is the daemon, which ends at once as pid 1, too', async t => {
    const through = [...inPidNamespace, ...asServerUser()]
    const daemon = await launchDaemon({ dataDirectory, through })
    t.teardown(() => daemon.kill('SIGKILL'))
    await daemon.said(/ listening /)
    const said = await daemon.said(/ role changed from=unknown to=unavailable /)
    t.match(said, /because="process 1 in postmaster\.pid is not the postmaster/)
    t.match(daemon.log().join('\n'), / started .*pid=1\b/)
    process.kill(await firstProcess(daemon.pid), 'SIGTERM')
    t.strictSame(await within(daemon.ended(), { what: 'the daemon to stop', limitMs: 5000 }), {
      code: 0,
      signal: null,
    })
  })
})
