/** Everybody who is asked for the role of one server, ours first. */
import { join } from 'node:path'
import type { Cluster } from '../harness/cluster.ts'
import { startDaemon } from '../harness/daemon.ts'
import type { Role } from '../harness/daemon-log.ts'
import { freePort } from '../harness/free-port.ts'
import { spawnLeashed } from '../harness/leash.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { until } from '../harness/until.ts'
import type { Arena } from '../truth/arena.ts'
import { startupMessage } from '../truth/server-conversation.ts'
import { serverProgram } from '../truth/server-programs.ts'
import { predecessor, probeUnderTest } from '../truth/trial.ts'
import { childrenCpuUsOf, childrenOf, cpuUsOf, titleOf } from './accounting.ts'
import { askPort, runOver, type Load, type Tools } from './tools.ts'

export type Contender = {
  readonly name: string
  /** So many checks, so many of them at once. */
  readonly check: (amount: { readonly atOnce: number; readonly total: number }) => Promise<Load>
  /** Processor time that the answering side has used up to now, in microseconds. */
  readonly cpuUs: () => number
  /** Null when no single process answers. */
  readonly pid: number | null
  /** What a check costs at least: an answer, a login, a program. Dear ones are asked less often. */
  readonly pace: 'quick' | 'login' | 'program'
  readonly close: () => Promise<void>
}

/** One whose process can be looked at. */
export type Listener = Contender & { readonly pid: number }

export const names = {
  ours: probeUnderTest,
  predecessor,
  floor: 'C loop',
  node: 'bare Node',
  psql: 'psql',
  isReady: 'pg_isready',
  pgsqlCheck: 'pgsql-check',
  patroni: 'Patroni',
  naive: 'naive chokidar',
  idle: 'idle Node',
  alone: 'without them',
} as const

const nothingToClose = async (): Promise<void> => {}

/** Answers on a port, from one process. */
const portContender = (
  tools: Tools,
  one: Pick<Contender, 'name' | 'close'> & { readonly port: number; readonly pid: number },
): Listener => ({
  name: one.name,
  check: amount => askPort(tools, { ...amount, port: one.port }),
  cpuUs: () => cpuUsOf(one.pid),
  pid: one.pid,
  pace: 'quick',
  close: one.close,
})

export const openOurs = async (
  tools: Tools,
  cluster: Cluster,
  role: Role = 'primary',
): Promise<Listener> => {
  const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory })
  await daemon.until(role)
  const close = async (): Promise<void> => void (await daemon.stop())
  return portContender(tools, { ...daemon, name: names.ours, close })
}

/** Null where the server does not run it. */
export const findPredecessor = (tools: Tools, arena: Arena, cluster: Cluster): Listener | null => {
  const port = arena.predecessorPort(cluster)
  const isWorker = (pid: number): boolean => titleOf(pid).includes('bgw_replstatus')
  const pid = childrenOf(cluster.pid()).find(isWorker)
  return port === null || pid === undefined
    ? null
    : portContender(tools, { name: names.predecessor, port, pid, close: nothingToClose })
}

/** A program that answers `MASTER` on the port it is given as its last argument. */
export const openListener = async (
  tools: Tools,
  { name, command }: { readonly name: string; readonly command: readonly string[] },
): Promise<Listener> => {
  const port = await freePort()
  const child = spawnLeashed([...command, String(port)], { cwd: '/', env: serverEnvironment() })
  const answers = async (): Promise<boolean> =>
    (await askPort(tools, { port, atOnce: 1, total: 1 })).answered === 1
  await until(answers, { what: `${name} to answer`, limitMs: 10_000 })
  const close = async (): Promise<void> => void child.kill('SIGKILL')
  return portContender(tools, { name, port, pid: child.pid ?? 0, close })
}

export const bareNode = (): readonly string[] => [
  process.execPath,
  join(repositoryRoot(), '.build/test/bench/bare-listener.js'),
]

/** What the server spends on whoever knocks: its own time, and that of the backends it forked. */
const serverCpuUs = (cluster: Cluster) => (): number =>
  cpuUsOf(cluster.pid()) + childrenCpuUsOf(cluster.pid())

/** A program that is started for each check, as by xinetd or by an agent. */
const programContender = (
  tools: Tools,
  cluster: Cluster,
  { name, command }: { readonly name: string; readonly command: readonly string[] },
): Contender => {
  let programsUs = 0
  return {
    name,
    check: async ({ total }) => {
      const load = await runOver(tools, { command, total })
      programsUs += load.cpuUs
      return load
    },
    cpuUs: () => programsUs + serverCpuUs(cluster)(),
    pid: null,
    pace: 'program',
    close: nothingToClose,
  }
}

const target = ({ port }: Cluster): readonly string[] => ['-h', '127.0.0.1', '-p', String(port)]

/** As in the usual script behind xinetd. */
export const psql = (tools: Tools, cluster: Cluster): Contender => {
  const question = ['-U', 'postgres', '-XAtc', 'select pg_is_in_recovery()', 'postgres']
  const command = [serverProgram('psql'), ...target(cluster), ...question]
  return programContender(tools, cluster, { name: names.psql, command })
}

export const pgIsReady = (tools: Tools, cluster: Cluster): Contender => {
  const command = [serverProgram('pg_isready'), ...target(cluster)]
  return programContender(tools, cluster, { name: names.isReady, command })
}

/** What HAProxy sends for `option pgsql-check user postgres`. */
const pgsqlCheckRequest = startupMessage({ user: 'postgres' })

export const pgsqlCheck = (tools: Tools, cluster: Cluster): Contender => ({
  name: names.pgsqlCheck,
  check: amount => askPort(tools, { ...amount, port: cluster.port, request: pgsqlCheckRequest }),
  cpuUs: serverCpuUs(cluster),
  pid: null,
  pace: 'login',
  close: nothingToClose,
})
