/**
 * Started as root, among folders, links and files that others have laid out to become root by it,
 * or somebody else, or to see what only root may see. Each attack is as small as it can be made.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeEmptyDirectory, makeScene, runAsRoot, users } from '../harness/attack.ts'
import { startDaemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { spawnLeashed } from '../harness/leash.ts'
import { needRoot } from '../harness/needs.ts'
import { serverUser } from '../harness/server-user.ts'
import { forgeDataDirectory } from '../harness/stand-in.ts'
import { within } from '../harness/until.ts'

const { options } = needRoot()
const secret = 'of root alone'
const byProgram = ['--control-check', 'pg_controldata'] as const

t.test('a PG_VERSION that is a path chooses no program', options, async t => {
  for (const owner of ['root', 'attacker'] as const) {
    const scene = makeScene(t)
    scene.directory('evil', 'attacker')
    scene.directory('evil/bin', 'attacker')
    scene.spy('evil/bin/pg_controldata')
    scene.directory('T', owner)
    scene.file('T/PG_VERSION', `../../..${scene.folder}/evil\n`, 'attacker')
    scene.controlFile('T', owner)
    const main = scene.link('main', 'T', 'attacker')
    const { code, said } = runAsRoot('status', '-D', main, ...byProgram)
    t.equal(code, owner === 'root' ? 3 : 2)
    t.notMatch(said, /evil/, 'nor is it shown')
    t.strictSame(scene.spied(), [])
  }
})

t.test('a link to a folder of another user does not select that user', options, async t => {
  const scene = makeScene(t)
  scene.directory('theirs', 'victim')
  scene.file('theirs/PG_VERSION', '15\n', 'victim')
  scene.controlFile('theirs', 'victim')
  for (const name of ['PG_VERSION', 'global/pg_control']) {
    chmodSync(join(scene.folder, 'theirs', name), 0o644)
  }
  const program = ['--pg-controldata', scene.spy('spy')]
  const main = scene.link('main', join(scene.folder, 'theirs'), 'attacker')
  scene.directory('folder', 'attacker')
  const deeper = scene.link('folder/link', '../theirs', 'root')
  const port = ['--port', String(await freePort())]
  for (const [path, part] of [
    [main, main],
    [deeper, join(scene.folder, 'folder')],
  ] as const) {
    for (const command of [['status'], port]) {
      const { code, said } = runAsRoot(...command, '-D', path, ...byProgram, ...program)
      t.equal(code, 3)
      t.match(said, `theirs: ${part} belongs to `)
      t.match(said, /\nhint: each part of the path must belong to root or to daemon; .* --user/)
    }
  }
  t.strictSame(scene.spied(), [])
  const { said } = runAsRoot('status', '-D', main, ...byProgram, ...program, '--user', 'postgres')
  t.notMatch(said, 'belongs', 'said outright, it is so')
  t.strictSame(new Set(scene.spied()), new Set([serverUser().uid]))
})

t.test("a directory of root's is refused before it is read", options, async t => {
  const scene = makeScene(t)
  const data = scene.directory('data', 'root')
  scene.file('data/PG_VERSION', '15\n', 'root')
  scene.controlFile('data', 'root')
  const look = ['-D', data, ...byProgram, '--pg-controldata', scene.spy('spy')]
  for (const command of [['status'], ['--port', String(await freePort())]]) {
    t.match(runAsRoot(...command, ...look), {
      code: 3,
      said: `error: started as root, and ${data} belongs to root\nhint: it must belong`,
    })
    t.match(runAsRoot(...command, ...look, '--user', 'root'), {
      code: 3,
      said: /error: --user must not be root, but root is\n/,
    })
  }
  t.strictSame(scene.spied(), [])
})

t.test('a link among the files shows nothing of another file', options, async t => {
  const scene = makeScene(t)
  const data = scene.directory('data', 'attacker')
  scene.file('data/PG_VERSION', '15\n', 'attacker')
  const lock = scene.link('data/postmaster.pid', '../secret', 'attacker')
  scene.link('data/recovery.conf', '../secret', 'attacker')
  const prints = [[], ['--json'], ['--nagios'], ['--expect', 'any']]
  scene.file('secret', secret, 'root')
  for (const print of prints) {
    const { code, said } = runAsRoot('status', '-D', data, ...print)
    t.equal(code, 3, print.join(' '))
    t.match(said, /could not read .*: EACCES/)
  }
  // What the account may read itself, such as a .pgpass, is shown to all who ask for the role.
  chmodSync(lock, 0o644)
  for (const print of prints) {
    const { said } = runAsRoot('status', '-D', data, ...print)
    t.match(said, /invalid postmaster|garbled/)
    t.notMatch(said, secret)
  }
})

t.test('a link in the place of a configuration file shows nothing', options, async t => {
  const scene = makeScene(t)
  scene.file('secret', secret, 'root')
  const config = scene.link('x.conf', 'secret', 'attacker')
  for (const how of [[], ['--check-config'], ['--user', 'postgres']]) {
    const { code, said } = runAsRoot('--config', config, ...how)
    t.equal(code, 3)
    t.match(said, /could not read .*x\.conf: EACCES/)
    t.notMatch(said, secret)
  }
  scene.directory('theirs', 'victim')
  const mixed = scene.link('theirs/x.conf', '../secret', 'attacker')
  t.match(runAsRoot('--config', mixed), { code: 3, said: /theirs belongs to daemon\n/ })
})

/** Never the same at two looks, if the moment is right. */
const swapper = 'while :; do ln -sfn ours "$1"; ln -sfn theirs "$1"; done'

t.test('swapping a link all the time has no effect', options, async t => {
  const scene = makeScene(t)
  for (const [name, user] of [
    ['ours', 'attacker'],
    ['theirs', 'victim'],
  ] as const) {
    chmodSync(scene.directory(name, user), 0o755)
    scene.file(`${name}/PG_VERSION`, '15\n', user)
    scene.controlFile(name, user)
  }
  const main = scene.link('main', 'ours', 'attacker')
  const child = spawnLeashed(['sh', '-c', swapper, 'sh', main], { cwd: '/', user: serverUser() })
  child.stderr.resume()
  const ended = new Promise<void>(resolve => void child.once('close', () => resolve()))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await within(ended, { what: 'the end of the swapping' })
  })
  const program = ['--pg-controldata', scene.spy('spy')]
  const codes = new Set<number | null>()
  for (let rounds = 0; rounds < 10; rounds += 1) {
    codes.add(runAsRoot('status', '-D', main, ...byProgram, ...program).code)
  }
  t.ok(codes.size > 0 && !codes.has(0) && !codes.has(1), [...codes].join(' '))
  t.strictSame(
    scene.spied().filter(user => user !== users.attacker),
    [],
  )
})

type Credentials = { readonly [field: string]: string | undefined }

/** Of each thread. */
const credentialsOf = (pid: number): readonly Credentials[] =>
  readdirSync(`/proc/${pid}/task`).map(thread =>
    Object.fromEntries(
      readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
        .split('\n')
        .map(line => line.split(/:\s*/)),
    ),
  )

t.test('every thread is the account, and has no power of root', options, async t => {
  const daemon = await startDaemon({ dataDirectory: forgeDataDirectory(t) })
  t.teardown(daemon.stop)
  await daemon.until('unavailable')
  const { uid, gid } = serverUser()
  const threads = credentialsOf(daemon.pid)
  t.ok(threads.length >= 4, `${threads.length} threads`)
  const groups = groupsOfAccount()
  for (const thread of threads) {
    t.equal(thread['Uid'], Array<number>(4).fill(uid).join('\t'))
    t.equal(thread['Gid'], Array<number>(4).fill(gid).join('\t'))
    t.strictSame(new Set(thread['Groups']?.trim().split(' ')), groups)
    for (const kind of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) t.match(thread[kind], /^0+$/, kind)
  }
})

/** Those that the account is a member of, as /etc/passwd and /etc/group have them. */
const groupsOfAccount = (): ReadonlySet<string> => {
  const { uid, gid } = serverUser()
  const name = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.split(':')[2] === String(uid))
    ?.split(':', 1)[0]
  const member = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map(line => line.split(':'))
    .filter(([, , , members = '']) => members.split(',').includes(name ?? ''))
  return new Set([String(gid), ...member.map(([, , group = '']) => group)])
}

/** A root's shell with files open, in a directory of its own, and with a umask of its own. */
const careless = 'exec 9<"$1" 17<"$1" 40<"$1"; umask 0; cd "$2"; shift 2; exec "$@"'

const startCarelessly = async (
  t: Test,
  args: readonly string[],
  { config }: { readonly config?: string } = {},
) => {
  const scene = makeScene(t)
  scene.file('secret', secret, 'root')
  const start = scene.directory('start', 'root')
  mkdirSync(join(start, 'sub'))
  const data = makeEmptyDirectory(scene)
  const through = ['bash', '-c', careless, 'bash', join(scene.folder, 'secret'), start]
  const environment = { HOME: '/root', USER: 'root', SSH_AUTH_SOCK: '/x', TOKEN: secret, TZ: 'UTC' }
  if (config !== undefined) writeFileSync(join(start, 'x.conf'), config)
  const what = config === undefined ? { dataDirectory: data } : { config: 'x.conf' }
  const daemon = await startDaemon({ ...what, args, through, environment })
  t.teardown(daemon.stop)
  return { daemon, start, scene }
}

const report = `
echo "is $(id -un) in $PWD with $(umask)"
echo "home $HOME user $USER logname $LOGNAME tz $TZ"
echo "names $(env | sed 's/=.*//' | grep -v -e ^PG_REPLSTATUS_ -e ^_$ | sort | tr '\\n' ' ')"
cd /proc/self/fd && for one in *; do
  [ "$one" -gt 2 ] && echo "open $one $(readlink "$one")"
done
echo done`

t.test("a command has nothing of root's", options, async t => {
  const { daemon } = await startCarelessly(t, ['--on-change', report])
  const said = async (text: string): Promise<string> => {
    const line = await daemon.said(new RegExp(`on-change output="?${text}`))
    return /output="(.*)"$/.exec(line)?.[1] ?? ''
  }
  const { uid } = serverUser()
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.split(':')[2] === String(uid))
  const [name = '', , , , , home = ''] = entry?.split(':') ?? []
  const entered = existsSync(home) ? home : '/'
  t.equal(await said('is'), `is ${name} in ${entered} with 0022`)
  t.equal(await said('home'), `home ${home} user ${name} logname ${name} tz UTC`)
  t.equal(await said('names'), 'names HOME LC_ALL LOGNAME PATH PWD SHELL TZ USER ')
  await daemon.said(/on-change output=done/)
  t.notMatch(daemon.log().join('\n'), 'secret')
})

t.test('paths mean what they meant at the start', options, async t => {
  const { daemon, start } = await startCarelessly(t, ['--maintenance-file', 'sub/maintenance'])
  await daemon.until('unavailable')
  writeFileSync(join(start, 'sub/maintenance'), 'by hand')
  await daemon.said(/by hand/)
})

t.test('also in a configuration file that is read again', options, async t => {
  const port = await freePort()
  const config = `[a]\npgdata = ../data\nport = ${port}\nbind = 127.0.0.1\n`
  const { daemon, scene } = await startCarelessly(t, [], { config })
  await daemon.said(new RegExp(`started cluster=a .*pgdata=${join(scene.folder, 'data')}`))
  daemon.kill('SIGHUP')
  await daemon.said(/reloaded started=0 changed=0 stopped=0 unchanged=1/)
})

t.test('status asks the daemon that a unit has started', options, async t => {
  const dataDirectory = forgeDataDirectory(t)
  const user = serverUser()
  const folder = `/run/pg-replstatus/test-${process.pid}`
  mkdirSync(folder, { recursive: true })
  t.teardown(() => rmSync(folder, { recursive: true }))
  chownSync(folder, user.uid, user.gid)
  const args = ['--http', `unix:${folder}/http.sock`]
  const daemon = await startDaemon({ dataDirectory, args })
  t.teardown(daemon.stop)
  await daemon.said(/ listening address=\/run\/pg-replstatus\/.* for=http/)
  const before = runAsRoot('status', '-D', dataDirectory)
  t.match(before.said, `\nthe daemon answers the same (${folder}/http.sock)\n`)
  daemon.kill('SIGUSR2')
  await daemon.said(/ maintenance by=SIGUSR2 state=on/)
  const after = runAsRoot('status', '-D', dataDirectory)
  t.equal(after.code, 2)
  t.match(after.said, '\nthe daemon answers  unavailable  maintenance: maintenance mode is on (')
  daemon.kill('SIGKILL')
  await daemon.ended()
  t.notMatch(runAsRoot('status', '-D', dataDirectory).said, 'the daemon answers')
  const again = await startDaemon({ dataDirectory, args })
  t.teardown(again.stop)
  await again.said(/ listening address=\/run\/pg-replstatus\/.* for=http/)
})
