/**
 * What becomes of a server, step by step, in the order in which PostgreSQL does it (postmaster.c
 * and xlog.c of 13 and 16).
 */
import type { ChildName, SimulatedServer } from './simulated-server.ts'

/** The milliseconds until the next step: at most, or at least and at most. */
export type Lapse = number | readonly [least: number, most: number]
export type Life = Generator<Lapse, void, void>

/** The last child may take its time to die. */
const childNames: readonly ChildName[] = ['checkpointer', 'startup', 'walreceiver', 'walwriter']

const runs = (server: SimulatedServer): boolean => {
  const postmaster = server.postmaster()
  return postmaster !== null && (postmaster.state ?? 'running') === 'running'
}

/** From 15 on the checkpointer is there before recovery; up to 14 it comes with the first need. */
const isEarly = ({ major }: SimulatedServer): boolean => major >= 15

function* forkChild(server: SimulatedServer, name: ChildName, activity = ''): Life {
  if (server.hasChild(name)) return
  server.fork(name)
  yield 8
  server.entitle(name, activity)
  yield 1
}

function* endChildren(server: SimulatedServer, names: readonly ChildName[]): Life {
  for (const name of names.filter(server.hasChild)) {
    server.kill(name)
    yield 2
    server.reap(name)
    yield 2
  }
}

function* start(server: SimulatedServer): Life {
  if (server.postmaster() !== null) return
  server.unlinkLockFile()
  yield 5
  server.startPostmaster()
  yield 20
  server.writeLockFile(0)
  yield 1
  server.writeLockFile(5)
  yield 10
  server.writeLockFile(7)
  yield 3
  server.writeLockFile(8, 'starting')
  yield 2
  if (isEarly(server)) yield* forkChild(server, 'checkpointer')
  yield* recover(server)
}

/** From the birth of the startup process until clients are served. */
function* recover(server: SimulatedServer): Life {
  server.fork('startup')
  yield 3
  if (isEarly(server)) yield* forkChild(server, 'checkpointer')
  server.entitle('startup')
  // The whole data directory is synced to disk before anything is written.
  yield [40, 400]
  if (server.signals.standby || server.signals.recovery) yield* recoverArchive(server)
  else yield* recoverCrash(server)
}

function* recoverArchive(server: SimulatedServer): Life {
  const isStandby = server.signals.standby
  server.writeControlFile('in archive recovery')
  yield 5
  yield* forkChild(server, 'checkpointer')
  server.entitle('startup', 'recovering 000000010000000000000003')
  yield 300
  if (server.hotStandby) server.serve('standby')
  server.writeLockFile(8, server.hotStandby ? 'ready' : 'standby')
  yield 20
  if (isStandby) yield* forkChild(server, 'walreceiver', 'streaming 0/3000148')
}

function* recoverCrash(server: SimulatedServer): Life {
  if (server.clusterState() !== 'shut down') {
    for (const state of ['in crash recovery', 'shutting down', 'shut down'] as const) {
      server.writeControlFile(state)
      yield 100
    }
  }
  server.writeControlFile('in production')
  yield 3
  yield* run(server)
}

/** The startup process ends, and the postmaster turns to normal operation at once. */
function* run(server: SimulatedServer): Life {
  server.kill('startup')
  server.serve('primary')
  yield 1
  server.reap('startup')
  yield 1
  yield* forkChild(server, 'checkpointer')
  yield* forkChild(server, 'walwriter')
  server.writeLockFile(8, 'ready')
  yield 10
}

/** A backend dies badly: all children have to go, and memory is made anew. */
function* crash(server: SimulatedServer): Life {
  if (server.served().size === 0) return
  // Who begins to look in a crash restart of a standby can't tell it from the start a second ago.
  const recovers = server.hasChild('startup') || server.signals.standby || server.signals.recovery
  yield recovers ? [2000, 5000] : [0, 5000]
  server.serve()
  server.kill('checkpointer')
  yield 2
  yield* endChildren(server, childNames)
  // A backend that does not die holds up everything.
  yield 5000
  server.renewSharedMemory()
  yield 2
  yield* recover(server)
}

function* promote(server: SimulatedServer): Life {
  if (!runs(server) || !server.hasChild('walreceiver')) return
  yield* endChildren(server, ['walreceiver'])
  yield 30
  server.signals.standby = false
  yield 20
  if (server.hotStandby) server.serve('standby', 'primary')
  yield 150
  server.writeControlFile('in production')
  if (server.hotStandby) server.serve('primary')
  yield 3
  yield* run(server)
}

/** Point-in-time recovery ends with a checkpoint during which reads are served. */
function* endRecovery(server: SimulatedServer): Life {
  if (!server.served().has('standby') || server.signals.standby) return
  server.signals.recovery = false
  for (const state of ['shutting down', 'shut down'] as const) {
    yield 100
    server.writeControlFile(state)
  }
  yield 3
  server.serve('standby', 'primary')
  yield 3
  server.writeControlFile('in production')
  server.serve('primary')
  yield 3
  yield* run(server)
}

function* stopFast(server: SimulatedServer): Life {
  if (!runs(server)) return
  const inRecovery = server.hasChild('startup')
  server.serve()
  server.writeLockFile(8, 'stopping')
  yield 10
  yield* endChildren(server, ['walreceiver', 'startup', 'walwriter'])
  if (!inRecovery) {
    server.writeControlFile('shutting down')
    yield 50
  }
  server.writeControlFile(inRecovery ? 'shut down in recovery' : 'shut down')
  yield 5
  yield* end(server)
}

function* stopImmediately(server: SimulatedServer): Life {
  if (!runs(server)) return
  server.serve()
  server.writeLockFile(8, 'stopping')
  yield 3
  yield* end(server)
}

/** recovery_target_action = shutdown says nothing in the lock file. */
function* endAtTarget(server: SimulatedServer): Life {
  if (!server.served().has('standby')) return
  server.serve()
  server.writeControlFile('shut down in recovery')
  yield 5
  yield* end(server)
}

/** Nor does restart_after_crash = off. */
function* endAfterCrash(server: SimulatedServer): Life {
  if (server.served().size === 0) return
  server.serve()
  server.kill('checkpointer')
  yield 2
  yield* end(server)
}

/** Without its startup process a standby can't go on. */
function* loseStartup(server: SimulatedServer): Life {
  if (!server.served().has('standby')) return
  server.serve()
  server.kill('startup')
  yield 20
  server.reap('startup')
  yield 20
  yield* end(server)
}

function* end(server: SimulatedServer): Life {
  yield* endChildren(server, childNames)
  server.unlinkLockFile()
  yield 1
  server.endPostmaster()
  yield 1
}

/** What is left is a lock file that says ready, and children that notice. */
function* killPostmaster(server: SimulatedServer): Life {
  const postmaster = server.postmaster()
  if (postmaster === null || !runs(server)) return
  server.serve()
  postmaster.state = 'zombie'
  yield 500
  yield* endChildren(server, childNames)
  server.endPostmaster()
  yield 100
  // The server of another directory gets its number.
  const { add, remove } = server.processes
  const checkpointer = add({ pid: 3999, commandLine: 'postgres: checkpointer \0\0' })
  const children = [checkpointer.pid]
  add({ pid: postmaster.pid, program: 'postgres', workingDirectory: '1:77', children })
  yield 100
  remove(postmaster.pid)
}

function* stopPostmaster(server: SimulatedServer): Life {
  const postmaster = server.postmaster()
  if (postmaster === null || !runs(server)) return
  const served = [...server.served()]
  server.serve()
  postmaster.state = 'stopped'
  yield 1000
  postmaster.state = 'running'
  server.serve(...served)
  yield 1
}

/** Says only what the next start is to do. */
function* touchSignal(server: SimulatedServer): Life {
  server.signals.standby = !server.signals.standby
  yield 1
}

function* requestRecovery(server: SimulatedServer): Life {
  if (server.postmaster() !== null) return
  server.signals.recovery = true
  server.signals.standby = false
  yield 1
}

export const lives = {
  /** Nothing happens. */
  none: function* none(): Life {},
  start,
  crash,
  promote,
  endRecovery,
  stopFast,
  stopImmediately,
  endAtTarget,
  endAfterCrash,
  loseStartup,
  killPostmaster,
  stopPostmaster,
  touchSignal,
  requestRecovery,
} as const
