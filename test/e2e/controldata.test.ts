/**
 * The reader of global/pg_control beside PostgreSQL's own, on real servers in every state that
 * lasts; and daemons that use the one, the other, or neither.
 */
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { decodeControlDataReport } from '../../src/facts/decode/pg-controldata-report.ts'
import { decodeControlFile, type ControlFile } from '../../src/facts/decode/control-file.ts'
import { wireWords } from '../../src/serve/role/reply.ts'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { startDaemon } from '../harness/daemon.ts'
import { needControlData } from '../harness/needs.ts'
import { runProgram, serverEnvironment } from '../harness/programs.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const controlData = needControlData()

const readControlFile = ({ dataDirectory }: Cluster): Buffer =>
  readFileSync(join(dataDirectory, 'global/pg_control'))

/** What both say of the same bytes; the file of a running server may change in between. */
const readTwice = async (
  cluster: Cluster,
): Promise<{ readonly ours: ControlFile; readonly theirs: ControlFile }> => {
  for (let attempt = 0; attempt < 10; attempt++) {
    const bytes = readControlFile(cluster)
    const report = await runProgram({
      program: controlData.get().path,
      args: [cluster.dataDirectory],
      cwd: '/',
      user: cluster.user,
      environment: { ...serverEnvironment(), TZ: 'UTC' },
    })
    if (!readControlFile(cluster).equals(bytes)) continue
    const [ours, theirs] = [decodeControlFile(bytes), decodeControlDataReport(report)]
    assert(ours.ok && theirs.ok, inspect([ours, theirs]))
    return { ours: ours.fact, theirs: theirs.fact }
  }
  throw new Error('the control file changed at each of 10 reads')
}

const agree = async (t: Test, cluster: Cluster, state: ControlFile['state']): Promise<void> => {
  const { ours, theirs } = await readTwice(cluster)
  t.equal(ours.state, state)
  for (const name of Object.keys(theirs) as (keyof ControlFile)[]) {
    t.equal(ours[name], theirs[name], `${state}: ${name}`)
  }
  t.equal(Object.keys(ours).length, Object.keys(theirs).length)
}

/** Away from what initdb wrote. */
const age = async (cluster: Cluster): Promise<void> => {
  const session = await cluster.session()
  try {
    await session.query('create table written as select generate_series(1, 100000) as number')
    await session.query('checkpoint')
  } finally {
    await session.close()
  }
}

const checks = ['native', 'pg_controldata', 'off'] as const

t.test('pg_controldata and the built-in decoder agree', controlData.options, async t => {
  const { major } = controlData.get()
  const first = await createCluster({ major })
  t.teardown(first.destroy)
  await first.start()
  const primary = await first.standby()
  t.teardown(primary.destroy)
  await primary.start()
  await first.stop()
  await primary.promote('sql')
  const standby = await primary.standby()
  t.teardown(standby.destroy)
  await standby.start()
  await age(primary)

  const daemons = await Promise.all(
    [primary, standby].map(async cluster =>
      Promise.all(
        checks.map(async check => {
          const args = ['--control-check', check]
          const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory, args })
          t.teardown(daemon.stop)
          return daemon
        }),
      ),
    ),
  )
  const [ofPrimary = [], ofStandby = []] = daemons

  await t.test('of a primary and a standby at work', async t => {
    await agree(t, primary, 'in production')
    await agree(t, standby, 'in archive recovery')
  })

  for (const [index, check] of checks.entries()) {
    await t.test(`daemons with --control-check ${check} answer for both`, async () => {
      await ofPrimary[index]?.answers(wireWords.primary)
      await ofStandby[index]?.answers(wireWords.standby)
    })
  }

  await t.test('of a primary and a standby that were shut down', async t => {
    await standby.stop()
    await primary.stop()
    await agree(t, standby, 'shut down in recovery')
    await agree(t, primary, 'shut down')
    t.equal((await readTwice(primary)).ours.checkpointTimeline, 2)
  })

  await t.test('and no daemon answers for them any more', async () => {
    for (const daemon of daemons.flat()) await daemon.answers('refused')
  })
})
