import { fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { wireWords } from '../../src/serve/role/reply.ts'
import { startMain } from '../harness/main-process.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { serverUser } from '../harness/server-user.ts'
import { startStandIn } from '../harness/stand-in.ts'
import { until } from '../harness/until.ts'
import { hear, listenAsStranger } from '../harness/tcp-client.ts'

// On a machine that has much else to do, looks may be late.
const options = ['--port', '0', '--bind', '127.0.0.1', '--lease', '60000']

const packageFile = readFileSync(join(repositoryRoot(), 'package.json'), 'utf8')
const { version } = JSON.parse(packageFile) as { version: string }

t.test('it is the version of its package', async t => {
  const asked = startMain(t, ['-V'])
  const out = `pg-replstatus ${version}\n`
  t.strictSame(await asked.end(), { exitCode: 0, signal: null, out, err: '' })
})

t.test('a reader that closes the output first does no harm', async t => {
  const asked = startMain(t, ['--help'])
  asked.child.stdout?.destroy()
  t.match(await asked.end(), { exitCode: 0, signal: null, err: '' })
})

t.test('and ends what would print for ever', async t => {
  const body = JSON.stringify({ members: [] })
  const { server, port } = await listenAsStranger(socket => {
    socket.end(`HTTP/1.1 200 OK\r\n\r\n${body}`)
  })
  t.teardown(() => server.close())
  const watching = startMain(t, ['cluster', `127.0.0.1:${port}`, '--watch'])
  watching.child.stdout?.destroy()
  t.match(await watching.end(), { exitCode: 0, signal: null, err: '' })
})

t.test('an error ends it with one line, a hint and exit code 3, without a stack', async t => {
  // As in a child of a service: the journal is not what it writes to.
  const environment = { JOURNAL_STREAM: '9:3141' }
  // One that is there may belong to root, who is refused for that.
  const started = startMain(t, ['status', '-D', '/nowhere'], { environment })
  const { err, ...rest } = await started.end()
  t.strictSame(rest, { exitCode: 3, signal: null, out: '' })
  const [first, ...more] = err.split(/(?<=\n)/)
  t.equal(first, 'pg-replstatus: error: data directory /nowhere does not exist\n')
  t.match(more, [/^hint: .*\n$/])
})

t.test('in the journal each line begins with its level', async t => {
  const path = join(t.testdir(), 'stderr')
  const file = openSync(path, 'w+')
  const { dev, ino } = fstatSync(file)
  const started = startMain(t, ['--prot', '5400'], {
    environment: { JOURNAL_STREAM: `${dev}:${ino}` },
    stdio: ['ignore', 'ignore', file],
  })
  t.match(await started.end(), { exitCode: 3 })
  t.equal(
    readFileSync(path, 'utf8'),
    "<3>pg-replstatus: error: unknown option '--prot'\n<3>hint: did you mean --port?\n",
  )
})

t.test('a configuration file is read, and again on SIGHUP', async t => {
  const { directory } = await startStandIn(t, 'primary')
  const path = join(t.testdir(), 'x.conf')
  writeFileSync(path, `port = 0\nbind = 127.0.0.1\n[a]\npgdata = ${directory}\n`)
  const checked = startMain(t, ['--config', path, '--check-config'], { changesUser: true })
  t.match(await checked.end(), { exitCode: 0, out: `${path}: 1 cluster, no errors\n`, err: '' })
  const daemon = startMain(t, ['--config', path], { changesUser: true })
  await daemon.says(' listening cluster=a ')
  writeFileSync(path, 'prot = 1\n')
  daemon.child.kill('SIGHUP')
  await daemon.says(/ error: reload refused because=".*x\.conf:1: unknown key/)
  daemon.child.kill('SIGTERM')
  t.match(await daemon.end(), { exitCode: 0 })
})

t.test('status checks the directory of the environment', async t => {
  const { directory } = await startStandIn(t, 'primary')
  const environment = { PGDATA: directory }
  const asked = startMain(t, ['status'], { environment, changesUser: true })
  t.match(await asked.end(), { exitCode: 0, out: `primary: ${directory}\n`, err: '' })
})

for (const [signal, role] of [
  ['SIGTERM', 'primary'],
  ['SIGINT', 'standby'],
] as const) {
  t.test(`a ${role} is answered for until ${signal}, and then the port is free`, async t => {
    const { directory } = await startStandIn(t, role)
    const daemon = startMain(t, ['-D', directory, ...options], { changesUser: true })
    await daemon.says(`to=${role}`)
    // The look and the port come in any order.
    await daemon.says(' listening ')
    const port = Number(/ listening .* port=(\d+)/.exec(daemon.err())?.[1])
    // On a machine too busy for a look within the lease it falls silent, and speaks again.
    let answer = ''
    const answered = async (): Promise<boolean> => {
      answer = (await hear({ port })).bytes.toString()
      return answer !== ''
    }
    await until(answered, { what: `an answer; the log says\n${daemon.err()}` })
    t.equal(answer, wireWords[role])

    const { uid, gid } = serverUser()
    const status = readFileSync(`/proc/${daemon.child.pid}/status`, 'latin1')
    t.match(status, `\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`, 'whoever started it')
    t.match(status, `\nGid:\t${gid}\t${gid}\t${gid}\t${gid}\n`)

    daemon.child.kill('SIGUSR2')
    await daemon.says(' maintenance by=SIGUSR2 state=on')
    // A connection made while the port is being closed is reset.
    const isClosed = async (): Promise<boolean> => (await hear({ port })).end === 'ECONNREFUSED'
    await until(isClosed, { what: 'the port to be closed' })

    daemon.child.kill(signal)
    const { exitCode, err } = await daemon.end()
    t.equal(exitCode, 0)
    t.match(err, new RegExp(` notice: stopping signal=${signal}\n.* notice: stopped\n$`))
    t.match(await hear({ port }), { end: 'ECONNREFUSED' })
  })
}
