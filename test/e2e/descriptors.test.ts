/**
 * The daemon at the limit of descriptors: clients never take those that it needs itself, and when
 * there are none all the same, nothing ends and nothing goes wrong for good.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { descriptorsOf } from '../bench/accounting.ts'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { launchDaemon, startDaemon, type Daemon } from '../harness/daemon.ts'
import { buildFlood, check, checkRegularly, flood } from '../harness/flood.ts'
import { freePort } from '../harness/free-port.ts'
import { needProgram } from '../harness/needs.ts'
import { hearNotifications } from '../harness/notify-socket.ts'
import { runProgram } from '../harness/programs.ts'
import { makeServerFolder } from '../harness/stand-in.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const compiler = needProgram('cc')
const perl = needProgram('perl')

/** From the start, so that even Node can't raise it. */
const limitedTo = (limit: number): readonly string[] => ['prlimit', `--nofile=${limit}`]

/** Sections of a configuration file, with a command that is run on each change. */
const configure = (t: Test, ports: { readonly role: number; readonly http: number }) => {
  const folder = makeServerFolder(t)
  const path = join(folder, 'pg-replstatus.conf')
  const notice = join(folder, 'maintenance')
  const write = (cluster: Cluster, more = ''): void =>
    writeFileSync(
      path,
      `bind = 127.0.0.1\n${more}\n[main]\npgdata = ${cluster.dataDirectory}\nport = ${ports.role}\n` +
        `http = 127.0.0.1:${ports.http}\nmaintenance-file = ${notice}\n` +
        'on-change = echo "told $PG_REPLSTATUS_ROLE"\n',
    )
  return { folder, path, notice, write }
}

const linesLike = (daemon: Daemon, pattern: RegExp): readonly string[] =>
  daemon.log().filter(line => pattern.test(line))

t.test('what clients may have is fitted to the limit', compiler.options, async t => {
  const cluster = await createCluster({ major: 15 })
  t.teardown(cluster.destroy)
  await cluster.start()
  const ports = { role: await freePort(), http: await freePort() }
  const { folder, path, write } = configure(t, ports)
  write(cluster)
  const through = limitedTo(400)
  const daemon = await startDaemon({ config: path, port: ports.role, through })
  t.teardown(daemon.stop)
  const lowered = / warning: connection limits lowered open_files=400 /
  t.match(await daemon.said(lowered), / reserved=107 requested=4608 connections=292$/)
  await daemon.answers('MASTER')
  await daemon.said(/ on-change .*output="told primary"/)
  const before = daemon.log().length
  const program = await buildFlood()
  const attack = {
    atOnce: 1500,
    perSecond: 3000,
    holdMs: 2000,
    manner: 'hold',
    seconds: 12,
  } as const
  const floods = [ports.role, ports.http].map(port => flood(program, { ...attack, port }))
  const taken = /connection limit reached .*port=/
  await until(() => linesLike(daemon, taken).length === 2, { what: 'both ports to be full' })
  // A change, with the command that it takes; and one more cluster, with all that it opens.
  await cluster.stop()
  await daemon.said(/ on-change .*output="told unavailable"/)
  await cluster.start()
  await until(() => linesLike(daemon, /output="told primary"/).length === 2, { what: 'a primary' })
  mkdirSync(join(folder, 'none'))
  write(cluster, `[other]\npgdata = ${join(folder, 'none')}\nport = ${await freePort()}\n`)
  daemon.kill('SIGHUP')
  await daemon.said(/ reloaded started=1 /)
  const isFitted = (): boolean => linesLike(daemon, /connection limits lowered/).length === 2
  await until(isFitted, { what: 'the limits to be fitted anew' })
  for (const each of floods) t.ok((await each).connected > 1000)
  await daemon.answers('MASTER')
  t.strictSame(linesLike(daemon, /EMFILE|on-change failed|connections lost/), [])
  const roles = linesLike(daemon, /role changed .*cluster=main /)
  t.equal(roles.length, 3, `to primary, unavailable and primary: ${roles.join('\n')}`)
  t.ok(daemon.log().length < before + 30, daemon.log().join('\n'))
})

t.test('a limit that leaves nothing sensible keeps it from starting', async t => {
  const cluster = await createCluster({ major: 15 })
  t.teardown(cluster.destroy)
  const { dataDirectory } = cluster
  const daemon = await launchDaemon({ dataDirectory, through: limitedTo(64) })
  t.match(await daemon.ended(), { code: 3 })
  t.strictSame(
    daemon.log().filter(line => !/privileges dropped/.test(line)),
    [
      'pg-replstatus: error: the limit of open files is 64, but at least 114 are needed',
      'hint: raise it with LimitNOFILE= in the unit, or with ulimit -n in a shell',
    ],
  )
})

t.test('several clusters with all ports full share a low limit', compiler.options, async t => {
  t.jobs = 2
  const program = await buildFlood()
  for (const [limit, count] of [
    [128, 1],
    [1024, 3],
  ] as const) {
    t.test(`${limit}`, async t => {
      const cluster = await createCluster({ major: 15 })
      t.teardown(cluster.destroy)
      await cluster.start()
      const folder = makeServerFolder(t)
      const path = join(folder, 'pg-replstatus.conf')
      const ports: number[] = []
      let text = 'bind = 127.0.0.1\n'
      for (let index = 0; index < count; index += 1) {
        const [role, http, agent] = [await freePort(), await freePort(), await freePort()]
        ports.push(role, http, agent)
        const directory = join(folder, `link${index}`)
        symlinkSync(cluster.dataDirectory, directory)
        text += `[cluster${index}]\npgdata = ${directory}\nport = ${role}\n`
        text += `http = 127.0.0.1:${http}\n`
        // The least is less than two listeners more would need.
        if (count > 1) text += `agent = 127.0.0.1:${agent}\n`
      }
      writeFileSync(path, text)
      const port = ports[0] ?? 0
      const daemon = await startDaemon({ config: path, port, through: limitedTo(limit) })
      t.teardown(daemon.stop)
      const allPrimary = (): boolean => linesLike(daemon, / to=primary /).length === count
      await until(allPrimary, { what: 'all clusters to be checked' })
      const before = linesLike(daemon, / role changed /).length
      const attack = { atOnce: 300, perSecond: 100, holdMs: 4000, manner: 'hold' } as const
      const floods = ports.map(port => flood(program, { ...attack, port, seconds: 6 }))
      const told = await checkRegularly({ port, from: '127.0.0.2' }, 50)
      t.strictSame([...new Set(told)], ['MASTER'])
      for (const each of floods) await each
      t.strictSame(linesLike(daemon, /E[MN]FILE|connections lost|checks fail/), [])
      t.equal(linesLike(daemon, / role changed /).length, before, daemon.log().join('\n'))
    })
  }
})

t.test('without a descriptor left nothing ends, and all is well again', perl.options, async t => {
  t.jobs = 2
  for (const source of ['native', 'pg_controldata']) {
    t.test(source, async t => {
      const cluster = await createCluster({ major: 15 })
      t.teardown(cluster.destroy)
      await cluster.start()
      const ports = { role: await freePort(), http: await freePort() }
      const { path, notice, write } = configure(t, ports)
      const { path: socket, said } = await hearNotifications(t, perl.get())
      write(cluster, `control-check = ${source}`)
      const environment = { NOTIFY_SOCKET: socket, PATH: process.env['PATH'] ?? '' }
      const daemon = await startDaemon({ config: path, port: ports.role, environment })
      t.teardown(daemon.stop)
      await daemon.answers('MASTER')
      await said(/STATUS=main: primary/)
      await daemon.said(/output="told primary"/)
      const limit = async (soft: number): Promise<void> => {
        const args = [`--pid=${daemon.pid}`, `--nofile=${soft}:`]
        await runProgram({ program: 'prlimit', args, cwd: '/', user: cluster.user })
      }
      // Those that it has stay open, and no other can be opened.
      await limit(3)
      await cluster.stop()
      await daemon.said(/ role changed .*to=unavailable/)
      await daemon.said(/ on-change failed .*EMFILE/)
      daemon.kill('SIGHUP')
      await daemon.said(/ reload refused .*EMFILE/)
      await cluster.start()
      writeFileSync(notice, 'in the middle of it\n')
      await daemon.said(/maintenance/)
      const crowded = descriptorsOf(daemon.pid)
      await limit(4096)
      const status = {
        port: ports.http,
        from: '127.0.0.1',
        request: 'GET /status HTTP/1.0\r\n\r\n',
      }
      const isRead = async (): Promise<boolean> => /in the middle of it/.test(await check(status))
      await until(isRead, { what: 'the maintenance file to be read' })
      await runProgram({ program: 'rm', args: [notice], cwd: '/' })
      await daemon.answers('MASTER')
      await until(() => linesLike(daemon, /output="told primary"/).length === 2, {
        what: 'the command to be told',
      })
      daemon.kill('SIGHUP')
      await daemon.said(/ reloaded .*unchanged=1/)
      await said(/STATUS=main: primary[^]*STATUS=main: primary/)
      const after = descriptorsOf(daemon.pid)
      t.ok(after < crowded + 20, `${after} descriptors, ${crowded} before`)
      t.ok(daemon.log().length < 100, daemon.log().join('\n'))
    })
  }
})
