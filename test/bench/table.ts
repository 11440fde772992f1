/** Measurements as a table: a column for each contender, and what the goal says to ours. */
import { median } from '../truth/judge.ts'
import { names } from './contenders.ts'

/** Where to be: so many times another contender's value, or a value of its own. */
export type Goal =
  | { readonly than: string; readonly atMost?: number; readonly atLeast?: number }
  | { readonly than: null; readonly atMost: number }

export type Row = {
  readonly measure: string
  readonly unit: string
  /** By contender, a value for each round. */
  readonly values: ReadonlyMap<string, readonly number[]>
  readonly goal: Goal | null
}

/** Adds a round's value to a row. */
export const noted = (
  values: Map<string, readonly number[]>,
  contender: string,
  value: number,
): void => void values.set(contender, [...(values.get(contender) ?? []), value])

type Judged = {
  readonly ratio: number | null
  /** The lowest and the highest ratio of a round, if each contender had each round. */
  readonly spread: readonly [number, number] | null
  readonly kept: boolean | null
}

/** `kept` is null when there is no goal, or nobody to compare with. */
export const judgeRow = ({ values, goal }: Row): Judged => {
  const ours = values.get(names.ours)
  if (goal === null || ours === undefined) return { ...unjudged, kept: null }
  if (goal.than === null) return { ...unjudged, kept: median(ours) <= goal.atMost }
  const theirs = values.get(goal.than)
  if (theirs === undefined) return { ...unjudged, kept: null }
  const ratio = median(ours) / median(theirs)
  const { atMost = Infinity, atLeast = 0 } = goal
  const spread = spreadOf(ours, theirs)
  return { ratio, spread, kept: ratio <= atMost && ratio >= atLeast }
}

const unjudged = { ratio: null, spread: null } as const

const spreadOf = (ours: readonly number[], theirs: readonly number[]): Judged['spread'] => {
  if (ours.length < 2 || ours.length !== theirs.length) return null
  const ratios = ours.map((value, round) => value / (theirs[round] ?? NaN))
  return [Math.min(...ratios), Math.max(...ratios)]
}

const printRatio = ({ ratio, spread }: Judged): string => {
  if (ratio === null) return ''
  if (spread === null) return printNumber(ratio)
  return `${printNumber(ratio)} (${spread.map(printNumber).join(' to ')})`
}

/** Three digits are all that a measurement of this kind can mean. */
const printNumber = (value: number): string => {
  if (value !== 0 && Math.abs(value) < 0.01) return value.toExponential(0)
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toFixed(digits)
}

const printGoal = (goal: Goal | null): string => {
  if (goal === null) return ''
  if (goal.than === null) return `at most ${goal.atMost}`
  const { than, atMost, atLeast } = goal
  const times = atMost === undefined ? `at least ${atLeast}` : `at most ${printNumber(atMost)}`
  return `${times} x ${than}`
}

const verdicts = new Map([
  [true, 'kept'],
  [false, 'MISSED'],
])

const cellsOf = (row: Row, contenders: readonly string[]): readonly string[] => {
  const judged = judgeRow(row)
  const { kept } = judged
  const verdict = kept === null ? '' : (verdicts.get(kept) ?? '')
  return [
    `${row.measure}, ${row.unit}`,
    ...contenders.map(name => {
      const values = row.values.get(name)
      return values === undefined ? '' : printNumber(median(values))
    }),
    printRatio(judged),
    printGoal(row.goal),
    verdict,
  ]
}

const columnsOf = (rows: readonly Row[]): readonly string[] =>
  Object.values(names).filter(name => rows.some(({ values }) => values.has(name)))

const headings = (contenders: readonly string[]): readonly string[] => [
  'median of all rounds',
  ...contenders,
  'ratio (of the rounds)',
  'goal',
  '',
]

export const printTable = (rows: readonly Row[]): string => {
  const contenders = columnsOf(rows)
  const lines = [headings(contenders), ...rows.map(row => cellsOf(row, contenders))]
  const widths = lines[0]?.map((_, column) =>
    Math.max(...lines.map(cells => cells[column]?.length ?? 0)),
  )
  const isText = (column: number): boolean => column === 0 || column > contenders.length + 1
  const aligned = (cell: string, column: number): string => {
    const width = widths?.[column] ?? 0
    return isText(column) ? cell.padEnd(width) : cell.padStart(width)
  }
  return lines.map(cells => `${cells.map(aligned).join('  ').trimEnd()}\n`).join('')
}

export const printMarkdown = (rows: readonly Row[]): string => {
  const contenders = columnsOf(rows)
  const lines = [
    headings(contenders),
    headings(contenders).map((_, column) => (column === 0 ? '---' : '--:')),
    ...rows.map(row => cellsOf(row, contenders)),
  ]
  return lines.map(cells => `| ${cells.join(' | ')} |\n`).join('')
}
