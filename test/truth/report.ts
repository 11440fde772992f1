/** Outcomes as lines of a table, for the screen and for fixtures/docs/referee.md. */
import { max, median, together, type Findings } from './judge.ts'
import type { Outcome } from './play.ts'
import { filesWitness } from './summons.ts'
import { predecessor, probeUnderTest } from './trial.ts'

const headings = ['MASTER', 'STANDBY', 'no answer', 'noticed after', 'answers'] as const

const nameWidth = 62
const probeWidth = 15
const columnWidths = [8, 9, 9, 23, 9] as const

export const heading = (): string =>
  [
    'milliseconds'.padEnd(nameWidth + probeWidth),
    ...headings.map((text, index) => text.padStart(columnWidths[index] ?? 0)),
  ].join('')

/** A line for each probe, and one for each fault. */
export const outcomeLines = (outcome: Outcome): readonly string[] => [
  ...Array.from(outcome.found, ([probe, findings], index) =>
    [
      (index === 0 ? `${outcome.major}  ${outcome.scenario}` : '').padEnd(nameWidth),
      probe.padEnd(probeWidth),
      ...cells(findings).map((text, column) => text.padStart(columnWidths[column] ?? 0)),
    ].join(''),
  ),
  ...faultLines(outcome),
]

export const faultLines = ({ scenario, major, faults }: Outcome): readonly string[] =>
  faults.map(fault => `    WRONG  ${major}  ${scenario}: ${fault}`)

/** Longest wrong MASTER, STANDBY and silence; how soon changes were noticed; answers heard. */
export const cells = (found: Findings): readonly string[] => {
  const { primary, standby, nobody } = found.noticeMs
  return [
    printMs(Math.max(found.earlyPrimaryMs, found.wrongPrimaryMs)),
    printMs(found.wrongStandbyMs),
    printMs(found.wrongSilenceMs),
    printSpread([...primary, ...standby, ...nobody]),
    String(found.answers),
  ]
}

const printMs = (ms: number): string => (ms === 0 ? '0' : ms.toFixed(1))

/** Least, median and most. */
const printSpread = (values: readonly number[]): string =>
  values.length === 0
    ? '-'
    : [Math.min(...values), median(values), max(values)].map(ms => ms.toFixed(1)).join(' / ')

/** The table of fixtures/docs/referee.md: each scenario once, over all versions it ran on. */
export const markdownTable = (outcomes: readonly Outcome[]): readonly string[] => {
  const names = [...new Set(outcomes.map(({ scenario }) => scenario))]
  return [
    '| what is done | wrong role | no answer | noticed after | bgw_replstatus | files alone |',
    '| --- | --- | --- | --- | --- | --- |',
    ...names.map(name => markdownRow(name, findingsOf(outcomes, name))),
  ]
}

const findingsOf =
  (outcomes: readonly Outcome[], name: string) =>
  (probe: string): Findings | null => {
    const all = outcomes
      .filter(({ scenario }) => scenario === name)
      .flatMap(({ found }) => found.get(probe) ?? [])
    return all.length === 0 ? null : together(all)
  }

const markdownRow = (name: string, of: (probe: string) => Findings | null): string => {
  const ours = of(probeUnderTest)
  const all = ours === null ? [] : Object.values(ours.noticeMs).flat()
  const noticed =
    all.length === 0 ? '–' : `${median(all).toFixed(1)}, at most ${max(all).toFixed(1)}`
  const silence = ours === null ? '–' : printMs(ours.wrongSilenceMs)
  const others = [predecessor, filesWitness].map(probe => wrongRole(of(probe)))
  return `| ${[name, wrongRole(ours), silence, noticed, ...others].join(' | ')} |`
}

const wrongRole = (found: Findings | null): string =>
  found === null
    ? '–'
    : printMs(Math.max(found.earlyPrimaryMs, found.wrongPrimaryMs, found.wrongStandbyMs))
