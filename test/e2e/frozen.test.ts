/**
 * Servers frozen by the kernel, as docker pause and systemctl freeze do it, by cgroups of either
 * version: no process is told, and every file and title stays as it is.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startInBackground } from '../harness/background.ts'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import {
  makeControlGroup,
  type CgroupVersion,
  type ControlGroup,
} from '../harness/control-group.ts'
import { daemonProgram, startDaemon, type Daemon } from '../harness/daemon.ts'
import { needControlGroup } from '../harness/needs.ts'
import { runProgram } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const needs = { v1: needControlGroup('v1'), v2: needControlGroup('v2') }
const { options: needBoth } = needs.v1.options.skip === false ? needs.v2 : needs.v1

/** A server in a cgroup below another one, each of which may be frozen. */
const startPrimary = async (t: Test, version: CgroupVersion) => {
  const cluster = await createCluster({ major: 18 })
  t.teardown(cluster.destroy)
  await cluster.start()
  const outer = makeGroup(t, version)
  const inner = makeGroup(t, version, outer)
  return { cluster, outer, inner }
}

const makeGroup = (t: Test, version: CgroupVersion, above?: ControlGroup): ControlGroup => {
  const made = makeControlGroup(version, above)
  t.teardown(made.finish)
  return made
}

const watch = async (t: Test, cluster: Cluster, args: readonly string[]): Promise<Daemon> => {
  const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory, args })
  t.teardown(async () => {
    await daemon.stop()
  })
  await daemon.answers('MASTER')
  return daemon
}

/** So far apart that no tick finds what events and the pulse should. */
const rareLooks = ['--interval', '60000']

const silence = /^(?:refused|reset|)$/

/** A pulse that was taken just before counts for a millisecond: see vital-signs.ts. */
const pulseMs = 2

const freeze = async (at: ControlGroup, group = at): Promise<void> => {
  at.freeze()
  await until(group.isFrozen, { what: `${group.folder} to be frozen`, everyMs: 0 })
  await sleep(pulseMs)
}

for (const version of ['v1', 'v2'] as const) {
  t.test(`frozen by cgroup ${version}`, needs[version].options, async t => {
    const { cluster, outer, inner } = await startPrimary(t, version)

    await t.test('a server that is moved to another cgroup and frozen there', async t => {
      const daemon = await watch(t, cluster, [])
      inner.addServer(cluster)
      await freeze(inner)
      await daemon.answers('refused')
      inner.thaw()
      await daemon.answers('MASTER')
    })

    const daemon = await watch(t, cluster, rareLooks)
    for (const at of [inner, outer]) {
      const which = at === inner ? 'its cgroup' : 'the one above'
      await t.test(`no answer is given from the moment on when ${which} is frozen`, async t => {
        await freeze(at, inner)
        t.match(await daemon.ask(), silence)
        await daemon.answers('refused')
        at.thaw()
        await daemon.answers('MASTER')
      })
    }

    await t.test('the reason is in the log and in the status', async t => {
      await freeze(inner)
      t.match(await daemon.ask(), silence)
      await daemon.said(/pid \d+ is frozen by its control group \(docker pause, systemctl freeze\)/)
      const args = ['status', '-D', cluster.dataDirectory]
      const status = runProgram({ program: daemonProgram(), args, cwd: '/', user: cluster.user })
      await t.rejects(status, { message: /postmaster +frozen by its control group/ })
      inner.thaw()
    })
  })
}

t.test('v2: the port closes before any client connects', needs.v2.options, async t => {
  const { cluster, outer, inner } = await startPrimary(t, 'v2')
  inner.addServer(cluster)
  for (const at of [inner, outer]) {
    const daemon = await watch(t, cluster, rareLooks)
    await freeze(at, inner)
    await daemon.until('unavailable')
    at.thaw()
    await daemon.until('primary')
  }
})

t.test('v2: while one process cannot be frozen, the others are', needBoth, async t => {
  const { cluster, inner } = await startPrimary(t, 'v2')
  inner.addServer(cluster)
  // For v2, one that v1 has frozen waits for something, as for a disk.
  const waiting = startInBackground(t, ['sleep', '1000'])
  const held = makeGroup(t, 'v1')
  held.add(waiting.pid)
  await freeze(held)
  inner.add(waiting.pid)
  const daemon = await watch(t, cluster, rareLooks)
  inner.freeze()
  t.match(await daemon.ask(), silence)
  await daemon.until('unavailable')
  t.equal(inner.isFrozen(), false)
  t.equal(await cluster.accepts(), false)
  inner.thaw()
  await daemon.until('primary')
})

t.test(
  'v2: a daemon frozen with its server wakes up to what is true',
  needs.v2.options,
  async t => {
    const { cluster, inner } = await startPrimary(t, 'v2')
    const daemon = await watch(t, cluster, ['--interval', '50'])
    inner.addServer(cluster)
    inner.add(daemon.pid)
    await freeze(inner)
    // It waits in the queue of the port, and hears the first answer after the thaw.
    const answer = daemon.ask()
    cluster.kill('SIGKILL')
    await cluster.ended()
    inner.thaw()
    t.match(await answer, silence)
  },
)
