/**
 * The bench: everybody who can be asked for the role of a server, one after the other, on one
 * machine and in one run.
 *
 *   npm run bench              takes about six minutes
 *   npm run bench -- --help    what else there is
 */
import { parseArgs } from 'node:util'
import type { Cluster } from '../harness/cluster.ts'
import { postgresMajors } from '../harness/postgres-binaries.ts'
import { withOpened, type Opened } from '../harness/with-opened.ts'
import { openArena, type Arena } from '../truth/arena.ts'
import { logIn } from '../truth/server-conversation.ts'
import { hasServerPrograms } from '../truth/server-programs.ts'
import { measureConnects } from './connects.ts'
import {
  bareNode,
  findPredecessor,
  names,
  openListener,
  openOurs,
  pgIsReady,
  pgsqlCheck,
  psql,
  type Contender,
  type Listener,
} from './contenders.ts'
import { measureMany } from './many.ts'
import { hasPatroni, openPatroni } from './patroni.ts'
import { printPositions, readPositions } from './positions.ts'
import { judgeRow, printMarkdown, printTable, type Row } from './table.ts'
import { buildTools, type Tools } from './tools.ts'
import {
  measureIdle,
  measureLook,
  measureMemory,
  measureRewriting,
  measureStart,
} from './upkeep.ts'

const usage = `usage: npm run bench -- [options]

  --rounds N   of each measurement, 1 to 20 (default 3)
  --quick      one short round, to see that everything runs; the figures mean little
  --markdown   print the table as Markdown as well
  --positions  instead: how far the positions in the write-ahead log that are read differ from
               those of the servers, on each version, as Markdown; takes two minutes
  --help       print this and exit

The exit code is 0 also if a goal was missed: the table shows that.
`

const major = 15
const backends = 1000
/** As a failure of pg-replstatus itself. */
const exitMistake = 3

const print = (text: string): void => void process.stdout.write(text)
const say = (what: string): void => void process.stderr.write(`bench: ${what}\n`)

type Options = {
  readonly rounds: number
  readonly quick: boolean
  readonly markdown: boolean
  readonly positions: boolean
}

const parse = (argv: readonly string[]): Options | 'help' | { readonly mistake: string } => {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        rounds: { type: 'string', default: '3' },
        quick: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        positions: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return 'help'
    const rounds = Number(values.rounds)
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20)
      return { mistake: `--rounds must be from 1 to 20, but is ${values.rounds}` }
    return { ...values, rounds: values.quick ? 1 : rounds }
  } catch (failure) {
    return { mistake: failure instanceof Error ? failure.message : String(failure) }
  }
}

const openContenders = async (
  tools: Tools,
  { arena, cluster, opened }: { arena: Arena; cluster: Cluster; opened: Opened },
): Promise<{ readonly listeners: readonly Listener[]; readonly others: readonly Contender[] }> => {
  const predecessor = findPredecessor(tools, arena, cluster)
  if (predecessor === null) say('no bgw_replstatus: apt-get install postgresql-15-bgw-replstatus')
  const hasClients = hasServerPrograms('psql', 'pg_isready')
  if (!hasClients) say('no psql, no pg_isready: apt-get install postgresql-15')
  const listeners: Listener[] = []
  const listens = (listener: Listener): void => {
    opened.later(listener.close)
    listeners.push(listener)
  }
  listens(await openOurs(tools, cluster))
  if (predecessor !== null) listens(predecessor)
  listens(await openListener(tools, { name: names.floor, command: [tools.floor] }))
  listens(await openListener(tools, { name: names.node, command: bareNode() }))
  if (!hasPatroni()) say('no Patroni: apt-get install patroni etcd-server')
  const programs = hasClients ? [psql(tools, cluster), pgIsReady(tools, cluster)] : []
  const patroni = hasPatroni() ? [await openPatroni(tools, opened)] : []
  return { listeners, others: [...programs, pgsqlCheck(tools, cluster), ...patroni] }
}

/** So that nobody is measured while he still compiles himself. */
const warmUp = async (listeners: readonly Listener[]): Promise<void> => {
  for (const { check } of listeners) await check({ atOnce: 1, total: 20_000 })
}

const run = ({ rounds, quick }: Options): Promise<readonly Row[]> =>
  withOpened(async opened => {
    const tools = await buildTools()
    const arena = await openArena(major)
    opened.later(arena.close)
    const settings = { max_connections: String(backends + 50) }
    const cluster = await arena.primary(settings)
    opened.later(cluster.destroy)
    const { listeners, others } = await openContenders(tools, { arena, cluster, opened })
    const ours = listeners.filter(({ name }) => name === names.ours)
    const pids = new Map(listeners.map(({ name, pid }) => [name, pid]))
    const idleSeconds = quick ? 2 : 30
    const calmSeconds = quick ? 1 : 15

    say('connects')
    await warmUp(listeners)
    const connects = await measureConnects([...listeners, ...others], rounds)
    say('memory')
    const memory = await measureMemory(tools, cluster, { rounds, calmSeconds })
    say('upkeep')
    const idle = await measureIdle(pids, idleSeconds)
    const look = await measureLook(cluster)
    const start = await measureStart(tools, cluster, rounds)
    say(`${backends} backends`)
    const crowded = await withBackends(cluster.port, async () => [
      ...(await measureConnects(ours, rounds)).filter(({ measure }) => isOneByOne(measure)),
      ...(await measureLook(cluster)),
      ...(await measureIdle(new Map(ours.map(({ name, pid }) => [name, pid])), idleSeconds)),
    ])
    say('a busy standby')
    const standby = await arena.standby(settings)
    opened.later(standby.destroy)
    const watcher = await openOurs(tools, standby, 'standby')
    opened.later(watcher.close)
    const busy = await measureRewriting(standby, watcher.pid)

    say('many clusters')
    const stopped = await arena.stopped()
    opened.later(stopped.destroy)
    const many = await measureMany(tools, cluster, { stopped, rounds, seconds: idleSeconds })

    const alone = [...connects, ...memory, ...idle, ...look, busy, start]
    return [...alone, ...crowded.map(row => besideAlone(row, alone)), ...many]
  })

const isOneByOne = (measure: string): boolean => /^one by one|^processor/.test(measure)

/** What was measured in a crowd of backends, beside the same without one. */
const besideAlone = (row: Row, alone: readonly Row[]): Row => {
  const same = alone.find(({ measure, unit }) => measure === row.measure && unit === row.unit)
  const values = new Map<string, readonly number[]>([
    [names.ours, row.values.get(names.ours) ?? []],
  ])
  const without = same?.values.get(names.ours)
  if (without !== undefined) values.set(names.alone, without)
  return { ...row, measure: `${row.measure}, ${backends} backends`, values, goal: null }
}

/** While so many sessions are open and idle. */
const withBackends = <Value>(port: number, act: () => Promise<Value>): Promise<Value> =>
  withOpened(async opened => {
    for (let count = 0; count < backends; count += 1) {
      const session = await logIn(port, 5000)
      if (typeof session === 'string') throw new Error(`session ${count}: ${session}`)
      opened.later(async () => session.close())
    }
    return act()
  })

const readingsOfEach = 500

const runPositions = async ({ quick }: Options): Promise<void> => {
  const all = []
  for (const version of postgresMajors) {
    say(`positions of PostgreSQL ${version}`)
    all.push(...(await readPositions(version, quick ? 10 : readingsOfEach)))
  }
  print(printPositions(all))
}

const main = async (): Promise<number> => {
  const options = parse(process.argv.slice(2))
  if (options === 'help') {
    print(usage)
    return 0
  }
  if ('mistake' in options) {
    process.stderr.write(`bench: ${options.mistake}\nhint: npm run bench -- --help\n`)
    return exitMistake
  }
  if (options.positions) {
    await runPositions(options)
    return 0
  }
  const rows = await run(options)
  print(printTable(rows))
  if (options.markdown) print(printMarkdown(rows))
  const missed = rows.filter(row => judgeRow(row).kept === false).length
  print(missed === 0 ? 'all goals kept\n' : `${missed} goals missed\n`)
  return 0
}

try {
  process.exitCode = await main()
} catch (failure) {
  process.stderr.write(`bench: ${failure instanceof Error ? failure.message : String(failure)}\n`)
  process.exitCode = 1
}
