/** How fast answers are, how many at once, and what one costs. */
import type { Contender } from './contenders.ts'
import { names } from './contenders.ts'
import { noted, type Goal, type Row } from './table.ts'
import type { Load } from './tools.ts'

const quickTotals = new Map([
  [1, 5000],
  [8, 20_000],
  [64, 10_000],
  [256, 10_000],
  [1000, 10_000],
])

/** A server of a thousand backends is not asked by a thousand more. */
const atOnceMax = { quick: 1000, login: 8, program: 1 } as const

const totalOf = ({ pace }: Contender, atOnce: number): number => {
  if (pace === 'quick') return quickTotals.get(atOnce) ?? 0
  return pace === 'login' ? 500 : 50
}

type Question = {
  readonly measure: string
  readonly unit: string
  readonly of: (load: Load, cpuUs: number) => number
  readonly goal: Goal | null
}

const perSecond = ({ answered, tookUs }: Load): number => answered / (tookUs / 1e6)
const lostOrStalled = ({ lost, stalled }: Load): number => lost + stalled
const cpuPerAnswer = ({ answered }: Load, cpuUs: number): number => cpuUs / answered
const no = { than: null, atMost: 0 } as const

const oneByOne: readonly Question[] = [
  {
    measure: 'one by one, median',
    unit: 'us',
    of: ({ medianUs }) => medianUs,
    goal: { than: names.predecessor, atMost: 1.6 },
  },
  {
    measure: 'one by one, p99',
    unit: 'us',
    of: ({ p99Us }) => p99Us,
    goal: { than: names.predecessor, atMost: 1.6 },
  },
  {
    measure: 'processor per answer',
    unit: 'us',
    of: cpuPerAnswer,
    goal: { than: names.predecessor, atMost: 2.2 },
  },
  {
    measure: 'processor per answer',
    unit: 'us',
    of: cpuPerAnswer,
    goal: { than: names.psql, atMost: 1 / 50 },
  },
  {
    measure: 'processor per answer',
    unit: 'us',
    of: cpuPerAnswer,
    goal: { than: names.node, atMost: 1.1 },
  },
]

const crowd = (atOnce: number): readonly Question[] => {
  const worst: Question = {
    measure: `${atOnce} at once, slowest`,
    unit: 'ms',
    of: ({ maxUs }) => maxUs / 1000,
    goal: { than: null, atMost: 150 },
  }
  const least = atOnce === 8 ? 0.75 : 3
  // What Node itself can do at most.
  const limit: Question = {
    measure: `${atOnce} at once`,
    unit: 'answers/s',
    of: perSecond,
    goal: { than: names.node, atLeast: 0.95 },
  }
  return [
    {
      measure: `${atOnce} at once`,
      unit: 'answers/s',
      of: perSecond,
      goal: { than: names.predecessor, atLeast: least },
    },
    limit,
    {
      measure: `${atOnce} at once, lost or stalled`,
      unit: 'connects',
      of: lostOrStalled,
      goal: no,
    },
    ...(atOnce === 8 ? [] : [worst]),
  ]
}

/** All contenders in turn, round after round, so that a machine in a bad mood is so to all. */
export const measureConnects = async (
  contenders: readonly Contender[],
  rounds: number,
): Promise<readonly Row[]> => {
  const rows: Row[] = []
  for (const atOnce of quickTotals.keys()) {
    const questions = atOnce === 1 ? oneByOne : crowd(atOnce)
    const values = questions.map(() => new Map<string, readonly number[]>())
    const asked = contenders.filter(({ pace }) => atOnce <= atOnceMax[pace])
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of asked) {
        const before = contender.cpuUs()
        const load = await contender.check({ atOnce, total: totalOf(contender, atOnce) })
        const cpuUs = contender.cpuUs() - before
        for (const [index, { of }] of questions.entries()) {
          noted(values[index] ?? new Map(), contender.name, of(load, cpuUs))
        }
      }
    }
    for (const [index, { measure, unit, goal }] of questions.entries()) {
      rows.push({ measure, unit, goal, values: values[index] ?? new Map() })
    }
  }
  return rows
}
