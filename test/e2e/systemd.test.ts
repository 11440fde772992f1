/**
 * What systemd itself thinks of our units, and what it does for a service: its port stays open
 * while the daemon is restarted, and it is told how the daemon is. There is no running systemd
 * here; its own programs take its part.
 */
import assert from 'node:assert'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { wireWords } from '../../src/serve/role/reply.ts'
import { createCluster } from '../harness/cluster.ts'
import { daemonProgram, launchDaemon, startDaemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { spawnLeashed } from '../harness/leash.ts'
import { needNamespaces, needProgram, needRoot } from '../harness/needs.ts'
import { hearNotifications } from '../harness/notify-socket.ts'
import { entering, firstProcess, inPidNamespace } from '../harness/pid-namespace.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { installedProgram, runCommand } from '../harness/recipes.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { forgeDataDirectory, makeServerFolder, startStandIn } from '../harness/stand-in.ts'
import { hear } from '../harness/tcp-client.ts'
import { until, within } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const analyze = needProgram('systemd-analyze')
const activate = needProgram('systemd-socket-activate')
const notify = needProgram('systemd-notify')
const perl = needProgram('perl')
const root = needRoot()
const namespaces = needNamespaces()

const units = join(repositoryRoot(), 'fixtures/systemd')

const readUnit = (name: string): string => readFileSync(join(units, name), 'utf8')

/** For one cluster, and for those of a configuration file. */
const services = ['pg-replstatus@.service', 'pg-replstatus.service']

/** The unit, or an instance of it, with the program where it is. */
const place = (folder: string, name: string, program: string): string => {
  const path = join(folder, name.replace('@', '@15-main'))
  writeFileSync(path, readUnit(name).replaceAll('=pg-replstatus ', `=${program} `))
  return path
}

/** What systemd-analyze says, with these units beside the system's own. */
const runAnalyze = (folder: string, args: readonly string[]) => {
  const env = { ...serverEnvironment(), SYSTEMD_UNIT_PATH: `${folder}:` }
  const { status, stdout, stderr } = spawnSync(analyze.get(), args, { env, encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

t.test('systemd finds nothing wrong with the units', analyze.options, async t => {
  const folder = t.testdir()
  const program = installedProgram(t)
  const all = [...services, 'pg-replstatus@.socket'].map(name => place(folder, name, program))
  const { status, said } = runAnalyze(folder, ['verify', '--man=no', ...all])
  t.strictSame({ status, ours: said.match(/.*pg-replstatus.*/g) }, { status: 0, ours: null }, said)
})

t.test('the services can do little more than their work', analyze.options, async t => {
  const folder = t.testdir()
  const program = installedProgram(t)
  for (const name of services) {
    const options = ['--offline=true', '--threshold=20', '--no-pager']
    const unit = place(folder, name, program)
    const { status, said } = runAnalyze(folder, ['security', ...options, unit])
    t.equal(status, 0, said)
  }
})

t.test('but for what they serve the services are the same', async t => {
  const [one, several] = services.map(name => {
    const [, settings = ''] = readUnit(name).split('[Service]')
    return settings.match(/^(?!Environment|Exec|SyslogIdentifier|RuntimeDirectory=)\w+=.*$/gm)
  })
  t.ok(one?.includes('NoNewPrivileges=yes'))
  t.strictSame(several, one)
})

t.test('what a service may use is several times what it does use', async t => {
  const daemon = await startDaemon({
    dataDirectory: forgeDataDirectory(t),
    args: ['--http', `127.0.0.1:${await freePort()}`, '--agent', `127.0.0.1:${await freePort()}`],
  })
  t.teardown(daemon.stop)
  await daemon.said(/ role changed /)
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8')
  const used = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  const limits = services.map(name => {
    const [, memoryMib] = /^MemoryMax=(\d+)M$/m.exec(readUnit(name)) ?? []
    const [, tasks] = /^TasksMax=(\d+)$/m.exec(readUnit(name)) ?? []
    return { memoryKib: Number(memoryMib) * 1024, tasks: Number(tasks) }
  })
  const threads = used('Threads')
  t.ok(threads > 1 && threads < 20, `${threads} threads`)
  for (const { memoryKib, tasks } of limits) {
    t.ok(tasks > 10 * threads, `${tasks} tasks`)
    t.ok(memoryKib > 4 * used('VmHWM'), `${memoryKib} kB`)
    t.ok(memoryKib > (3 * 133e6) / 1024, 'also in a flood')
  }
})

// systemd would stop all of it otherwise, with the command that it killed.
t.test('a command that memory runs out for does not end the service', async t => {
  for (const name of services) t.match(readUnit(name), /^OOMPolicy=continue$/m, name)
})

t.test('what would end Node, blind it or harm the server is left out', async t => {
  const settings = services.map(readUnit).join('\n')
  const hiding = ['ProtectProc', 'ProcSubset', 'PrivatePIDs', 'PrivateIPC', 'PrivateUsers']
  const others = ['MemoryDenyWriteExecute', 'RemoveIPC', 'Requires', 'BindsTo', 'PartOf']
  for (const name of [...hiding, ...others]) {
    t.notMatch(settings, new RegExp(`^${name}=`, 'm'), name)
  }
})

const rootAndNamespaces = root.options.skip === false ? namespaces.options : root.options

/** hidepid of proc(5), by which systemd does what ProtectProc says. */
const hidepidOf = (unit: string): string => {
  const [, value = 'default'] = /^ProtectProc=(\w+)$/m.exec(unit) ?? []
  return value === 'default' ? 'off' : value
}

// pg_ctlcluster runs a server with the group of its data directory, which may be a backup's.
t.test('a server of another group than the service is seen', rootAndNamespaces, async t => {
  const cluster = await createCluster({ major: 15 })
  t.teardown(cluster.destroy)
  const { dataDirectory, binaries, user } = cluster
  const run = (group: number): readonly string[] => {
    const ids = [`--reuid=${user.uid}`, `--regid=${group}`, '--clear-groups']
    return ['setpriv', ...ids, '--pdeathsig', 'KILL']
  }
  const hidepid = hidepidOf(readUnit('pg-replstatus@.service'))
  const mount = `mount -o remount,hidepid=${hidepid} /proc && exec "$@"`
  const server = [...run(user.gid + 1), join(binaries, 'postgres'), '-D', dataDirectory]
  const child = spawnLeashed([...inPidNamespace, 'sh', '-c', mount, 'sh', ...server], {
    cwd: '/',
    env: serverEnvironment(),
  })
  const ended = new Promise<void>(resolve => void child.once('close', () => resolve()))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await within(ended, { what: 'the server to end' })
  })
  // It fills up otherwise, and the server would wait.
  child.stderr.resume()
  await until(cluster.accepts, { what: 'the server to accept a login' })
  const service = [...entering(await firstProcess(child.pid ?? 0)), ...run(user.gid)]
  const status = [daemonProgram(), 'status', '-D', dataDirectory]
  const { code, out } = await runCommand([...service, ...status], {
    environment: serverEnvironment(),
  })
  t.match({ code, out }, { code: 0, out: /^primary: / })
})

/** Takes systemd's part: keeps the socket, and starts another daemon whenever one has ended. */
const keeper = `
trap 'kill "$daemon"; wait "$daemon"; exit' TERM
while :; do
  sh -c 'LISTEN_PID=$$ exec "$@"' sh "$@" 3<&3 &
  daemon=$!
  wait "$daemon"
done
`

t.test('no connect is refused over restarts of the daemon', activate.options, async t => {
  const { directory } = await startStandIn(t, 'primary')
  const port = await freePort()
  const daemon = await launchDaemon({
    dataDirectory: directory,
    port,
    through: [activate.get(), '-l', `127.0.0.1:${port}`, 'sh', '-c', keeper, 'sh'],
  })
  t.teardown(daemon.stop)
  await daemon.said(/Listening on 127/)
  const counts = new Map<string, number>()
  let asking = true
  const askOn = async (): Promise<void> => {
    while (asking) {
      const { bytes, end } = await hear({ port })
      const answer = `${bytes.toString('latin1')} ${end}`
      counts.set(answer, (counts.get(answer) ?? 0) + 1)
    }
  }
  const clients = Promise.all([askOn(), askOn(), askOn()])
  const started = (): readonly number[] =>
    daemon.log().flatMap(line => Number(/ started .*pid=(\d+)/.exec(line)?.[1]) || [])
  const listening = (): number => daemon.log().filter(line => / listening /.test(line)).length
  for (let restarts = 0; restarts <= 3; restarts += 1) {
    await until(() => listening() > restarts, { what: `start ${restarts}` })
    const before = counts.get(`${wireWords.primary} end`) ?? 0
    await until(() => (counts.get(`${wireWords.primary} end`) ?? 0) > before + 100, {
      what: 'a hundred answers',
    })
    const pid = started().at(-1)
    assert(pid !== undefined && pid > 1, 'the daemon has told its pid')
    if (restarts < 3) process.kill(pid, 'SIGTERM')
  }
  asking = false
  await clients
  t.strictSame([...counts.keys()], [`${wireWords.primary} end`])
  t.match(daemon.log().join('\n'), /sockets passed count=1 when_unavailable="close, /)
})

t.test('a socket that stays open is closed for each client', activate.options, async t => {
  const port = await freePort()
  const daemon = await launchDaemon({
    dataDirectory: forgeDataDirectory(t),
    port,
    through: [activate.get(), '-l', `127.0.0.1:${port}`],
  })
  t.teardown(daemon.stop)
  await daemon.said(/Listening on 127/)
  t.equal(await daemon.ask(), '')
  await daemon.said(/ listening address=127\.0\.0\.1 /)
  t.equal(await daemon.ask(), '')
})

const bothOptions = notify.options.skip === false ? perl.options : notify.options

t.test('systemd is notified of readiness, and of the role', bothOptions, async t => {
  const { directory, kill } = await startStandIn(t, 'standby')
  const heard = await hearNotifications(t, perl.get())
  const daemon = await startDaemon({
    dataDirectory: directory,
    environment: { NOTIFY_SOCKET: heard.path },
    args: ['--log-level', 'debug'],
  })
  t.teardown(daemon.stop)
  await heard.said(/READY=1/)
  await heard.said(/STATUS=standby: postmaster pid /)
  t.match(heard.messages(), `MAINPID=${daemon.pid}`)
  await kill()
  await heard.said(/STATUS=unavailable: /)
  t.notMatch(daemon.log().join('\n'), /notify failed/)
})

t.test('and of a reload, when it begins and when all is open again', bothOptions, async t => {
  const { directory } = await startStandIn(t, 'primary')
  const heard = await hearNotifications(t, perl.get())
  const config = join(makeServerFolder(t), 'pg-replstatus.conf')
  const [one, other] = [await freePort(), await freePort()]
  const running = `bind = 127.0.0.1\n[running]\npgdata = ${directory}\nport = ${one}\n`
  const stopped = `[stopped]\npgdata = ${forgeDataDirectory(t)}\nport = ${other}\n`
  writeFileSync(config, running)
  const environment = { NOTIFY_SOCKET: heard.path }
  const daemon = await startDaemon({ config, port: one, environment })
  t.teardown(daemon.stop)
  await heard.said(/STATUS=running: primary: /)
  writeFileSync(config, `${running}${stopped}`)
  daemon.kill('SIGHUP')
  const reloaded =
    /RELOADING=1\nMONOTONIC_USEC=\d+\n(?:.+\n)*READY=1\nSTATUS=2 clusters, 1 primary, 1 unavailable/
  await heard.said(reloaded)
})

t.test('a systemd that does not listen holds up nothing', notify.options, async t => {
  const { directory } = await startStandIn(t, 'primary')
  const daemon = await startDaemon({
    dataDirectory: directory,
    environment: { NOTIFY_SOCKET: join(directory, 'nobody') },
  })
  t.teardown(daemon.stop)
  await daemon.answers(wireWords.primary)
  await daemon.said(/warning: notify failed because=.* consequence="systemd terminates /)
  t.equal((await daemon.stop()).code, 0)
})
