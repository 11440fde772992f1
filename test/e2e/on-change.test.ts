/**
 * A command run on each change by the built daemon: what it is told, and what becomes of one that
 * misbehaves; and haproxy told of a failover by its runtime socket instead of asking.
 */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Pid } from '../../src/facts/units.ts'
import { openProcessTable } from '../../src/observe/processes/process-table.ts'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { makeFolder } from '../harness/cluster-files.ts'
import { startDaemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { guardFolder } from '../harness/guard.ts'
import { startHaproxy, type ServerRow } from '../harness/haproxy.ts'
import { needProgram } from '../harness/needs.ts'
import { startPair } from '../harness/pair.ts'
import { serverUser } from '../harness/server-user.ts'
import { openSession } from '../harness/session.ts'
import { forgeDataDirectory } from '../harness/stand-in.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const processes = openProcessTable()
const isGone = (pid: number): boolean => {
  const handle = processes.open(pid as Pid)
  if (typeof handle === 'string') return true
  const stat = handle.read()
  handle.close()
  return stat === 'gone' || stat.state === 'zombie'
}

t.test('a command gets what has changed, and its output and its failure are logged', async t => {
  const cluster = await createCluster({ major: 15 })
  t.teardown(cluster.destroy)
  const args = ['--on-change', 'echo "$PG_REPLSTATUS_FROM to $PG_REPLSTATUS_ROLE"; exit 3']
  const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory, args })
  t.teardown(daemon.stop)
  await daemon.said(/ info: on-change output="unknown to unavailable"/)
  await daemon.said(/ warning: on-change failed because="exit code 3"/)
  await cluster.start()
  await daemon.said(/ on-change output="unavailable to primary"/)
  await cluster.stop()
  await daemon.said(/ on-change output="primary to unavailable"/)
})

t.test('a command that hangs holds up no answer, and ends with the daemon', async t => {
  const cluster = await createCluster({ major: 15 })
  t.teardown(cluster.destroy)
  const args = ['--on-change', 'sleep 1000 & echo "pid $!"; wait']
  const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory, args })
  t.teardown(daemon.stop)
  const said = await daemon.said(/ on-change output="pid \d+"/)
  const pid = Number(/pid (\d+)"/.exec(said)?.[1])
  await cluster.start()
  await daemon.answers('MASTER')
  t.notOk(isGone(pid))
  await daemon.stop()
  await until(() => isGone(pid), { what: 'the command to end' })
})

/** Starts a program with this value of oom_score_adj. */
const withScore = (score: number): readonly string[] => [
  'sh',
  '-c',
  `echo ${score} >/proc/self/oom_score_adj && exec "$@"`,
  'sh',
]

const scoreCommand = ['--on-change', 'echo "score $(cat /proc/$$/oom_score_adj)"']

t.test('what has a command killed first, where memory runs out, stays', async t => {
  const dataDirectory = forgeDataDirectory(t)
  const through = withScore(700)
  const daemon = await startDaemon({ dataDirectory, args: scoreCommand, through })
  t.teardown(daemon.stop)
  await daemon.said(/ on-change output="score 700"/)
})

type Way = 'asks every second' | 'is told the health' | 'is told the state'

const haproxyConfig = (
  way: Way,
  ports: { readonly write: number; readonly servers: readonly number[]; probes: readonly number[] },
  socket: string,
): string => {
  const disabled = way === 'is told the state' ? ' disabled' : ''
  const servers = ports.servers.map(
    (port, index) =>
      `    server s${index + 1} 127.0.0.1:${port} check port ${ports.probes[index]}${disabled}\n`,
  )
  return `global
    stats socket ${socket} mode 600 level admin
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    timeout check 1s
listen read-write
    bind 127.0.0.1:${ports.write}
    option tcp-check
    tcp-check expect rstring ^MASTER
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join('')}`
}

/** What fixtures/docs/on-change.md shows, for the server of this name. */
const commandFor = (way: Way, server: string, socket: string): string | null => {
  if (way === 'asks every second') return null
  const [word, primary, other] =
    way === 'is told the state' ? ['state', 'ready', 'maint'] : ['health', 'up', 'down']
  return (
    `case $PG_REPLSTATUS_ROLE in primary) to=${primary} ;; *) to=${other} ;; esac; ` +
    `echo "set server read-write/${server} ${word} $to" | ${ncNeed.get()} -w 2 -U ${socket}`
  )
}

/** Milliseconds from the order to promote to the first row written through haproxy. */
const failover = async (t: Test, way: Way, haproxyProgram: string): Promise<number> => {
  const { primary, standby } = await startPair(t, 16)
  const session = await primary.session()
  await session.query('create table written (at timestamptz)')
  await session.close()

  const folder = await makeFolder(serverUser())
  t.teardown(guardFolder(folder).finish)
  const socket = join(folder, 'admin.sock')
  const servers: readonly Cluster[] = [primary, standby]
  const probes = [await freePort(), await freePort()]
  const write = await freePort()
  const ports = { write, servers: servers.map(({ port }) => port), probes }
  const config = haproxyConfig(way, ports, socket)
  const haproxy = await startHaproxy({ program: haproxyProgram, config, folder })
  t.teardown(haproxy.stop)
  for (const [index, { dataDirectory }] of servers.entries()) {
    const command = commandFor(way, `s${index + 1}`, socket)
    const args = command === null ? [] : ['--on-change', command]
    const port = probes[index] ?? 0
    const daemon = await startDaemon({ dataDirectory, port, args })
    t.teardown(daemon.stop)
  }
  // To begin with it takes both for up.
  const upServers = (rows: readonly ServerRow[]) => rows.filter(row => row.up)
  await haproxy.sees('the primary alone', rows => {
    const [first, ...others] = upServers(rows)
    return first?.server === 's1' && others.length === 0
  })
  const insert = async (): Promise<boolean> => {
    try {
      const writer = await openSession(write)
      try {
        await writer.query('insert into written values (now())')
        return true
      } finally {
        await writer.close()
      }
    } catch {
      return false
    }
  }
  t.ok(await insert(), 'a row is written before')
  await primary.stop('immediate')
  await haproxy.sees('no primary', rows => rows.every(row => !row.up))
  t.notOk(await insert(), 'and none while there is no primary')

  const began = performance.now()
  const promoted = standby.promote('sql')
  await until(insert, { what: 'a row to be written', everyMs: 1 })
  const tookMs = performance.now() - began
  await promoted
  return tookMs
}

const haproxyNeed = needProgram('haproxy')
/** The page's `nc`; others have no -U. */
const ncNeed = needProgram('nc.openbsd')
const options = haproxyNeed.options.skip === false ? ncNeed.options : haproxyNeed.options

for (const way of ['asks every second', 'is told the health', 'is told the state'] as const) {
  t.test(`haproxy that ${way} leads writers to the new primary`, options, async t => {
    const tookMs = await failover(t, way, haproxyNeed.get())
    t.comment(`${way}: ${Math.round(tookMs)} ms from the promotion to the first row written`)
  })
}
