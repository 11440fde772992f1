/**
 * The referee: does to real servers what happens to them, asks them, us and others all the while,
 * and tells who was wrong, and for how long.
 *
 *   npm run truth              every scenario on the versions that matter most
 *   npm run truth -- --help    what else there is
 */
import { availableParallelism } from 'node:os'
import { openArena } from './arena.ts'
import { playChain } from './chain.ts'
import { allowWholeMachine, missingFor, missingPredecessor } from './needs.ts'
import { parseOptions, usage, type Options } from './options.ts'
import { appliesTo, lateInTheMedian, play, type Outcome } from './play.ts'
import { faultLines, heading, markdownTable, outcomeLines } from './report.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { createTurns } from './turns.ts'

/** One more than processors: a server that starts also waits for its disk. */
const lanes = availableParallelism() + 1

/** As pg-replstatus itself. */
const exitMistake = 3

const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** Where nobody reads what is printed, nothing may be left out. */
const leaveOut = (what: string, why: string): void => {
  if (process.env['CI']) throw new Error(`${what}: ${why} (nothing is left out where CI is set)`)
  process.stderr.write(`NOT TESTED: ${what}: ${why}\n`)
}

const isPlayable = (scenario: Scenario): boolean => {
  const missing = missingFor(scenario)
  if (missing.length > 0) leaveOut(scenario.name, missing.join('; '))
  return missing.length === 0
}

/** What the whole machine feels, servers of other plays feel as well. */
const isFeltByAll = ({ needs = [] }: Scenario): boolean => needs.includes('whole machine')

const inOrder = ({ scenario }: Outcome): number =>
  scenarios.findIndex(({ name }) => name === scenario)

const playAll = async (options: Options): Promise<readonly Outcome[]> => {
  const { majors, random } = options
  const playable = random === null ? options.scenarios.filter(isPlayable) : []
  const outcomes: Outcome[] = []
  const tell = (outcome: Outcome): void => {
    outcomes.push(outcome)
    for (const line of outcomeLines(outcome)) print(line)
  }
  print(heading())
  for (const major of majors) {
    const arena = await openArena(major)
    try {
      const applying = playable.filter(one => appliesTo(one, major))
      const stage = { arena, turns: createTurns(lanes), print }
      const playAndTell = async (scenario: Scenario) => tell(await play(scenario, stage))
      await Promise.all(applying.filter(one => !isFeltByAll(one)).map(playAndTell))
      for (const scenario of applying.filter(isFeltByAll)) await playAndTell(scenario)
      if (random !== null) tell(await playChain(arena, random, print))
    } finally {
      await arena.close()
    }
  }
  return outcomes.toSorted((one, other) => inOrder(one) - inOrder(other))
}

const main = async (): Promise<number> => {
  const argv = process.argv.slice(2)
  if (argv.includes('--help')) {
    process.stdout.write(usage)
    return 0
  }
  const asked = parseOptions(argv, scenarios)
  if ('mistake' in asked) {
    process.stderr.write(`truth: ${asked.mistake}\nhint: npm run truth -- --help\n`)
    return exitMistake
  }
  if ('list' in asked) {
    for (const { name } of scenarios) print(name)
    return 0
  }
  if (asked.wholeMachine) allowWholeMachine()
  const predecessor = missingPredecessor()
  if (predecessor !== null) leaveOut('the comparison', predecessor)
  const outcomes = await playAll(asked)
  if (asked.markdown) for (const line of markdownTable(outcomes)) print(line)
  const late = asked.scenarios.flatMap(scenario => lateInTheMedian(scenario, outcomes))
  // Once more where the end of a long log shows them.
  for (const line of outcomes.flatMap(faultLines)) print(line)
  for (const fault of late) print(`    WRONG  ${fault}`)
  const failed = outcomes.filter(({ faults }) => faults.length > 0).length
  print(`${outcomes.length - failed} passed, ${failed} failed`)
  return failed + late.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (failure) {
  process.stderr.write(`truth: ${failure instanceof Error ? failure.message : String(failure)}\n`)
  process.exitCode = 1
}
