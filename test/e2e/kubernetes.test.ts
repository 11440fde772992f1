/**
 * The pod of fixtures/kubernetes-sidecar.yml: what its parts need of each other, its probes asked
 * as a kubelet asks, and the shared pid namespace that it wants. There is no cluster here.
 */
import assert from 'node:assert'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { launchDaemon, startDaemon } from '../harness/daemon.ts'
import { startHttpDaemon } from '../harness/http-daemon.ts'
import { needNamespaces } from '../harness/needs.ts'
import { asServerUser, entering, firstProcess, inPidNamespace } from '../harness/pid-namespace.ts'
import { lockFileLine } from '../harness/postmaster.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { replaceEach, runCommand, startServers } from '../harness/recipes.ts'
import { readExample } from '../harness/repository.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const namespaces = needNamespaces()

type Probe = { readonly httpGet: { readonly path: string; readonly port: string } }
type Container = {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly volumeMounts: readonly { readonly name: string; readonly readOnly?: boolean }[]
  readonly readinessProbe?: Probe
  readonly livenessProbe?: Probe
  readonly startupProbe?: Probe
}
type Pod = {
  readonly metadata: { readonly labels: unknown }
  readonly spec: {
    readonly shareProcessNamespace: boolean
    readonly containers: readonly Container[]
  }
}
type Service = {
  readonly spec: { readonly selector: unknown; readonly ports: readonly { targetPort: string }[] }
}

const documents = parseAllDocuments(readExample('kubernetes-sidecar.yml'), { strict: true })
const [pod, service] = documents.map(document => document.toJS() as unknown) as [Pod, Service]
const containerOf = (name: string): Container => {
  const container = pod.spec.containers.find(one => one.name === name)
  assert(container !== undefined, name)
  return container
}
const [server, sidecar] = [containerOf('postgres'), containerOf('pg-replstatus')]

const pgdataOf = ({ env }: Container): string | undefined =>
  env.find(({ name }) => name === 'PGDATA')?.value

const sound = { errors: [], warnings: [] }

t.test('the parts of the pod fit together', async t => {
  for (const { errors, warnings } of documents) t.strictSame({ errors, warnings }, sound)
  t.equal(pod.spec.shareProcessNamespace, true)
  t.equal(pgdataOf(sidecar), pgdataOf(server))
  const [mount] = server.volumeMounts
  t.strictSame(sidecar.volumeMounts, [{ ...mount, readOnly: true }])
  t.strictSame(service.spec.selector, pod.metadata.labels)
  t.ok(server.ports.some(({ name }) => name === service.spec.ports[0]?.targetPort))
  for (const kind of ['readinessProbe', 'livenessProbe', 'startupProbe']) {
    t.notOk(kind in server, `the server has no ${kind}`)
  }
})

/** The port on which the container listens for a probe, as its command has it. */
const probedPort = (container: Container, probe: Probe): string => {
  const port = container.ports.find(({ name }) => name === probe.httpGet.port)
  return String(port?.containerPort)
}

/** The daemon with the options that the pod gives to it, on another port for HTTP. */
const sidecarArgs = (http: number): readonly string[] => {
  const { command = [], readinessProbe, livenessProbe } = sidecar
  assert(readinessProbe !== undefined && livenessProbe !== undefined)
  const port = probedPort(sidecar, readinessProbe)
  assert.equal(probedPort(sidecar, livenessProbe), port)
  const [program, ...args] = command
  assert.equal(program, 'pg-replstatus')
  return JSON.parse(replaceEach(JSON.stringify(args), { [port]: String(http) })) as string[]
}

/** A kubelet takes any status from 200 to 399 for a success. */
const succeeds = async (probe: Probe | undefined, http: number): Promise<boolean> => {
  assert(probe !== undefined)
  const { status } = await fetch(`http://127.0.0.1:${http}${probe.httpGet.path}`, {
    redirect: 'manual',
  })
  return status >= 200 && status < 400
}

const askProbes = async (http: number) => ({
  ready: await succeeds(sidecar.readinessProbe, http),
  live: await succeeds(sidecar.livenessProbe, http),
})

t.test('ready while clients are accepted, and live whatever the server does', async t => {
  const { primary, standby, stopped } = await startServers(t)
  const watch = async (t: Test, { dataDirectory }: Cluster) => {
    const { daemon, http } = await startHttpDaemon(t, dataDirectory, sidecarArgs)
    return { daemon, ask: () => askProbes(http) }
  }
  await t.test('a primary', async t => {
    const { daemon, ask } = await watch(t, primary)
    await daemon.until('primary')
    t.strictSame(await ask(), { ready: true, live: true })
  })
  await t.test('a standby', async t => {
    const { daemon, ask } = await watch(t, standby)
    await daemon.until('standby')
    t.strictSame(await ask(), { ready: true, live: true })
  })
  await t.test('a server that is started and stopped', async t => {
    const { daemon, ask } = await watch(t, stopped)
    await daemon.until('unavailable')
    t.strictSame(await ask(), { ready: false, live: true })
    await stopped.start()
    await daemon.until('primary')
    t.strictSame(await ask(), { ready: true, live: true })
    await stopped.stop()
    await daemon.until('unavailable')
    t.strictSame(await ask(), { ready: false, live: true })
  })
})

/**
 * Takes the part of the pod's own first process: has the volume mounted once more, not to be
 * written, and starts both containers.
 */
const firstOfPod = `
mount --bind "$2" "$3" && mount -o remount,bind,ro "$3" || exit
${asServerUser().join(' ')} "$1" -D "$2" &
shift 3
${asServerUser().join(' ')} "$@" &
wait
`

t.test('in the shared pid namespace, and out of it', namespaces.options, async t => {
  const cluster = await createCluster({ major: 18 })
  t.teardown(cluster.destroy)
  const { binaries, dataDirectory, folder } = cluster
  const mounted = join(folder, 'mounted')
  mkdirSync(mounted)
  const server = join(binaries, 'postgres')
  const pause = ['sh', '-c', firstOfPod, 'pause', server, dataDirectory, mounted]
  const daemon = await launchDaemon({
    dataDirectory: mounted,
    through: [...inPidNamespace, ...pause],
  })
  t.teardown(async () => {
    daemon.kill('SIGKILL')
    await daemon.ended()
  })

  await t.test('beside a server of which it can only read', async t => {
    await daemon.answers('MASTER')
    const pids = /postmaster pid (\d+) is ready/.exec(daemon.log().join('\n'))
    t.equal(pids?.[1], lockFileLine(dataDirectory, 1))
    t.match(daemon.log().join('\n'), / started .*pid=(?!1\b)\d+/)
  })

  await t.test('elsewhere the pid in the lock file means nothing', async t => {
    const elsewhere = await startDaemon({ dataDirectory })
    t.teardown(elsewhere.stop)
    const said = await elsewhere.said(/ role changed from=unknown to=unavailable /)
    t.match(
      said,
      /because="(?:stale postmaster\.pid: process \d+ |process \d+ in postmaster\.pid )/,
    )
  })

  await t.test('and a stop is noticed', async t => {
    const stop = ['sh', '-c', 'kill -INT "$(head -n 1 "$0/postmaster.pid")"', dataDirectory]
    const environment = serverEnvironment()
    const command = [...entering(await firstProcess(daemon.pid)), ...stop]
    t.match(await runCommand(command, { environment }), { code: 0, out: '' })
    await daemon.answers('refused')
  })
})
