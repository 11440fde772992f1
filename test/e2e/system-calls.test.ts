/**
 * What it does to the system, seen from outside: files that it opens, programs that it runs, and
 * addresses that it listens on or connects to are those of the documentation, and no more.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createCluster } from '../harness/cluster.ts'
import { startDaemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { needProgram } from '../harness/needs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { makeServerFolder } from '../harness/stand-in.ts'
import { until } from '../harness/until.ts'

t.setTimeout(120_000)

const strace = needProgram('strace')

/** One system call of the daemon itself: `openat(AT_FDCWD, "/proc/uptime", O_RDONLY) = 3` */
type Call = { readonly name: string; readonly rest: string }

/**
 * Calls since it said that it has started. What came before is Node's own start; what a child does
 * after it has become another program is that program's.
 */
const callsIn = (trace: string): readonly Call[] => {
  const others = new Set<string>()
  const calls: Call[] = []
  const unfinished = new Map<string, string>()
  for (const line of trace.slice(trace.indexOf('notice: started')).split('\n')) {
    const [, thread = '', written = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const [, begun] = /^(.*) <unfinished \.\.\.>$/.exec(written) ?? []
    if (begun !== undefined) unfinished.set(thread, begun)
    if (begun !== undefined) continue
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(written)?.[1]
    const whole = resumed === undefined ? written : `${unfinished.get(thread)}${resumed}`
    const [, name = '', rest = ''] = /^(\w+)(.*)$/.exec(whole) ?? []
    if (!others.has(thread)) calls.push({ name, rest })
    if (name === 'execve' && rest.endsWith('= 0')) others.add(thread)
  }
  return calls
}

const quoted = ({ rest }: Call): string => /"((?:[^"\\]|\\.)*)"/.exec(rest)?.[1] ?? ''

/** Paths in the first column of the table below this heading, as patterns. */
const documented = (): readonly RegExp[] => {
  const page = readFileSync(join(repositoryRoot(), 'fixtures/docs/security.md'), 'utf8')
  const [section = ''] =
    page.split('## What it reads, runs and listens on\n')[1]?.split('\n## ') ?? []
  const cells = section.match(/^\| [^|]*/gm) ?? []
  return cells
    .flatMap(cell => Array.from(cell.matchAll(/`([^`]+)`/g), ([, path = '']) => path))
    .filter(path => /^(?:PGDATA|\/)/.test(path))
    .map(path => path.replaceAll(/[.]/g, '\\.').replaceAll('PID', '\\d+'))
    .map(path => new RegExp(`^${path.replace('\\.\\.\\.', '.*')}$`))
}

const play = async (t: Test) => {
  const folder = makeServerFolder(t)
  const output = join(folder, 'trace')
  const cluster = await createCluster({ major: 15 })
  t.teardown(cluster.destroy)
  await cluster.start()
  const [http, agent] = [await freePort(), await freePort()]
  const surfaces = ['--http', `127.0.0.1:${http}`, '--agent', `127.0.0.1:${agent}`]
  const daemon = await startDaemon({
    dataDirectory: cluster.dataDirectory,
    args: [...surfaces, '--on-change', 'exec true', '--maintenance-file', join(folder, 'none')],
    // Detached, so that the daemon keeps the number and the signals that it would have.
    through: [
      strace.get(),
      '-D',
      '-f',
      '-s',
      '256',
      '-e',
      'trace=%file,%network,write',
      '-o',
      output,
    ],
  })
  t.teardown(daemon.stop)
  await daemon.until('primary')
  for (const path of ['/primary', '/status', '/metrics', '/history', '/member', '/nowhere']) {
    await (await fetch(`http://127.0.0.1:${http}${path}`)).text()
  }
  await daemon.ask()
  await cluster.stop()
  await daemon.until('unavailable')
  cluster.requestStandby(null)
  await cluster.start()
  await daemon.until('standby')
  await (await fetch(`http://127.0.0.1:${http}/status`)).text()
  await daemon.stop()
  const trace = (): string => readFileSync(output, 'utf8')
  await until(() => trace().endsWith('+++ exited with 0 +++\n'), {
    what: 'the end of the trace',
  })
  const calls = callsIn(trace())
  const replaced = (path: string): string =>
    path.startsWith(cluster.dataDirectory) ? path.replace(cluster.dataDirectory, 'PGDATA') : path
  return { calls, replaced, ports: [daemon.port, http, agent] }
}

t.test('a server with the daemon traced', strace.options, async t => {
  const { calls, replaced, ports } = await play(t)
  const named = (name: RegExp): readonly Call[] => calls.filter(call => name.test(call.name))

  t.test('every file that it opens is documented', async t => {
    const patterns = documented()
    t.ok(patterns.length > 15, `${patterns.length} paths`)
    const opened = named(/^open/).filter(({ rest }) => !rest.includes('= -1 ENOENT'))
    t.ok(opened.length > 50, `${opened.length} files opened`)
    const paths = [...new Set(opened.map(call => replaced(quoted(call))))]
    t.strictSame(
      paths.filter(path => !patterns.some(pattern => pattern.test(path))),
      [],
    )
    const known = (path: string): boolean => paths.some(one => one === path)
    for (const path of ['PGDATA/postmaster.pid', 'PGDATA/global/pg_control', '/proc/uptime']) {
      t.ok(known(path), path)
    }
    const writing = opened.filter(({ rest }) => /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(rest))
    t.strictSame(writing.filter(call => quoted(call) !== '/dev/null').map(quoted), [])
    const changing =
      /^(?:unlink|rename|link|symlink|mkdir|rmdir|mknod|ch(?:mod|own)|truncate|utime|f?setxattr)/
    t.strictSame(named(changing).map(quoted), [])
  })

  t.test('it runs nothing but the command it was given', async t => {
    const ran = named(/^execve$/).map(({ rest }) => rest)
    t.ok(ran.length >= 3, `${ran.length} programs run`)
    const others = ran.filter(rest => !/^\("\/bin\/sh", .*"exec true"/.test(rest))
    t.strictSame(others, [])
  })

  t.test('it makes no connection, and listens only on the configured addresses', async t => {
    t.strictSame(named(/^connect$/), [])
    const bound = named(/^bind$/).map(({ rest }) => Number(/htons\((\d+)\)/.exec(rest)?.[1]))
    t.strictSame(new Set(bound), new Set(ports))
  })
})
