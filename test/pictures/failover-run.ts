/**
 * A failover, played with real servers before the witnesses of the fault-injection tests: the
 * primary crashes, its standby is promoted, and the old primary comes back as it was. Beside each
 * server are both pg-replstatus, with its peer, and bgw_replstatus, each with a HAProxy of its own.
 */
import assert from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { routesIn } from '../demo/routes.ts'
import { serverBehind } from '../demo/promotion.ts'
import type { Cluster } from '../harness/cluster.ts'
import { makeFolder } from '../harness/cluster-files.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { guardFolder } from '../harness/guard.ts'
import { examplePorts, leadsTo, replacePorts, startHaproxy } from '../harness/haproxy.ts'
import type { Haproxy } from '../harness/haproxy.ts'
import { peerArgs } from '../harness/http-daemon.ts'
import { findProgram, howToInstall } from '../harness/needs.ts'
import { readExample } from '../harness/repository.ts'
import { serverUser } from '../harness/server-user.ts'
import { hasPredecessor, openArena, type Arena } from '../truth/arena.ts'
import { bounds, isExcused, violations } from '../truth/bounds.ts'
import type { Findings } from '../truth/judge.ts'
import { now, type Heard, type Testimony } from '../truth/testimony.ts'
import { predecessor, probeUnderTest } from '../truth/trial.ts'
import { openHearing, type Hearing } from '../truth/witnesses.ts'
import { missingPredecessor } from '../truth/needs.ts'

/** The only one for which Debian has bgw_replstatus. */
const major = 15

export type FailoverRun = {
  /** On the clock of all testimony. */
  readonly beganAt: number
  readonly crashedAt: number
  readonly promotedAt: number
  readonly returnedAt: number
  readonly endedAt: number
  /** See metronome.ts in the fault-injection tests. */
  readonly standstillMs: number
  readonly servers: Readonly<Record<'s1' | 's2', Testimony>>
  /** By the program whose answers HAProxy goes by: where it sends writers. */
  readonly routes: ReadonlyMap<string, readonly Heard<string>[]>
}

type Cleanup = (() => Promise<unknown> | void)[]

type Member = {
  readonly cluster: Cluster
  readonly daemon: Daemon
  readonly predecessorPort: number
}

/** Before and after each deed, so that it is seen what holds. */
const calmMs = 600

const attemptsMax = 5

/**
 * Within the bounds of the referee. As there it is played again if the machine stood still for as
 * long as pg-replstatus was late.
 */
export const playFairly = async (
  findingsOf: (run: FailoverRun) => Findings,
): Promise<FailoverRun> => {
  for (let attempt = 1; ; attempt += 1) {
    const run = await playFailover()
    const found = findingsOf(run)
    const broken = violations(found, bounds)
    if (broken.length === 0) return run
    process.stderr.write(`pictures: ${broken.join('; ')}\n`)
    const isOver = attempt === attemptsMax || !isExcused(found, bounds, run.standstillMs)
    if (isOver) throw new Error('pg-replstatus broke the bounds of the fault-injection tests')
  }
}

const playFailover = async (): Promise<FailoverRun> => {
  const program = findProgram('haproxy')
  if (program === null) throw new Error(howToInstall('haproxy'))
  if (!hasPredecessor()) throw new Error(missingPredecessor() ?? '')
  const cleanup: Cleanup = []
  try {
    const arena = await openArena(major)
    cleanup.push(arena.close)
    const members = await openMembers(arena, cleanup)
    const routers = await openRouters(program, members, cleanup)
    return await play({ arena, members, routers, cleanup })
  } finally {
    for (const undo of cleanup.toReversed()) await undo()
  }
}

const openMembers = async (arena: Arena, cleanup: Cleanup): Promise<readonly [Member, Member]> => {
  const primary = await arena.primary()
  cleanup.push(primary.destroy)
  const [ofPrimary, ofStandby] = [arena.predecessorPort(primary) ?? 0, await freePort()]
  const settings = { 'bgw_replstatus.port': String(ofStandby) }
  const standby = await primary.standby({ settings })
  cleanup.push(standby.destroy)
  await standby.start()
  const ports = [await freePort(), await freePort()] as const
  const open = async (cluster: Cluster, http: number, predecessorPort: number): Promise<Member> => {
    const { dataDirectory } = cluster
    const daemon = await startDaemon({ dataDirectory, args: peerArgs(http, ports) })
    cleanup.push(daemon.stop)
    return { cluster, daemon, predecessorPort }
  }
  const members = [
    await open(primary, ports[0], ofPrimary),
    await open(standby, ports[1], ofStandby),
  ] as const
  await members[0].daemon.answers('MASTER')
  await members[1].daemon.answers('STANDBY')
  return members
}

type Router = { readonly by: string; readonly haproxy: Haproxy; readonly writePort: number }

/** fixtures/haproxy.cfg with two servers, once for each program that answers. */
const openRouters = async (
  program: string,
  members: readonly [Member, Member],
  cleanup: Cleanup,
): Promise<readonly Router[]> => {
  const open = async (by: string, probePort: (member: Member) => number): Promise<Router> => {
    const [writePort, readPort] = [await freePort(), await freePort()]
    const ports = new Map<number, number>([
      [examplePorts.write, writePort],
      [examplePorts.read, readPort],
    ])
    for (const [index, member] of members.entries()) {
      ports.set(examplePorts.servers[index] ?? 0, member.cluster.port)
      ports.set(examplePorts.probes[index] ?? 0, probePort(member))
    }
    const example = readExample('haproxy.cfg').replaceAll(/^ *server s3 .*\n/gm, '')
    const folder = await makeFolder(serverUser())
    cleanup.push(guardFolder(folder).finish)
    const haproxy = await startHaproxy({ program, config: replacePorts(example, ports), folder })
    cleanup.push(haproxy.stop)
    await haproxy.sees('the primary', leadsTo('read-write', 's1'))
    return { by, haproxy, writePort }
  }
  return [
    await open(probeUnderTest, ({ daemon }) => daemon.port),
    await open(predecessor, ({ predecessorPort }) => predecessorPort),
  ]
}

/** Asks HAProxy without a pause that would show. */
const watchRouter = ({ haproxy }: Router, cleanup: Cleanup): Heard<string>[] => {
  const heard: Heard<string>[] = []
  let stopped = false
  const look = async (): Promise<void> => {
    while (!stopped) {
      const askedAt = now()
      const said = routesIn(await haproxy.servers()).writers
      heard.push({ askedAt, heardAt: now(), said })
      await sleep(10)
    }
  }
  const looked = look()
  cleanup.push(async () => {
    stopped = true
    await looked
  })
  return heard
}

const openWitnesses = async (
  { cluster, daemon, predecessorPort }: Member,
  cleanup: Cleanup,
): Promise<Hearing> => {
  const hearing = await openHearing()
  cleanup.push(hearing.close)
  const probes = [
    [probeUnderTest, daemon.port],
    [predecessor, predecessorPort],
  ] as const
  await hearing.begin({ server: cluster.port, probes, files: null })
  return hearing
}

const play = async ({
  arena,
  members,
  routers,
  cleanup,
}: {
  readonly arena: Arena
  readonly members: readonly [Member, Member]
  readonly routers: readonly Router[]
  readonly cleanup: Cleanup
}): Promise<FailoverRun> => {
  const [old, next] = members
  const routes = new Map(routers.map(router => [router.by, watchRouter(router, cleanup)]))
  const [ofOld, ofNext] = [await openWitnesses(old, cleanup), await openWitnesses(next, cleanup)]
  const all = async (what: string, name: string): Promise<void> => {
    const leads = leadsTo('read-write', name)
    await Promise.all(routers.map(({ haproxy }) => haproxy.sees(what, leads)))
  }
  await arena.standstillMs()
  const beganAt = now()
  await sleep(2 * calmMs)
  const crashedAt = now()
  await old.cluster.stop('immediate')
  await sleep(calmMs)
  const promotedAt = now()
  await next.cluster.promote('sql')
  await all('the new primary', 's2')
  await sleep(calmMs)
  const returnedAt = now()
  await old.cluster.start()
  const misled = routers.find(({ by }) => by === predecessor)?.haproxy
  await misled?.sees('the old primary', rows => routesIn(rows).writers === 's1')
  await sleep(2 * calmMs)
  const endedAt = now()
  const standstillMs = await arena.standstillMs()
  const servers = { s1: await ofOld.testimony(), s2: await ofNext.testimony() }
  for (const { by, writePort } of routers) {
    const { cluster } = by === predecessor ? old : next
    assert.equal(await serverBehind(writePort), cluster.port, `where a writer comes to, by ${by}`)
  }
  const times = { beganAt, crashedAt, promotedAt, returnedAt, endedAt, standstillMs }
  return { ...times, servers, routes }
}
