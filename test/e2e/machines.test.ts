/**
 * Real servers as other machines have them: under another name, with another group, with titles cut
 * short, among processes that are not theirs, in LXC, behind a hidden /proc.
 */
import { copyFileSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Pid } from '../../src/facts/units.ts'
import { openProcessTable } from '../../src/observe/processes/process-table.ts'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import type { Settings } from '../harness/cluster-files.ts'
import { daemonProgram, startDaemon } from '../harness/daemon.ts'
import { needRoot } from '../harness/needs.ts'
import { lockFileLine } from '../harness/postmaster.ts'
import { runProgram } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)
// Each waits for its own servers most of the time.
t.jobs = 2

const processes = openProcessTable()
const anotherGroup = 65_534

const make = async (t: Test, settings: Settings = {}, major = 18): Promise<Cluster> => {
  const cluster = await createCluster({ major, settings })
  t.teardown(cluster.destroy)
  return cluster
}

type Status = {
  readonly verdict: string
  readonly rule: string
  readonly postmaster: { readonly identified_by?: string; readonly found: string }
}

/** `status --json`, started through another command. */
const status = async (cluster: Cluster, through: readonly string[] = []): Promise<Status> => {
  const command = [...through, daemonProgram(), 'status', '--json', '-D', cluster.dataDirectory]
  const asked = runProgram({
    program: 'sh',
    args: ['-c', '"$@"; true', 'sh', ...command],
    cwd: '/',
  })
  return JSON.parse(await asked) as Status
}

t.test('a server under another name, as Nix has it', async t => {
  const cluster = await make(t)
  const program = join(cluster.folder, '.postgres-wrapped')
  copyFileSync(join(cluster.binaries, 'postgres'), program)
  const environment = { LD_LIBRARY_PATH: join(cluster.binaries, '../lib') }
  await cluster.start({ program, environment })
  t.match(await status(cluster), {
    verdict: 'primary',
    postmaster: { identified_by: 'working directory' },
  })
})

t.test('one with no room for its titles', async t => {
  const name = 'prod-eu-west-1-billing-ledger-postgresql-cluster-node-00000001'
  const cluster = await make(t, { cluster_name: name })
  // The room is that of command line and environment.
  const bare = { program: './postgres', directory: cluster.binaries, through: ['env', '-i'] }
  await cluster.start(bare)
  t.match(await status(cluster), { verdict: 'primary', children: { titles_incomplete: true } })
  const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory })
  t.teardown(daemon.stop)
  await daemon.answers('MASTER')
  await cluster.stop()
  cluster.requestStandby(null)
  await cluster.start(bare)
  await daemon.answers('STANDBY')
  await cluster.promote('pg_ctl')
  await daemon.answers('MASTER')
})

t.test('one started by a shell that has left a program behind', async t => {
  const cluster = await make(t)
  await cluster.start({ through: ['sh', '-c', 'sleep 1000 & exec "$@"', 'sh'] })
  const children = processes.children(cluster.pid() as Pid) ?? []
  const titles = await Promise.all(children.map(processes.commandLine))
  const stranger = children.find((_, at) => titles[at]?.startsWith('sleep')) ?? 0
  t.teardown(() => process.kill(stranger, 'SIGKILL'))
  t.match(await status(cluster), { verdict: 'primary', children: { titles_incomplete: false } })
})

t.test('one that pg_upgrade runs', async t => {
  const cluster = await make(t)
  await cluster.start({ args: ['-b'] })
  t.match(await status(cluster), { verdict: 'unavailable', rule: 'binary upgrade' })
})

/** A standby without WAL receiver after a crash restart that took a few milliseconds. */
const startCrashedStandby = async (t: Test, major: number): Promise<Cluster> => {
  const cluster = await make(t, { fsync: 'off' }, major)
  // Once as a primary, so that the control file has settings that a standby can do with.
  await cluster.start()
  await cluster.stop()
  cluster.requestStandby(null)
  await cluster.start()
  const lastId = lockFileLine(cluster.dataDirectory, 7)
  // A startup process that is younger than a second would be the first one.
  const age = () => processes.ageMs(startOf(cluster.pid()))
  await until(() => age() > 1500, { what: 'the server to be older than a second' })
  const children = processes.children(cluster.pid() as Pid) ?? []
  const titles = await Promise.all(children.map(processes.commandLine))
  const writer = children.find((_, at) => titles[at]?.includes('writer')) ?? 0
  process.kill(writer, 'SIGKILL')
  const isNew = () => lockFileLine(cluster.dataDirectory, 7) !== lastId
  await until(isNew, { what: 'a crash restart' })
  await until(cluster.accepts, { what: 'logins to be accepted' })
  return cluster
}
const startOf = (pid: number) => {
  const handle = processes.open(pid as Pid)
  if (typeof handle === 'string') throw new Error(`pid ${pid} is ${handle}`)
  handle.close()
  return handle.started
}

for (const major of [12, 15, 18]) {
  t.test(`a standby of ${major} after a quick crash restart`, async t => {
    const cluster = await startCrashedStandby(t, major)
    t.match(await status(cluster), { verdict: 'standby' })
    const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory })
    t.teardown(daemon.stop)
    await daemon.answers('STANDBY')

    t.test('on a file system with times in whole seconds', async t => {
      const lockFile = join(cluster.dataDirectory, 'postmaster.pid')
      const { mtimeMs } = statSync(lockFile)
      utimesSync(lockFile, new Date(), new Date(Math.floor(mtimeMs / 1000) * 1000))
      t.match(await status(cluster), { verdict: 'standby' })
    })

    await t.test(
      'and its promotion is not mistaken for a crash by a daemon started late',
      async t => {
        const before = daemon.log().length
        await cluster.promote('pg_ctl')
        await daemon.answers('MASTER')
        const since = daemon.log().slice(before).join('\n')
        t.notMatch(since, /restarting its children|to=unavailable/)
      },
    )
  })
}

const root = needRoot()
/** Options of `unshare` that let a mount be seen by nobody else. */
const mounting = (script: string): readonly string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  script,
  'sh',
]

t.test('in LXC, where /proc/uptime is that of the container', root.options, async t => {
  const cluster = await startCrashedStandby(t, 15)
  const uptime = join(cluster.folder, 'uptime')
  writeFileSync(uptime, '60.00 60.00\n')
  const through = mounting(`mount --bind '${uptime}' /proc/uptime && exec "$@"`)
  t.match(await status(cluster, through), { verdict: 'standby' })
})

t.test('a server with another group', root.options, async t => {
  const cluster = await make(t)
  await cluster.start({ group: anotherGroup })

  t.test('is known by its shared memory', async t => {
    t.match(await status(cluster), {
      verdict: 'primary',
      postmaster: { identified_by: 'shared memory' },
    })
  })

  t.test('also when the clock has been set since', async t => {
    const lockFile = join(cluster.dataDirectory, 'postmaster.pid')
    const text = readFileSync(lockFile, 'utf8')
    const set = text.replace(/^\d{9,}$/m, seconds => String(Number(seconds) - 10))
    t.not(set, text)
    writeFileSync(lockFile, set)
    t.match(await status(cluster), { verdict: 'primary' })

    t.test('and in another IPC namespace by its command line', async t => {
      t.match(await status(cluster, ['unshare', '--ipc']), {
        verdict: 'primary',
        postmaster: { identified_by: 'command line' },
      })
    })
  })

  t.test('also behind a /proc that hides it', async t => {
    const hidden = mounting('mount -t proc -o hidepid=invisible proc /proc && exec "$@"')
    t.match(await status(cluster, hidden), {
      verdict: 'primary',
      postmaster: { found: 'signal 0' },
    })
    const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory, through: hidden })
    t.teardown(daemon.stop)
    await daemon.answers('MASTER')
    cluster.kill('SIGKILL')
    await daemon.answers('refused')
  })
})
