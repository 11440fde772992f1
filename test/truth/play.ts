/** Plays a scenario and holds what was found against its bounds. */
import { thenAlways } from '../harness/then-always.ts'
import { within } from '../harness/until.ts'
import type { Arena } from './arena.ts'
import { bounds, isExcused, isOnlyLate, violations } from './bounds.ts'
import { watched } from './faults.ts'
import { median, together, type Findings } from './judge.ts'
import type { Scenario } from './scenario.ts'
import { prepareTrial, probeUnderTest, type Trial } from './trial.ts'
import type { Turns } from './turns.ts'

export type Outcome = {
  readonly scenario: string
  readonly major: number
  /** By the name of the probe, over all times. */
  readonly found: ReadonlyMap<string, Findings>
  /** What the probe under test did wrong, or what kept the scenario from being played. */
  readonly faults: readonly string[]
}

export const appliesTo = ({ since = 0, until = Infinity }: Scenario, major: number): boolean =>
  since <= major && major <= until

/** Before and after: what holds, and what comes to hold, has to be heard a few times. */
const calmMs = 150

const playMsMax = 60_000

type Stage = {
  readonly arena: Arena
  readonly turns: Turns
  readonly print: (line: string) => void
}

/** Plays it as often as it wants. Never rejects. */
export const play = async (scenario: Scenario, stage: Stage): Promise<Outcome> => {
  const { name, times = 1 } = scenario
  const found = new Map<string, Findings[]>()
  const faults: string[] = []
  const playNumber = async (_: unknown, time: number): Promise<void> => {
    try {
      const played = stage.turns.inLane(() => playFairly(scenario, stage, time))
      const { judgement, broken } = await played
      faults.push(...broken)
      for (const [probe, findings] of judgement) {
        found.set(probe, [...(found.get(probe) ?? []), findings])
      }
    } catch (failure) {
      faults.push(failure instanceof Error ? failure.message : String(failure))
    }
  }
  await Promise.all(Array.from({ length: times }, playNumber))
  const summed = new Map(Array.from(found, ([probe, all]) => [probe, together(all)]))
  return { scenario: name, major: stage.arena.major, found: summed, faults }
}

type Judgement = Awaited<ReturnType<Trial['judgement']>>

const attemptsMax = 3

/**
 * Again when the machine stood still for as long as the probe was late, and once when it was only
 * late; not for ever.
 */
const playFairly = async (
  scenario: Scenario,
  stage: Stage,
  time: number,
): Promise<{ readonly judgement: Judgement; readonly broken: readonly string[] }> => {
  const allowed = { ...bounds, ...scenario.bounds }
  for (let attempt = 1; ; attempt += 1) {
    const { judgement, standstillMs } = await playOnce(scenario, stage, time)
    const ours = judgement.get(probeUnderTest)
    if (ours === undefined) return { judgement, broken: [] }
    const broken = violations(ours, allowed)
    const lateOnce = attempt === 1 && isOnlyLate(ours, allowed)
    const excused = attempt < attemptsMax && isExcused(ours, allowed, standstillMs)
    if (!lateOnce && !excused) return { judgement, broken }
    const { name } = scenario
    stage.print(`    AGAIN  ${name}: ${broken.join('; ')}: ${standstill(standstillMs)}`)
  }
}

/** In words. */
export const standstill = (ms: number): string =>
  `on a processor of this machine no process could run for ${ms.toFixed(1)} ms`

type Played = { readonly judgement: Judgement; readonly standstillMs: number }

const playOnce = async (scenario: Scenario, stage: Stage, time: number): Promise<Played> => {
  const { arena, turns } = stage
  const cluster = await turns.beside(() => scenario.begin(arena))
  return thenAlways(
    async () => {
      const options = scenario.options?.(cluster)
      const predecessorPort = arena.predecessorPort(cluster)
      const prepare = () => prepareTrial({ ...options, cluster, predecessorPort })
      const trial = await turns.beside(prepare)
      const act = () => tryOn(trial, scenario, arena, time)
      return turns.alone(() => thenAlways(act, trial.close))
    },
    () => turns.beside(cluster.destroy),
  )
}

const tryOn = async (
  trial: Trial,
  scenario: Scenario,
  arena: Arena,
  time: number,
): Promise<Played> => {
  await arena.standstillMs()
  await trial.begin()
  await watched(calmMs)
  const played = scenario.run(trial, arena, time)
  await within(played, { what: `the end of "${scenario.name}"`, limitMs: playMsMax })
  await watched(calmMs)
  return { judgement: await trial.judgement(), standstillMs: await arena.standstillMs() }
}

/** A median needs more than one version's handful of promotions; none when it is kept to. */
export const lateInTheMedian = (
  { name, bounds: own }: Scenario,
  outcomes: readonly Outcome[],
): readonly string[] => {
  const all = outcomes
    .filter(({ scenario }) => scenario === name)
    .flatMap(({ found }) => found.get(probeUnderTest)?.noticeMs.primary ?? [])
  const { noticePrimaryMsMedian: allowed } = { ...bounds, ...own }
  const ms = median(all)
  return ms > allowed
    ? [
        `${name}: MASTER after ${ms.toFixed(1)} ms in the median of ${all.length}, at most ${allowed} allowed`,
      ]
    : []
}
