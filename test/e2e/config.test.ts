/**
 * Several real servers in one process: each answers for itself, and SIGHUP moves one of them
 * without the clients of the other noticing. And Debian's own clusters, found and proposed.
 */
import { execFile } from 'node:child_process'
import { readFileSync, readlinkSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { findClusters } from '../../src/cli/commands/debian-clusters.ts'
import { proposeConfiguration } from '../../src/cli/commands/discover.ts'
import { wireWords } from '../../src/serve/role/reply.ts'
import { createCluster } from '../harness/cluster.ts'
import { makeFolder } from '../harness/cluster-files.ts'
import { ask, startDaemon, withoutTap, type Daemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { needControlData, needProgram, needWorker } from '../harness/needs.ts'
import { startPair } from '../harness/pair.ts'
import { runProgram, serverEnvironment } from '../harness/programs.ts'
import { serverUser } from '../harness/server-user.ts'
import { until } from '../harness/until.ts'

// The first run fetches the servers.
t.setTimeout(300_000)

const removeFolder = (path: string): Promise<string> =>
  runProgram({ program: 'rm', args: ['-rf', path], cwd: '/' })

const makeTemporary = async (t: Test): Promise<string> => {
  const folder = await makeFolder(serverUser())
  t.teardown(() => removeFolder(folder))
  return folder
}

const answers = (port: number, word: string): Promise<void> =>
  until(async () => (await ask(port)) === word, { what: `${word} on port ${port}` })

/** The socket that listens on the port, as the daemon's own table of descriptors has it. */
const listeningSocket = ({ pid }: Daemon, port: number): string | null => {
  const address = port.toString(16).toUpperCase().padStart(4, '0')
  const row = new RegExp(`^ *\\d+: \\w+:${address} \\w+:0000 0A (?:\\S+ +){5}(\\d+) `, 'm')
  const [, inode] = row.exec(readFileSync('/proc/net/tcp', 'latin1')) ?? []
  const own = readdirSync(`/proc/${pid}/fd`).map(name => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`)
    } catch {
      return ''
    }
  })
  const socket = `socket:[${inode}]`
  return own.includes(socket) ? socket : null
}

t.test('a primary and a standby in one process', async t => {
  const { primary, standby } = await startPair(t, 17)
  const [first, second, third] = [await freePort(), await freePort(), await freePort()]
  const config = join(await makeTemporary(t), 'x.conf')
  const write = (port: number, more = ''): void =>
    writeFileSync(
      config,
      `${more}bind = 127.0.0.1\n[one]\npgdata = ${primary.dataDirectory}\nport = ${port}\n` +
        `[two]\npgdata = ${standby.dataDirectory}\nport = ${second}\n`,
    )
  write(first)
  const daemon = await startDaemon({ config, port: second })
  t.teardown(() => daemon.stop())
  await answers(first, wireWords.primary)
  await daemon.answers(wireWords.standby)
  await daemon.said(/role changed cluster=two /)
  const socket = listeningSocket(daemon, second)
  t.type(socket, 'string')

  const heard = new Map<string, number>()
  const total = (): number => [...heard.values()].reduce((sum, count) => sum + count, 0)
  /** The stream goes on for a while. */
  const moreAnswers = async (): Promise<void> => {
    const enough = total() + 50
    await until(() => total() >= enough, { what: 'more answers', everyMs: 1 })
  }
  let asking = true
  const stream = (async () => {
    while (asking) {
      const answer = await ask(second)
      heard.set(answer, (heard.get(answer) ?? 0) + 1)
    }
  })()

  await t.test('an invalid file changes nothing, and all of its errors are reported', async t => {
    write(70_000, 'prot = 1\n')
    daemon.kill('SIGHUP')
    await daemon.said(/reload refused .*x\.conf:1: unknown key/)
    await daemon.said(/reload refused .*x\.conf:5: port must be/)
    await moreAnswers()
    t.equal(await ask(first), wireWords.primary)
  })

  await t.test('a port that is in use is not opened, and the old one is kept', async () => {
    write(primary.port)
    daemon.kill('SIGHUP')
    await daemon.said(
      /cluster failed cluster=one served="as before" because="could not listen on port .*: address already in use/,
    )
    await answers(first, wireWords.primary)
    await moreAnswers()
  })

  await t.test('another port for the one leaves the socket of the other alone', async t => {
    write(third)
    daemon.kill('SIGHUP')
    await daemon.said(/reloaded started=0 changed=1 stopped=0 unchanged=1/)
    await answers(third, wireWords.primary)
    t.equal(await ask(first), 'refused')
    t.equal(listeningSocket(daemon, second), socket)
    await moreAnswers()
  })

  await t.test('the log level changes without touching a port', async t => {
    const before = listeningSocket(daemon, third)
    write(third, 'log-level = debug\n')
    daemon.kill('SIGHUP')
    await daemon.said(/reloaded started=0 changed=0 stopped=0 unchanged=2/)
    t.equal(listeningSocket(daemon, third), before)
  })

  asking = false
  await stream
  t.strictSame([...heard.keys()], [wireWords.standby], 'whoever asked the other noticed nothing')

  await t.test('each follows its own server', async t => {
    await standby.promote('pg_ctl')
    await daemon.answers(wireWords.primary)
    await primary.stop('fast')
    await answers(third, 'refused')
    t.equal(await daemon.ask(), wireWords.primary)
  })
})

t.test('SIGHUP without a file is no end', async t => {
  const cluster = await createCluster({ major: 17 })
  t.teardown(cluster.destroy)
  const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory })
  t.teardown(() => daemon.stop())
  daemon.kill('SIGHUP')
  await daemon.said(/notice: nothing to reload/)
  t.equal(await daemon.ask(), 'refused')
})

const createProgram = needProgram('pg_createcluster')
const controlData = needControlData()
const needed = createProgram.options.skip === false ? controlData.options : createProgram.options

/** One of Debian's tools, with a folder of ours in place of /etc/postgresql; needs no root. */
const runDebian = (folder: string, program: string, args: readonly string[]): Promise<string> =>
  runProgram({
    program,
    args,
    cwd: folder,
    user: serverUser(),
    environment: { ...serverEnvironment(), PG_CLUSTER_CONF_ROOT: join(folder, 'etc') },
  })

const createDebianCluster = async (
  folder: string,
  name: string,
  major = controlData.get().major,
): Promise<string> => {
  const dataDirectory = join(folder, `data ${name}`)
  const places = ['-d', dataDirectory, '-l', join(folder, `${name}.log`), '-s', folder]
  const args = [...places, '--start-conf', 'manual', String(major), name]
  await runDebian(folder, createProgram.get(), args)
  return dataDirectory
}

const runDaemon = async (args: readonly string[]) => {
  const ended = promisify(execFile)('env', withoutTap(args), { cwd: '/' })
  return ended.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (failure: { code: number; stdout: string; stderr: string }) => failure,
  )
}

t.test("Debian's clusters are found, and the proposal is a valid file", needed, async t => {
  const folder = await makeTemporary(t)
  const etc = join(folder, 'etc')
  const { major } = controlData.get()
  const [alpha, beta] = [
    await createDebianCluster(folder, 'alpha'),
    await createDebianCluster(folder, 'beta'),
  ]
  const loaded = "shared_preload_libraries = 'bgw_replstatus'\nbgw_replstatus.port = 5402\n"
  writeFileSync(join(etc, String(major), 'beta/conf.d/bgw.conf'), loaded)
  writeFileSync(join(beta, 'postgresql.auto.conf'), "bgw_replstatus.bind = '127.0.0.1'\n")
  const proposed = proposeConfiguration(await findClusters(etc))
  const text = proposed.ok ? proposed.fact : proposed.fault.message
  t.match(text, `\n[${major}-alpha]\npgdata = ${alpha}\nport = 5400\n`)
  t.match(text, `\n[${major}-beta]\npgdata = ${beta}\nport = 5402\nbind = 127.0.0.1\n`)
  const config = join(folder, 'x.conf')
  writeFileSync(config, text)
  t.match(await runDaemon(['--config', config, '--check-config']), {
    code: 0,
    stdout: `${config}: 2 clusters, no errors\n`,
    stderr: '',
  })
})

const worker = needWorker()
const migrating = needed.skip === false ? worker.options : needed

t.test('from bgw_replstatus to the proposed file, on the same port', migrating, async t => {
  const folder = await makeTemporary(t)
  const major = worker.get()
  await createDebianCluster(folder, 'main', major)
  const control = (action: string): Promise<string> =>
    runDebian(folder, '/usr/bin/pg_ctlcluster', [String(major), 'main', action, '-m', 'fast'])
  const port = await freePort()
  const added = join(folder, 'etc', String(major), 'main/conf.d/bgw.conf')
  const places = `bgw_replstatus.port = ${port}\nbgw_replstatus.bind = '127.0.0.1'\n`
  writeFileSync(added, `shared_preload_libraries = 'bgw_replstatus'\n${places}`)
  await control('start')
  t.teardown(() => control('stop'))
  await answers(port, wireWords.primary)
  const proposed = proposeConfiguration(await findClusters(join(folder, 'etc')))
  const config = join(folder, 'x.conf')
  writeFileSync(config, proposed.ok ? proposed.fact : '')
  rmSync(added)
  await control('restart')
  t.equal(await ask(port), 'refused', 'the worker is gone')
  const daemon = await startDaemon({ config, port })
  t.teardown(() => daemon.stop())
  await daemon.answers(wireWords.primary)
})

t.test('this machine is asked for its own', async t => {
  const { code, stdout, stderr } = await runDaemon(['--discover'])
  const found = proposeConfiguration(await findClusters())
  if (found.ok) t.strictSame({ code, stdout, stderr }, { code: 0, stdout: found.fact, stderr: '' })
  else t.match({ code, stdout, stderr }, { code: 3, stdout: '', stderr: found.fault.message })
})
