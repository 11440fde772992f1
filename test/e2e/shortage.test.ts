/**
 * The daemon when the system has no descriptor or no memory to give: what it could not look at is
 * not known to it, the last verdict counts as long as its lease, and no wrong one comes of it.
 */
import { readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { childrenOf, titleOf } from '../bench/accounting.ts'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { check } from '../harness/flood.ts'
import { freePort } from '../harness/free-port.ts'
import { needProgram } from '../harness/needs.ts'
import { makeShortage } from '../harness/shortage.ts'
import { shortageCodes } from '../harness/system-failure.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const compiler = needProgram('cc')

/** `run` starts the daemon. */
const prepare = async (t: Test) => {
  const cluster = await createCluster({ major: 15 })
  t.teardown(cluster.destroy)
  await cluster.start()
  const shortage = await makeShortage(t)
  const { dataDirectory } = cluster
  const { environment } = shortage
  const run = async (args: readonly string[]): Promise<Daemon> => {
    const daemon = await startDaemon({ dataDirectory, environment, args })
    t.teardown(daemon.stop)
    return daemon
  }
  return { cluster, shortage, run }
}

const start = async (t: Test, args: readonly string[] = []) => {
  const { cluster, shortage, run } = await prepare(t)
  const daemon = await run(args)
  await daemon.answers('MASTER')
  return { cluster, daemon, shortage }
}

const rolesOf = (daemon: Daemon): readonly string[] =>
  daemon.log().filter(line => / role changed /.test(line))

t.test('the last verdict counts as long as its lease, and no longer', compiler.options, async t => {
  for (const source of ['native', 'pg_controldata']) {
    const { cluster, daemon, shortage } = await start(t, ['--control-check', source])
    for (const code of shortageCodes) {
      await t.test(`${code}, ${source}`, async t => {
        const before = rolesOf(daemon).length
        const began = performance.now()
        shortage.begin(code)
        // What has provably not changed is not opened.
        utimesSync(join(cluster.dataDirectory, 'global/pg_control'), new Date(), new Date())
        await until(() => rolesOf(daemon).length > before, { what: 'the end of the lease' })
        const lasted = performance.now() - began
        t.ok(lasted > 900 && lasted < 2500, `${lasted} ms`)
        t.match(
          rolesOf(daemon).at(-1),
          new RegExp(
            `to=unavailable .*last check is \\d+ ms old, the limit is 1500 ms, and checks fail \\(${code}\\)`,
          ),
        )
        await daemon.answers('refused')
        shortage.end()
        await daemon.answers('MASTER')
        t.equal(rolesOf(daemon).length, before + 2, daemon.log().join('\n'))
      })
    }
  }
})

/** Stops the startup process of a crash restart as soon as there is one. */
const crashAndStop = async (cluster: Cluster): Promise<number> => {
  const session = await cluster.session()
  const [row] = await session.query('select pg_backend_pid() as pid')
  const isStartup = (pid: number): boolean => /^postgres: .*startup/.test(titleOf(pid))
  process.kill(Number(row?.['pid']), 'SIGKILL')
  const deadline = performance.now() + 10_000
  // Without a rest: it may be over within milliseconds.
  for (;;) {
    const startup = childrenOf(cluster.pid()).find(isStartup)
    if (startup !== undefined) {
      process.kill(startup, 'SIGSTOP')
      await session.close()
      return startup
    }
    if (performance.now() > deadline) throw new Error('no startup process')
  }
}

t.test('no crash restart is taken for its end', compiler.options, async t => {
  for (const code of shortageCodes) {
    await t.test(code, async t => {
      const { cluster, shortage, run } = await prepare(t)
      const startup = await crashAndStop(cluster)
      const ofStartup = `/proc/${startup}/`
      shortage.begin(code, ofStartup)
      // Having seen nothing of the crash, it knows of the restart by this process alone.
      const daemon = await run(['--when-unavailable', 'reply'])
      const told: string[] = []
      const ask = async (ms: number): Promise<void> => {
        const ends = performance.now() + ms
        while (performance.now() < ends) told.push(await daemon.ask())
      }
      await ask(1500)
      for (const where of [ofStartup, undefined]) {
        for (let times = 0; times < 30; times += 1) {
          shortage.begin(code, where)
          await ask(times)
          shortage.end()
          await ask(20)
        }
      }
      t.strictSame([...new Set(told)], ['UNAVAILABLE'], rolesOf(daemon).join('\n'))
      t.match(readFileSync(`/proc/${startup}/stat`, 'latin1'), / T /, 'it was stopped all the time')
      process.kill(startup, 'SIGCONT')
      await daemon.answers('MASTER')
    })
  }
})

t.test('what answers, and what runs on a change, outlives it', compiler.options, async t => {
  const http = await freePort()
  const { daemon, shortage } = await start(t, [
    `--http=127.0.0.1:${http}`,
    '--on-change=echo "told $PG_REPLSTATUS_ROLE"',
  ])
  const told = (role: string): readonly string[] =>
    daemon.log().filter(line => line.endsWith(`output="told ${role}"`))
  await daemon.said(/output="told primary"/)
  for (const [index, code] of shortageCodes.entries()) {
    await t.test(code, async t => {
      shortage.begin(code)
      for (const path of ['/status', '/metrics', '/history', '/liveness', '/primary']) {
        const request = `GET ${path} HTTP/1.0\r\n\r\n`
        t.match(await check({ port: http, from: '127.0.0.1', request }), /^HTTP\/1\.1 200 /, path)
      }
      daemon.kill('SIGUSR2')
      await daemon.said(new RegExp(`on-change failed .*\\((${code}|EAGAIN)\\)`))
      shortage.end()
      const isTold = (): boolean => told('unavailable').length > index
      await until(isTold, { what: 'the command that could not be started' })
      daemon.kill('SIGUSR2')
      await until(() => told('primary').length > index + 1, { what: 'the command to run' })
      await daemon.answers('MASTER')
    })
  }
})
