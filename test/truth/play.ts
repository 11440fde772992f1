/** Plays a scenario and holds what was found against its bounds. */
import type { Cluster } from '../harness/cluster.ts'
import { thenAlways } from '../harness/then-always.ts'
import { within } from '../harness/until.ts'
import type { Arena } from './arena.ts'
import { bounds, violations } from './bounds.ts'
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
export const play = async (scenario: Scenario, arena: Arena): Promise<Outcome> => {
  const { name, times = 1 } = scenario
  const found = new Map<string, Findings[]>()
  const faults: string[] = []
  for (let time = 0; time < times; time += 1) {
    try {
      for (const [probe, findings] of await playOnce(scenario, arena, time)) {
        found.set(probe, [...(found.get(probe) ?? []), findings])
      }
    } catch (failure) {
      faults.push(failure instanceof Error ? failure.message : String(failure))
    }
  }
  const summed = new Map(Array.from(found, ([probe, all]) => [probe, together(all)]))
  const ours = summed.get(probeUnderTest)
  const broken = ours === undefined ? [] : violations(ours, { ...bounds, ...scenario.bounds })
  return { scenario: name, major: arena.major, found: summed, faults: [...faults, ...broken] }
}

type Judgement = Awaited<ReturnType<Trial['judgement']>>

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
