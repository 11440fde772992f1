/**
 * The soak: everything clients and limits can do to the port, over and over, with changes of role
 * in between, while somebody asks all the time.
 *
 *   npm run soak                  ten minutes
 *   npm run soak -- --minutes 60  as long as one likes
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { descriptorsOf, residentMibOf } from '../bench/accounting.ts'
import { buildTools } from '../bench/tools.ts'
import { createCluster } from '../harness/cluster.ts'
import { startDaemon } from '../harness/daemon.ts'
import { buildFlood } from '../harness/flood.ts'
import { freePort } from '../harness/free-port.ts'
import { withOpened } from '../harness/with-opened.ts'
import type { CheckTally } from './attacks.ts'
import { phases } from './phases.ts'
import { startRegular, type Tally } from './regular.ts'

const usage = `usage: npm run soak -- [--minutes N]

  --minutes N   how long, 1 to 1440 (default 10); a round that has begun is finished
  --help        print this and exit

The exit code is 1 if an answer was wrong or missing, or memory or descriptors were leaked.
`

const major = 15
/** V8 tidies up when nothing has happened for eight seconds. */
const calmMs = 15_000
/**
 * Of the lowest at rest in the second half over the lowest in the first: what a leak raises is the
 * lowest. Before four rounds a heap is still finding its size, and only a limit can be told.
 */
const growthMax = 1.15
const roundsToTellGrowth = 4
const residentMibMax = 128
/** The client that asks all the time may be connected while they are counted. */
const regularMax = 1
const exitMistake = 3

const print = (line: string): void => void process.stdout.write(`${line}\n`)

type State = { readonly mib: number; readonly descriptors: number }

const heading =
  'elapsed  MiB    descriptors  answers   wrong  missing  excused   checks  lost  what was done'

type Row = {
  readonly elapsedMs: number
  readonly state: State
  readonly tally: Tally
  readonly checks: CheckTally
}

const rowOf = ({ elapsedMs, state, tally, checks }: Row, what: string): string =>
  [
    `${(elapsedMs / 1000).toFixed(0)} s`.padStart(7),
    state.mib.toFixed(1).padStart(6),
    String(state.descriptors).padStart(12),
    String(tally.right).padStart(8),
    String(tally.wrong).padStart(7),
    String(tally.missing).padStart(8),
    String(tally.excused).padStart(8),
    String(checks.answered).padStart(8),
    String(checks.lost).padStart(5),
    ` ${what}`,
  ].join(' ')

const soak = (minutes: number): Promise<readonly string[]> =>
  withOpened(async opened => {
    const tools = await buildTools()
    const cluster = await createCluster({ major })
    opened.later(cluster.destroy)
    await cluster.start()
    const http = await freePort()
    const flooder = await buildFlood()
    const daemon = await startDaemon({
      dataDirectory: cluster.dataDirectory,
      args: ['--http', `127.0.0.1:${http}`],
    })
    opened.later(daemon.stop)
    await daemon.until('primary')
    const regular = startRegular(daemon.port)
    opened.later(regular.stop)
    const state = (): State => ({
      mib: residentMibOf(daemon.pid),
      descriptors: descriptorsOf(daemon.pid),
    })
    const began = performance.now()
    const elapsed = (): number => performance.now() - began
    const checks = { answered: 0, lost: 0 }
    const report = (what: string): void => {
      const row = { elapsedMs: elapsed(), state: state(), tally: regular.tally(), checks }
      print(rowOf(row, what))
    }
    print(heading)
    report('nothing yet')
    const rests: State[] = []
    const faults: string[] = []
    while (elapsed() < minutes * 60_000) {
      for (const { name, play } of phases) {
        const found = await play({ cluster, daemon, regular, tools, http, flooder, checks })
        faults.push(...found.map(fault => `${name}: ${fault}`))
        report(name)
      }
      await sleep(calmMs)
      rests.push(state())
      report('rest')
    }
    const all = [...faults, ...leftBehind(rests), ...broken(regular.tally())]
    if (all.length > 0) for (const line of daemon.log()) print(line)
    return all
  })

const leftBehind = (rests: readonly State[]): readonly string[] => {
  const [first, last] = [rests[0], rests.at(-1)]
  if (first === undefined || last === undefined) return ['not a single round was finished']
  return [
    ...(last.descriptors > first.descriptors + regularMax
      ? [`${last.descriptors} descriptors at the end, ${first.descriptors} after the first round`]
      : []),
    ...grown(rests.map(({ mib }) => mib)),
  ]
}

const grown = (mibs: readonly number[]): readonly string[] => {
  const half = Math.floor(mibs.length / 2)
  const [before, after] = [mibs.slice(0, half), mibs.slice(half)].map(some => Math.min(...some))
  const most = Math.max(...mibs)
  if (most > residentMibMax) return [`${most.toFixed(1)} MiB at rest, at most ${residentMibMax}`]
  if (mibs.length < roundsToTellGrowth || before === undefined || after === undefined) return []
  return after > before * growthMax
    ? [`${after.toFixed(1)} MiB at rest in the second half, ${before.toFixed(1)} in the first`]
    : []
}

const broken = ({ wrong, missing, lastFault }: Tally): readonly string[] =>
  wrong + missing === 0
    ? []
    : [`${wrong} wrong answers, ${missing} missing; the last one: ${lastFault ?? ''}`]

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const minutes = Number(values.minutes)
  if (!(minutes >= 1 && minutes <= 1440)) {
    process.stderr.write(`soak: --minutes must be from 1 to 1440, but is ${values.minutes}\n`)
    return exitMistake
  }
  const faults = await soak(minutes)
  for (const fault of faults) print(`FAILED  ${fault}`)
  print(faults.length === 0 ? 'no leaks, no wrong answers' : `${faults.length} failures`)
  return faults.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (failure) {
  process.stderr.write(`soak: ${failure instanceof Error ? failure.message : String(failure)}\n`)
  process.exitCode = 1
}
