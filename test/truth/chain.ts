/**
 * One fault after the other on one server that is a primary or a standby as they leave it, each
 * chosen at random, and judged by itself. The seed decides all of it.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../harness/cluster.ts'
import { signalFilesSince, standbyRequestFile } from '../harness/cluster-files.ts'
import type { Arena } from './arena.ts'
import { bounds, isExcused, isOnlyLate, stopBounds, violations, type Bounds } from './bounds.ts'
import {
  awaitLogins,
  continuePostmaster,
  crashAndRecover,
  killPostmaster,
  stopPostmaster,
  watched,
} from './faults.ts'
import { together, type Findings } from './judge.ts'
import { standstill, type Outcome } from './play.ts'
import { createRandom, type Random } from './random.ts'
import { openTrial, probeUnderTest, type Trial } from './trial.ts'

type Role = 'primary' | 'standby'

type Fault = {
  readonly name: string
  /** In which it can be played; default both. */
  readonly role?: Role
  readonly since?: number
  readonly bounds?: Partial<Bounds>
  readonly play: (trial: Trial, random: Random) => Promise<void>
}

/** How long a postmaster counts as just started: see firstStartup in crash-restart.ts. */
const bornLatelyMs = 1100

const startAfterKill = async (trial: Trial): Promise<void> => {
  const startedAgain = killPostmaster(trial)
  await trial.cluster.ended()
  startedAgain()
  await trial.cluster.start()
}

const faults: readonly Fault[] = [
  { name: 'fast restart', bounds: stopBounds, play: ({ cluster }) => cluster.restart() },
  {
    name: 'immediate stop and start',
    bounds: stopBounds,
    play: async ({ cluster }) => {
      await cluster.stop('immediate')
      await cluster.start()
    },
  },
  {
    name: 'smart stop with a client, then a fast one and a start',
    bounds: stopBounds,
    play: async ({ cluster }, random) => {
      cluster.kill('SIGTERM')
      await watched(random.below(200))
      await cluster.restart()
    },
  },
  { name: 'postmaster killed and started', play: startAfterKill },
  {
    name: 'postmaster stopped and continued',
    play: async (trial, random) => {
      const served = stopPostmaster(trial)
      await watched(random.below(1000))
      continuePostmaster(trial, served)
    },
  },
  { name: 'backend killed', play: ({ cluster }) => crashAndRecover(cluster) },
  {
    name: 'daemon stopped and continued',
    play: async (trial, random) => {
      trial.daemon().kill('SIGSTOP')
      const sighted = trial.probeBlinded()
      await watched(random.below(3000))
      trial.daemon().kill('SIGCONT')
      sighted()
    },
  },
  {
    name: 'daemon restarted in a crash restart',
    play: async trial => {
      // Who begins to look then takes the startup process of a standby for its first one.
      await watched(bornLatelyMs)
      const recovered = crashAndRecover(trial.cluster)
      const sighted = trial.probeBlinded()
      await trial.daemon().stop()
      await trial.startDaemon()
      sighted()
      await recovered
    },
  },
  {
    name: 'standby requested, then a backend killed',
    role: 'primary',
    play: async ({ cluster }) => {
      cluster.requestStandby(null)
      await crashAndRecover(cluster)
    },
  },
  {
    name: 'restart as a standby',
    role: 'primary',
    bounds: stopBounds,
    play: async ({ cluster }) => {
      await cluster.stop()
      cluster.requestStandby(null)
      await cluster.start()
    },
  },
  { name: 'promotion', role: 'standby', play: ({ cluster }) => cluster.promote('pg_ctl') },
  {
    name: 'promotion by SQL',
    role: 'standby',
    since: signalFilesSince,
    play: ({ cluster }) => cluster.promote('sql'),
  },
  {
    name: 'postmaster killed in a promotion, and started',
    role: 'standby',
    play: async (trial, random) => {
      trial.cluster.place('promote', '')
      process.kill(trial.cluster.pid(), 'SIGUSR1')
      await watched(random.below(100))
      await startAfterKill(trial)
    },
  },
  {
    name: 'request removed, then a backend killed',
    role: 'standby',
    play: async ({ cluster }) => {
      rmSync(join(cluster.dataDirectory, standbyRequestFile(cluster.major)))
      await crashAndRecover(cluster)
    },
  },
]

const roleOf = async (cluster: Cluster): Promise<Role> => {
  const session = await cluster.session()
  const inRecovery = await session.isInRecovery()
  await session.close()
  return inRecovery ? 'standby' : 'primary'
}

const words = { primary: 'MASTER', standby: 'STANDBY' } as const

/** What is heard of a role before and after a fault. */
const calmMs = 100
/** A promotion on the way may still end: the role is what it is when it stays so. */
const settle = async ({ cluster, answers }: Trial): Promise<Role> => {
  await awaitLogins(cluster)
  await watched(calmMs)
  const role = await roleOf(cluster)
  await answers(words[role])
  await watched(calmMs)
  return role
}

/** A chain can't be played again, as a scenario can: so many of its rounds may be late. */
const lateRoundsMax = (rounds: number): number => Math.max(1, rounds / 100)

/** Never rejects. */
export const playChain = async (
  arena: Arena,
  { seed, rounds }: { readonly seed: number; readonly rounds: number },
  print: (line: string) => void,
): Promise<Outcome> => {
  const { major } = arena
  const random = createRandom(seed)
  const found = new Map<string, Findings[]>()
  const broken: string[] = []
  const late: string[] = []
  const cluster = await arena.primary()
  const predecessorPort = arena.predecessorPort(cluster)
  const trial = await openTrial({ cluster, predecessorPort })
  try {
    let role = await settle(trial)
    for (let round = 1; round <= rounds; round += 1) {
      const possible = faults.filter(
        fault => (fault.role ?? role) === role && (fault.since ?? 0) <= major,
      )
      const fault = random.pick(possible)
      const where = `round ${round} of seed ${seed} on ${major}: ${fault.name} on a ${role}`
      await arena.standstillMs()
      try {
        await fault.play(trial, random)
        role = await settle(trial)
      } catch (failure) {
        broken.push(`${where}: ${failure instanceof Error ? failure.message : String(failure)}`)
        print(broken.at(-1) ?? '')
        break
      }
      const standstillMs = await arena.standstillMs()
      for (const [probe, findings] of await trial.judgement()) {
        found.set(probe, [...(found.get(probe) ?? []), findings])
        if (probe !== probeUnderTest) continue
        const allowed = { ...bounds, ...fault.bounds }
        const wrong = violations(findings, allowed).map(what => `${where}: ${what}`)
        for (const line of wrong) print(line)
        if (isExcused(findings, allowed, standstillMs)) print(standstill(standstillMs))
        else if (isOnlyLate(findings, allowed)) late.push(wrong.join('; '))
        else broken.push(...wrong)
      }
    }
  } finally {
    await trial.close()
    await cluster.destroy()
  }
  if (late.length > lateRoundsMax(rounds)) broken.push(...late)
  return {
    scenario: `${rounds} faults at random, seed ${seed}`,
    major,
    found: new Map(Array.from(found, ([probe, all]) => [probe, together(all)])),
    faults: broken,
  }
}
