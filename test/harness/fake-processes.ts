/** A process table made up for tests, in which processes live, stop and die as the test says. */
import type { ProcessActivity, ProcessStat } from '../../src/facts/decode/process-stat.ts'
import type { Pid, Ticks, UnixMs } from '../../src/facts/units.ts'
import type { ProcessHandle, ProcessTable } from '../../src/observe/processes/process-table.ts'
import { noon } from './evidence.ts'

export type FakeProcess = {
  readonly pid: number
  comm?: string
  state?: ProcessStat['state']
  started?: number
  commandLine?: string
  program?: string | null
  workingDirectory?: string | null
  children?: readonly number[] | null
  titleRoom?: number | null
  /** Hidden in /proc, but answers signals. */
  hidden?: boolean
  /** Belongs to another user. */
  foreign?: boolean
  activity?: ProcessActivity | null
}

export type FakeProcesses = {
  readonly table: ProcessTable
  /** Adds a process, or replaces the one of the same number. */
  readonly add: (process: FakeProcess) => FakeProcess
  readonly remove: (pid: number) => void
  /** How many handles are open, how often children were listed, how many titles were read. */
  readonly open: () => number
  readonly counts: () => number
  readonly titlesRead: () => number
  /** Sets the table of shared memory. */
  readonly setSharedMemory: (table: string) => void
  /** Sets how many ticks have passed since boot; 10,000 unless it is set. */
  readonly setNow: (ticks: number) => void
}

export const fakeProcesses = ({ visible = true } = {}): FakeProcesses => {
  const processes = new Map<number, FakeProcess>()
  const handles = new Set<ProcessHandle>()
  let titlesRead = 0
  let counts = 0
  let nowTicks = 10_000
  let sharedMemory = ''
  const find = (pid: Pid) => processes.get(pid)

  const open = (pid: Pid): ProcessHandle | 'gone' | 'invisible' => {
    const mine = find(pid)
    if (mine === undefined) return 'gone'
    if (mine.hidden === true) return 'invisible'
    const { started = 0 } = mine
    const handle: ProcessHandle = {
      pid,
      started: started as Ticks,
      read: () => (handles.has(handle) && find(pid) === mine ? statOf(mine) : 'gone'),
      close: () => {
        handles.delete(handle)
      },
    }
    handles.add(handle)
    return handle
  }

  return {
    table: {
      visible,
      open,
      answersSignal: pid => processes.has(pid),
      maySignal: pid => processes.has(pid) && find(pid)?.foreign !== true,
      sharedMemory: () => sharedMemory,
      activity: pid => find(pid)?.activity ?? null,
      workingDirectory: pid => Promise.resolve(find(pid)?.workingDirectory ?? null),
      program: pid => Promise.resolve(find(pid)?.program ?? null),
      children: pid => {
        counts += 1
        const children = find(pid)?.children
        return children === undefined ? [] : (children as readonly Pid[] | null)
      },
      commandLine: pid => {
        titlesRead += 1
        return Promise.resolve(find(pid)?.commandLine ?? '')
      },
      startedAt: started => (noon + started * 10) as UnixMs,
      ageMs: started => (nowTicks - started) * 10,
    },
    add: process => {
      processes.set(process.pid, process)
      return process
    },
    remove: pid => {
      processes.delete(pid)
    },
    open: () => handles.size,
    counts: () => counts,
    titlesRead: () => titlesRead,
    setSharedMemory: table => {
      sharedMemory = table
    },
    setNow: ticks => {
      nowTicks = ticks
    },
  }
}

const statOf = ({
  pid,
  comm = 'postgres',
  state = 'running',
  started = 0,
  titleRoom = 1000,
}: FakeProcess): ProcessStat => ({
  pid: pid as Pid,
  comm,
  state,
  parent: 1,
  started: started as Ticks,
  titleRoom,
})

/**
 * A postmaster of the directory with this inode, with children of these titles. A blank follows
 * the name of a process without an activity, as with real ones.
 */
export const addPostmaster = (
  processes: FakeProcesses,
  { pid, inode, titles }: { pid: number; inode: string; titles: readonly string[] },
): FakeProcess => {
  const children = titles.map((title, index) => {
    const child = {
      pid: pid + 1 + index,
      started: 1 + index,
      commandLine: `postgres: ${/^[a-z ]+$/.test(title) ? `${title} ` : title}\0\0`,
    }
    return processes.add(child).pid
  })
  return processes.add({
    pid,
    program: 'postgres',
    commandLine: 'postgres\0-D\0/pgdata\0',
    workingDirectory: inode,
    children,
  })
}
