/** Plays a scenario and holds what was found against its bounds. */
import type { Cluster } from '../harness/cluster.ts'
import { thenAlways } from '../harness/then-always.ts'
import { within } from '../harness/until.ts'
import type { Arena } from './arena.ts'
import { bounds, isExcused, violations } from './bounds.ts'
import { watched } from './faults.ts'
import { median, together, type Findings } from './judge.ts'
import type { Scenario } from './scenario.ts'
import { openTrial, probeUnderTest, type Trial } from './trial.ts'

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

/** Plays it as often as it wants. Never rejects. */
export const play = async (
  scenario: Scenario,
  arena: Arena,
  print: (line: string) => void,
): Promise<Outcome> => {
  const { name, times = 1 } = scenario
  const found = new Map<string, Findings[]>()
  const faults: string[] = []
  for (let time = 0; time < times; time += 1) {
    try {
      const { judgement, broken } = await playFairly(scenario, arena, { time, print })
      faults.push(...broken)
      for (const [probe, findings] of judgement) {
        found.set(probe, [...(found.get(probe) ?? []), findings])
      }
    } catch (failure) {
      faults.push(failure instanceof Error ? failure.message : String(failure))
    }
  }
  const summed = new Map(Array.from(found, ([probe, all]) => [probe, together(all)]))
  return { scenario: name, major: arena.major, found: summed, faults }
}

type Judgement = Awaited<ReturnType<Trial['judgement']>>

const attemptsMax = 3

/** Again when the machine stood still for as long as the probe was late; not for ever. */
const playFairly = async (
  scenario: Scenario,
  arena: Arena,
  { time, print }: { readonly time: number; readonly print: (line: string) => void },
): Promise<{ readonly judgement: Judgement; readonly broken: readonly string[] }> => {
  const allowed = { ...bounds, ...scenario.bounds }
  for (let attempt = 1; ; attempt += 1) {
    await arena.standstillMs()
    const judgement = await playOnce(scenario, arena, time)
    const standstillMs = await arena.standstillMs()
    const ours = judgement.get(probeUnderTest)
    if (ours === undefined) return { judgement, broken: [] }
    const broken = violations(ours, allowed)
    if (attempt === attemptsMax || !isExcused(ours, allowed, standstillMs))
      return { judgement, broken }
    print(`    AGAIN  ${broken.join('; ')}: ${standstill(standstillMs)}`)
  }
}

/** In words. */
export const standstill = (ms: number): string =>
  `a processor of this machine let no witness run for ${ms.toFixed(1)} ms`

const playOnce = async (scenario: Scenario, arena: Arena, time: number): Promise<Judgement> => {
  const cluster = await scenario.begin(arena)
  return thenAlways(() => tryOn(cluster, scenario, arena, time), cluster.destroy)
}

const tryOn = async (
  cluster: Cluster,
  scenario: Scenario,
  arena: Arena,
  time: number,
): Promise<Judgement> => {
  const trial = await openTrial({
    ...scenario.options?.(cluster),
    cluster,
    predecessorPort: arena.predecessorPort(cluster),
  })
  const act = async (): Promise<Judgement> => {
    await watched(calmMs)
    const played = scenario.run(trial, arena, time)
    await within(played, { what: `the end of "${scenario.name}"`, limitMs: playMsMax })
    await watched(calmMs)
    return trial.judgement()
  }
  return thenAlways(act, trial.close)
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
        `${name}: MASTER after ${ms.toFixed(1)} ms in the median of ${all.length}, allowed ${allowed}`,
      ]
    : []
}
