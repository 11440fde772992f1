/**
 * Standbys that go to another timeline, beside real servers: what is told of a standby whose
 * upstream was promoted, and that nobody is warned of a missing signal file while the server that
 * leaves recovery has removed it itself.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { signalFilesSince, standbyRequestFile, type Settings } from '../harness/cluster-files.ts'
import { daemonProgram } from '../harness/daemon.ts'
import { startHttpDaemon, type HttpDaemon } from '../harness/http-daemon.ts'
import { startPair } from '../harness/pair.ts'
import { runProgram } from '../harness/programs.ts'
import { until } from '../harness/until.ts'

// The first run fetches the servers.
t.setTimeout(600_000)
// Each waits for its own servers most of the time.
t.jobs = 3

type Status = {
  readonly verdict: string
  readonly checked_at: string
  readonly promotion: string
  readonly hazards: readonly { readonly name: string }[]
  readonly control_file: Readonly<Record<string, unknown>>
  readonly replication: { readonly state: string; readonly replay_segment: string } | null
}

const statusOf = async ({ dataDirectory }: Cluster): Promise<Status> => {
  const args = ['status', '-D', dataDirectory, '--json', '--expect', 'standby']
  return JSON.parse(await runProgram({ program: daemonProgram(), args, cwd: '/' })) as Status
}

const get = async ({ http }: HttpDaemon, path: string): Promise<string> =>
  (await fetch(`http://127.0.0.1:${http}${path}`)).text()

const toldBy = async (probe: HttpDaemon): Promise<Status> =>
  JSON.parse(await get(probe, '/status')) as Status

const write = async (cluster: Cluster): Promise<void> => {
  const session = await cluster.session()
  await session.query('create table if not exists written (what text)')
  await session.query("insert into written select repeat('x', 1000) from generate_series(1, 100)")
  await session.close()
}

for (const major of [10, 15, 18]) {
  t.test(`PostgreSQL ${major}: a standby follows its upstream's promotion`, async t => {
    const { standby: upstream } = await startPair(t, major)
    const standby = await upstream.standby({ settings: { wal_retrieve_retry_interval: '200ms' } })
    t.teardown(standby.destroy)
    await standby.start()
    const probe = await startHttpDaemon(t, standby.dataDirectory)
    await probe.daemon.answers('STANDBY')
    t.match(await get(probe, '/metrics'), /^pg_replstatus_timeline 1$/m)

    await upstream.promote('pg_ctl')
    const follows = async (): Promise<boolean> => {
      await write(upstream)
      return (await statusOf(standby)).replication?.replay_segment.startsWith('00000002') === true
    }
    await until(follows, { what: 'the standby to replay the new timeline' })
    const status = await statusOf(standby)
    t.match(status.control_file, { timeline: 2, checkpoint_timeline: 1 })
    t.match((await toldBy(probe)).control_file, { timeline: 2, checkpoint_timeline: 1 })
    t.match(await get(probe, '/metrics'), /^pg_replstatus_timeline 2$/m)
    const nagios = ['status', '-D', standby.dataDirectory, '--nagios']
    const line = await runProgram({ program: daemonProgram(), args: nagios, cwd: '/' })
    t.match(line, / timeline=2\n$/)

    await t.test('and the log shows it a few seconds later', async () => {
      const drains = async (): Promise<boolean> => {
        for (const answer of ['refused', 'STANDBY']) {
          probe.daemon.kill('SIGUSR2')
          await probe.daemon.answers(answer)
        }
        return probe.daemon.log().some(told => / to=standby .*timeline=2\b/.test(told))
      }
      await until(drains, { what: 'a line of the log with timeline 2', everyMs: 250 })
    })
  })
}

/**
 * Finds no history file, and holds up a server that asks for one, as servers do when they leave
 * recovery, while its signal file is gone and there is a file `hold`. `otherwise` is what it does
 * for other files.
 */
const slowRestore = (signalFile: string, otherwise = 'exit 1'): Settings => {
  const wait = `until test -e ${signalFile} || ! test -e hold; do sleep 0.05; done`
  return { restore_command: `case %f in *.history) ${wait}; exit 1;; *) ${otherwise};; esac` }
}

/** These settings stand in recovery.conf up to 11. */
const configureRecovery = (cluster: Cluster, settings: Settings, first = ''): void => {
  if (cluster.major >= signalFilesSince) return cluster.configure(settings)
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
  )
  cluster.place('recovery.conf', first + lines.join(''))
}

const hold = (cluster: Cluster): void => cluster.place('hold', '')
const proceed = ({ dataDirectory }: Cluster): void => rmSync(join(dataDirectory, 'hold'))

/** Long enough for a warning that lasts to be told, with what `/status` said meanwhile. */
const watchFor = async (probe: HttpDaemon, ms: number): Promise<readonly Status[]> => {
  const told: Status[] = []
  const enough = async (): Promise<boolean> => {
    told.push(await toldBy(probe))
    const [first, last] = [told[0], told.at(-1)].map(one => Date.parse(one?.checked_at ?? ''))
    return last !== undefined && first !== undefined && last - first >= ms
  }
  await until(enough, { what: `looks over ${ms} ms`, everyMs: 50 })
  return told
}

const hazardsTold = ({ daemon }: HttpDaemon): readonly string[] =>
  daemon.log().filter(line => line.includes(' warning: hazard '))

const assertNoHazard = async (t: Test, cluster: Cluster, probe: HttpDaemon): Promise<void> => {
  const told = await watchFor(probe, 2000)
  t.strictSame(new Set(told.map(({ verdict }) => verdict)), new Set(['standby']))
  t.strictSame(new Set(told.flatMap(({ hazards }) => hazards)), new Set())
  t.match(await statusOf(cluster), { verdict: 'standby', promotion: 'under way', hazards: [] })
  const session = await cluster.session()
  t.equal(await session.isInRecovery(), true)
  await session.close()
}

for (const major of [11, 12, 15, 18]) {
  t.test(`PostgreSQL ${major}: a standby without its signal file`, async t => {
    const primary = await createCluster({ major })
    t.teardown(primary.destroy)
    await primary.start()
    const standby = await primary.standby()
    t.teardown(standby.destroy)
    const file = standbyRequestFile(major)
    const path = join(standby.dataDirectory, file)
    const conninfo = `host=127.0.0.1 port=${primary.port} user=postgres`
    const settings = { ...slowRestore(file), primary_conninfo: conninfo }
    configureRecovery(
      standby,
      settings,
      "standby_mode = 'on'\nrecovery_target_timeline = 'latest'\n",
    )
    await standby.start()
    const probe = await startHttpDaemon(t, standby.dataDirectory)
    await probe.daemon.answers('STANDBY')

    await t.test('has lost it, with its upstream and without', async t => {
      const streams = async (): Promise<boolean> =>
        /^(streaming|unknown)$/.test((await toldBy(probe)).replication?.state ?? '')
      await until(streams, { what: 'a WAL receiver' })
      renameSync(path, `${path}.away`)
      await probe.daemon.said(/hazard="standby without signal file"/)
      await primary.stop()
      const isAlone = async (): Promise<boolean> =>
        (await toldBy(probe)).replication?.state === 'not connected'
      await until(isAlone, { what: 'the WAL receiver to end' })
      const told = await watchFor(probe, 1500)
      const hazards = [{ name: 'standby without signal file' }]
      t.match(
        told,
        told.map(() => ({ hazards })),
      )
      t.match(await statusOf(standby), { promotion: 'none', hazards })
      renameSync(`${path}.away`, path)
      await probe.daemon.said(/hazard ended/)
      renameSync(path, `${path}.away`)
      await until(() => hazardsTold(probe).length === 2, { what: 'the same without upstream' })
      renameSync(`${path}.away`, path)
      await until(async () => (await toldBy(probe)).hazards.length === 0, { what: 'its end' })
    })

    await t.test('has removed it itself in a promotion', async t => {
      const before = hazardsTold(probe).length
      hold(standby)
      const args = ['promote', '-W', '-D', standby.dataDirectory]
      const program = join(standby.binaries, 'pg_ctl')
      await runProgram({ program, args, cwd: standby.folder, user: standby.user })
      await until(() => !existsSync(path), { what: 'the signal file to go' })
      await assertNoHazard(t, standby, probe)
      proceed(standby)
      await probe.daemon.answers('MASTER')
      t.equal(hazardsTold(probe).length, before)
      t.strictSame((await toldBy(probe)).hazards, [])
    })
  })
}

for (const major of [11, 18]) {
  t.test(`PostgreSQL ${major}: the end of a recovery to a point in time`, async t => {
    const upstream = await createCluster({ major })
    t.teardown(upstream.destroy)
    // A cluster that was never started demands what initdb has set.
    const settings = { shared_buffers: '128MB', max_connections: '100' }
    const cluster = await upstream.copy({ settings })
    t.teardown(cluster.destroy)
    await upstream.start()
    const session = await upstream.session()
    await session.query(
      'create table filler as select n, repeat(md5(n::text), 8) from generate_series(1, 200000) n',
    )
    await session.query("select pg_create_restore_point('here')")
    await session.query('select pg_switch_wal()')
    await session.close()
    const file = major < signalFilesSince ? 'recovery.conf' : 'recovery.signal'
    const fetchSegment = `cp ${upstream.dataDirectory}/pg_wal/%f %p`
    const target = { recovery_target_name: 'here', recovery_target_action: 'promote' }
    if (major >= signalFilesSince) cluster.place(file, '')
    hold(cluster)
    configureRecovery(cluster, { ...slowRestore(file, fetchSegment), ...target })
    await cluster.start()
    const probe = await startHttpDaemon(t, cluster.dataDirectory)
    await until(() => !existsSync(join(cluster.dataDirectory, file)), { what: 'the target' })
    await probe.daemon.answers('STANDBY')
    await assertNoHazard(t, cluster, probe)
    proceed(cluster)
    const told: Status[] = []
    const isOver = async (): Promise<boolean> => {
      told.push(await toldBy(probe))
      return told.at(-1)?.verdict === 'primary'
    }
    await until(isOver, { what: 'the end of recovery', everyMs: 1 })
    t.strictSame(new Set(told.flatMap(({ hazards }) => hazards)), new Set())
    t.strictSame(hazardsTold(probe), [])
    const states = told.map(({ control_file: { state } }) => state)
    t.ok(states.includes('shutting down'), 'the checkpoint that ends recovery was seen')
  })
}
