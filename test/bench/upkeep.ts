/** What the program costs while nobody asks: memory, processor, wake-ups; and how soon it is up. */
import { writeSync, openSync, closeSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../harness/cluster.ts'
import { daemonProgram } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { spawnLeashed } from '../harness/leash.ts'
import { runProgram, serverEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { until } from '../harness/until.ts'
import { cpuUsOf, residentMibOf, wakeUpsOf } from './accounting.ts'
import { bareNode, names, openListener, openOurs } from './contenders.ts'
import { noted, type Goal, type Row } from './table.ts'
import { askPort, type Tools } from './tools.ts'

type Values = Map<string, readonly number[]>

const flood = { atOnce: 64, total: 100_000 } as const
/** A Node process that does nothing at all. */
const openIdleNode = async (): Promise<{ readonly pid: number; readonly close: () => void }> => {
  const command = [process.execPath, '-e', 'setInterval(() => {}, 2 ** 30); console.error(1)']
  const child = spawnLeashed(command, { cwd: '/', env: serverEnvironment() })
  await new Promise(resolve => child.stderr.once('data', resolve))
  return { pid: child.pid ?? 0, close: () => void child.kill('SIGKILL') }
}

/** Beside a bare listener that is asked the same, and a Node process that does nothing. */
export const measureMemory = async (
  tools: Tools,
  cluster: Cluster,
  { rounds, calmSeconds }: { readonly rounds: number; readonly calmSeconds: number },
): Promise<readonly Row[]> => {
  const started: Values = new Map()
  const flooded: Values = new Map()
  const calm: Values = new Map()
  for (let round = 0; round < rounds; round += 1) {
    const idle = await openIdleNode()
    const bare = await openListener(tools, { name: names.node, command: bareNode() })
    const ours = await openOurs(tools, cluster)
    const note = (values: Values): void => {
      noted(values, names.ours, residentMibOf(ours.pid))
      noted(values, names.node, residentMibOf(bare.pid))
      noted(values, names.idle, residentMibOf(idle.pid))
    }
    note(started)
    for (const one of [bare, ours]) await one.check(flood)
    note(flooded)
    // V8 tidies up when nothing has happened for eight seconds.
    await sleep(calmSeconds * 1000)
    note(calm)
    idle.close()
    await bare.close()
    await ours.close()
  }
  const what = 'memory after 100,000 answers'
  return [
    { measure: 'memory when started', unit: 'MiB', values: started, goal: null },
    { measure: what, unit: 'MiB', values: flooded, goal: null },
    {
      measure: `${what} and ${calmSeconds} s of rest`,
      unit: 'MiB',
      values: calm,
      goal: { than: names.idle, atMost: 1.2 },
    },
  ]
}

/** Over so long, in percent of a processor, and wake-ups a second. */
export const watchProcess = async (pid: number, seconds: number) => {
  const cpuUs = cpuUsOf(pid)
  const wakeUps = wakeUpsOf(pid)
  await sleep(seconds * 1000)
  return {
    percent: (cpuUsOf(pid) - cpuUs) / (seconds * 10_000),
    wakeUps: (wakeUpsOf(pid) - wakeUps) / seconds,
  }
}

export const measureIdle = async (pids: ReadonlyMap<string, number>, seconds: number) => {
  const percent: Values = new Map()
  const wakeUps: Values = new Map()
  await Promise.all(
    Array.from(pids, async ([name, pid]) => {
      const seen = await watchProcess(pid, seconds)
      noted(percent, name, seen.percent)
      noted(wakeUps, name, seen.wakeUps)
    }),
  )
  return [
    { measure: 'idle', unit: '% of a core', values: percent, goal: { than: null, atMost: 0.1 } },
    { measure: 'idle, wake-ups', unit: 'per s', values: wakeUps, goal: null },
  ] satisfies readonly Row[]
}

const rewriteEveryMs = 10
const rewriteSeconds = 15

/** The control file as it is, over and over: what a busy standby does at each restartpoint. */
const rewriting = async (cluster: Cluster, act: () => Promise<void>): Promise<void> => {
  const path = join(cluster.dataDirectory, 'global/pg_control')
  const timer = setInterval(() => {
    const bytes = readFileSync(path)
    const file = openSync(path, 'r+')
    writeSync(file, bytes, 0, bytes.length, 0)
    closeSync(file)
  }, rewriteEveryMs)
  try {
    await act()
  } finally {
    clearInterval(timer)
  }
}

/** `cluster` is a standby, and `pid` who watches it. In turn, or two would share processors. */
export const measureRewriting = async (cluster: Cluster, pid: number): Promise<Row> => {
  const values: Values = new Map()
  const watched = (name: string, one: number): Promise<void> =>
    rewriting(cluster, async () => {
      noted(values, name, (await watchProcess(one, rewriteSeconds)).percent)
    })
  await watched(names.ours, pid)
  const program = join(repositoryRoot(), '.build/test/bench/naive-watch.js')
  const naive = spawnLeashed([process.execPath, program, cluster.dataDirectory], { cwd: '/' })
  await new Promise(resolve => naive.stderr.once('data', resolve))
  await watched(names.naive, naive.pid ?? 0)
  naive.kill('SIGKILL')
  const measure = 'control file rewritten 100 times a second'
  return { measure, unit: '% of a core', values, goal: { than: null, atMost: 4 } }
}

const lookCount = 500

export const measureLook = async (cluster: Cluster, note = ''): Promise<readonly Row[]> => {
  const program = join(repositoryRoot(), '.build/test/bench/look-timer.js')
  const args = [program, cluster.dataDirectory, String(lookCount)]
  const printed = await runProgram({ program: process.execPath, args, cwd: '/' })
  const { medianMs, p99Ms } = JSON.parse(printed) as { medianMs: number; p99Ms: number }
  const row = (what: string, value: number, atMost: number): Row => ({
    measure: `a check${note}, ${what}`,
    unit: 'ms',
    values: new Map([[names.ours, [value]]]),
    goal: { than: null, atMost },
  })
  return [row('median', medianMs, 0.3), row('p99', p99Ms, 1)]
}

const startsPerRound = 3

/** From fork() to the first byte, asked without a pause. */
export const timeStart = async (
  tools: Tools,
  command: (port: number) => readonly string[],
): Promise<number> => {
  const port = await freePort()
  const began = performance.now()
  const child = spawnLeashed(command(port), { cwd: '/', env: serverEnvironment() })
  const answers = async (): Promise<boolean> =>
    (await askPort(tools, { port, atOnce: 1, total: 1 })).answered === 1
  await until(answers, { what: 'a first answer', everyMs: 1 })
  const ms = performance.now() - began
  child.kill('SIGKILL')
  return ms
}

export const measureStart = async (
  tools: Tools,
  { dataDirectory }: Cluster,
  rounds: number,
): Promise<Row> => {
  const values: Values = new Map()
  for (let start = 0; start < rounds * startsPerRound; start += 1) {
    const ours = (port: number): readonly string[] => {
      const where = ['-D', dataDirectory, '--port', String(port), '--bind', '127.0.0.1']
      return [daemonProgram(), ...where]
    }
    noted(values, names.ours, await timeStart(tools, ours))
    noted(values, names.node, await timeStart(tools, port => [...bareNode(), String(port)]))
  }
  const goal: Goal = { than: names.node, atMost: 1.8 }
  return { measure: 'start to first answer', unit: 'ms', values, goal }
}
