/** A real server in maintenance mode, by the file and by the signal, as HAProxy sees it. */
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createCluster } from '../harness/cluster.ts'
import { makeFolder } from '../harness/cluster-files.ts'
import { daemonProgram, startDaemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { guardFolder } from '../harness/guard.ts'
import { startHaproxy, type ServerRow } from '../harness/haproxy.ts'
import { needProgram } from '../harness/needs.ts'
import { runProgram } from '../harness/programs.ts'
import { serverUser } from '../harness/server-user.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const haproxyProgram = needProgram('haproxy')

const isUp = ([server]: readonly ServerRow[]): boolean => server?.up === true
const isDown = (rows: readonly ServerRow[]): boolean => !isUp(rows)

const name = 'a primary receives no clients during maintenance mode'
t.test(name, haproxyProgram.options, async t => {
  const cluster = await createCluster({ major: 18 })
  t.teardown(cluster.destroy)
  await cluster.start()
  const folder = await makeFolder(serverUser())
  t.teardown(guardFolder(folder).finish)
  const file = join(folder, 'maintenance')
  const args = ['--maintenance-file', file]
  const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory, args })
  t.teardown(daemon.stop)
  const haproxy = await startHaproxy({
    program: haproxyProgram.get(),
    folder,
    config: `defaults
    mode tcp
    timeout connect 2s
    timeout client 2s
    timeout server 2s
listen maintenance
    bind 127.0.0.1:${await freePort()}
    option tcp-check
    tcp-check expect rstring ^MASTER
    server s1 127.0.0.1:${cluster.port} check port ${daemon.port} inter 100ms fall 1 rise 1
`,
  })
  t.teardown(haproxy.stop)
  await daemon.answers('MASTER')
  await haproxy.sees('the primary', isUp)

  await t.test('while the file is there', async t => {
    writeFileSync(file, 'new kernel, back at 6\nAsk the people on duty.\n')
    await daemon.answers('refused')
    await daemon.said(/role changed from=primary to=unavailable because="new kernel, back at 6"/)
    await haproxy.sees('nobody', isDown)
    const session = await cluster.session()
    t.equal(await session.isInRecovery(), false, 'the server itself is not touched')
    await session.close()
  })

  await t.test('and status reports it', async t => {
    const status = runProgram({
      program: daemonProgram(),
      args: ['status', '-D', cluster.dataDirectory, ...args],
      cwd: '/',
    })
    await t.rejects(status, { message: /maintenance {5}new kernel, back at 6/ })
  })

  await t.test('until it is gone', async t => {
    rmSync(file)
    await daemon.answers('MASTER')
    await haproxy.sees('the primary again', isUp)
    t.pass()
  })

  await t.test('a link to another file drains, and shows nothing of that', async t => {
    const secret = join(folder, '.pgpass')
    writeFileSync(secret, 'localhost:5432:*:postgres:tiger\n')
    symlinkSync(secret, file)
    await daemon.answers('refused')
    await daemon.said(/role changed .* because="the maintenance file is a symbolic link"/)
    t.notMatch(daemon.log().join('\n'), /tiger/)
    rmSync(file)
    await daemon.answers('MASTER')
    t.notMatch(daemon.log().join('\n'), /insecure maintenance file/)
  })

  await t.test('and from one signal to the next', async t => {
    daemon.kill('SIGUSR2')
    await daemon.said(/ maintenance by=SIGUSR2 state=on/)
    await daemon.said(/role changed from=primary to=unavailable because="maintenance mode is on"/)
    await daemon.answers('refused')
    await haproxy.sees('nobody', isDown)
    daemon.kill('SIGUSR2')
    await daemon.said(/ maintenance by=SIGUSR2 state=off/)
    await daemon.answers('MASTER')
    await haproxy.sees('the primary again', isUp)
    t.equal(await daemon.ask(), 'MASTER')
  })
})
