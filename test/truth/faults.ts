/** Things done to servers, each until it has taken effect. */
import assert from 'node:assert'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessState } from '../../src/facts/decode/process-stat.ts'
import type { Pid } from '../../src/facts/units.ts'
import { openProcessTable } from '../../src/observe/processes/process-table.ts'
import type { Cluster } from '../harness/cluster.ts'
import type { ControlGroup } from '../harness/control-group.ts'
import { lockFileLine } from '../harness/postmaster.ts'
import type { Session } from '../harness/session.ts'
import { until } from '../harness/until.ts'
import type { Undo } from './deeds.ts'
import { now } from './testimony.ts'
import type { Trial } from './trial.ts'

const processes = openProcessTable()

/** Time to be watched in, when nothing happens that could be waited for. */
export const watched = async (ms: number): Promise<void> => {
  await sleep(ms)
}

const stateOf = (pid: number): ProcessState | 'gone' => {
  const handle = processes.open(pid as Pid)
  if (typeof handle === 'string') return 'gone'
  const stat = handle.read()
  handle.close()
  return stat === 'gone' ? 'gone' : stat.state
}

const signalMsMax = 1000

/** The kernel delivers a signal when it gets round to it: asks without a pause. */
const awaitState = (pid: number, wanted: readonly (ProcessState | 'gone')[]): void => {
  const giveUpAt = now() + signalMsMax
  while (!wanted.includes(stateOf(pid))) {
    assert(now() < giveUpAt, `pid ${pid} is not ${wanted.join(' or ')} after ${signalMsMax} ms`)
  }
}

/** From the moment it is dead on, nobody can be served. */
export const killPostmaster = (trial: Trial): Undo => {
  const pid = trial.cluster.pid()
  process.kill(pid, 'SIGKILL')
  awaitState(pid, ['zombie', 'dead', 'gone'])
  return trial.nobodyServed()
}

export const stopPostmaster = (trial: Trial): Undo => {
  const pid = trial.cluster.pid()
  process.kill(pid, 'SIGSTOP')
  awaitState(pid, ['stopped'])
  return trial.nobodyServed()
}

export const continuePostmaster = (trial: Trial, served: Undo): void => {
  const pid = trial.cluster.pid()
  process.kill(pid, 'SIGCONT')
  awaitState(pid, ['running'])
  served()
}

/** Until all of the group has stopped, some of it may still serve. */
export const freezeServer = (trial: Trial, group: ControlGroup): Undo => {
  group.freeze()
  awaitFrozen(group, true)
  return trial.nobodyServed()
}

export const thawServer = (group: ControlGroup, served: Undo): void => {
  group.thaw()
  awaitFrozen(group, false)
  served()
}

const awaitFrozen = (group: ControlGroup, wanted: boolean): void => {
  const giveUpAt = now() + signalMsMax
  while (group.isFrozen() !== wanted)
    assert(now() < giveUpAt, `${group.folder}: frozen is not ${wanted} after ${signalMsMax} ms`)
}

export const backendPid = async (session: Session): Promise<number> => {
  const [row] = await session.query('select pg_backend_pid() as pid')
  return Number(row?.['pid'])
}

/** Line 7 of the lock file: new in every crash restart. */
const sharedMemory = (cluster: Cluster): string => lockFileLine(cluster.dataDirectory, 7)

/** Kills a backend of ours; the postmaster then restarts all its children. */
export const crashBackend = async (cluster: Cluster): Promise<void> => {
  const session = await cluster.session()
  const pid = await backendPid(session)
  process.kill(pid, 'SIGKILL')
  await session.close()
}

/** Kills a backend and waits until the server accepts logins again. */
export const crashAndRecover = async (cluster: Cluster): Promise<void> => {
  const before = sharedMemory(cluster)
  await crashBackend(cluster)
  await until(() => sharedMemory(cluster) !== before, { what: 'a crash restart' })
  await awaitLogins(cluster)
}

/** Titles up to 10 say `wal receiver process`. */
export const hasReceiver = async (cluster: Cluster): Promise<boolean> => {
  const children = processes.children(cluster.pid() as Pid) ?? []
  const titles = await Promise.all(children.map(processes.commandLine))
  return titles.some(title => /^postgres: wal ?receiver/.test(title))
}

export const awaitLogins = async (cluster: Cluster): Promise<void> => {
  await until(() => cluster.accepts(), { what: 'logins to be accepted' })
}

/** Enough for its log to go on, up to a checkpoint. */
export const writeSomething = async (cluster: Cluster): Promise<void> => {
  const session = await cluster.session()
  await session.query('create table if not exists written as select 1')
  await session.query('checkpoint')
  await session.close()
}

/** A backend that does not heed the postmaster: killed by it after 5 s. */
export const stopBackend = async (cluster: Cluster): Promise<Session> => {
  const session = await cluster.session()
  process.kill(await backendPid(session), 'SIGSTOP')
  return session
}

/**
 * Empty files where the server's tables are. A restart after a crash syncs every file below the
 * data directory (SyncDataDirectory() in fd.c), so that their number tells how long it takes.
 */
export const addFiles = (cluster: Cluster, count: number): void => {
  const folder = join(cluster.dataDirectory, 'base', '1')
  mkdirSync(folder, { recursive: true })
  for (let file = 0; file < count; file += 1) writeFileSync(join(folder, `9${file}`), '')
}
