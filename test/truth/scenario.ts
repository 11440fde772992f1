/** What a scenario consists of. */
import type { Cluster } from '../harness/cluster.ts'
import type { Arena } from './arena.ts'
import type { Bounds } from './bounds.ts'
import type { Trial, TrialOptions } from './trial.ts'

export type Scenario = {
  /** What is done to the server, in words. */
  readonly name: string
  /** Major versions that can be brought into it; default all. */
  readonly since?: number
  readonly until?: number
  /** Programs and rights without which it can't be played. */
  readonly needs?: readonly Need[]
  /** How often it is played on each version; default once. */
  readonly times?: number
  /** Where they differ from what holds for all. */
  readonly bounds?: Partial<Bounds>
  /** The server as the scenario finds it; destroyed at the end. */
  readonly begin: (arena: Arena) => Promise<Cluster>
  readonly options?: (cluster: Cluster) => Omit<TrialOptions, 'cluster' | 'predecessorPort'>
  /** What happens to it. `time` counts from 0. */
  readonly run: (trial: Trial, arena: Arena, time: number) => Promise<void>
}

export type Need =
  'root' | 'whole machine' | 'server programs' | 'bindfs' | 'cgroup v1' | 'cgroup v2'
