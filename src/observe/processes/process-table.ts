/**
 * The processes of this machine, raw: the only door to /proc and to signal 0.
 *
 * A process is held by an open descriptor of its /proc/PID/stat: reading it again costs a few
 * microseconds, and fails for ever (ESRCH) once that very process is gone, even when its number has
 * been given to another process. That file and the list of children never wait for a disk or for
 * the process, so that they are read on the spot; what may wait (cmdline takes the process's memory
 * lock) is asynchronous.
 *
 * In a shortage (of descriptors, for one) nothing can be told of a process, not even that it is
 * hidden or gone: a startup process not counted would make a primary of a crash restart. So this is
 * thrown, and ends the look.
 */
import { close as closeFile, closeSync, open, openSync } from 'node:fs'
import { read as readAt, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { readlink, stat } from 'node:fs/promises'
import { uptime } from 'node:os'
import { basename, join } from 'node:path'
import {
  decodeProcessActivity,
  type ProcessActivity,
  decodeProcessStat,
  type ProcessStat,
} from '../../facts/decode/process-stat.ts'
import type { Pid, Ticks, UnixMs } from '../../facts/units.ts'
import { called, inodeOf } from '../files/disk.ts'
import { errorCode, meansAbsent, nullIfRefused, throwShortage } from '../system/system-error.ts'

export type ProcessHandle = {
  readonly pid: Pid
  readonly started: Ticks
  /** `gone` once the process has been reaped, and after close(). Throws in a shortage of memory. */
  readonly read: () => ProcessStat | 'gone'
  readonly close: () => void
}

export type ProcessTable = {
  /** False where there is no /proc: then only answersSignal() works. */
  readonly visible: boolean
  readonly open: (pid: Pid) => ProcessHandle | 'gone' | 'invisible'
  readonly answersSignal: (pid: Pid) => boolean
  /** It answers signal 0 and runs as our own user. */
  readonly maySignal: (pid: Pid) => boolean
  /** The table of System V shared memory; empty where there is none. */
  readonly sharedMemory: () => string
  /** Null if it can't be read. */
  readonly activity: (pid: Pid) => ProcessActivity | null
  /** `device:inode`; null when the link may not be read. */
  readonly workingDirectory: (pid: Pid) => Promise<string | null>
  /** Base name of the program file; null when the link may not be read. */
  readonly program: (pid: Pid) => Promise<string | null>
  /** In order of birth; null when they can't be listed. */
  readonly children: (pid: Pid) => readonly Pid[] | null
  /**
   * Arguments or process title, NUL-padded and cut; empty for a zombie or a process that is gone.
   */
  readonly commandLine: (pid: Pid) => Promise<string>
  readonly startedAt: (started: Ticks) => UnixMs
  /** How long ago that was; true to about 10 ms, however the clock is set. */
  readonly ageMs: (started: Ticks) => number
}

/** USER_HZ: what the kernel shows to programs is in hundredths of a second on every Linux. */
const tickMs = 10
/** 52 fields of at most 20 digits, and a name of 15 characters (64 on some kernel threads). */
const statBytesMax = 1200

export const openProcessTable = (root = '/proc'): ProcessTable => {
  const ageMs = createAge(root)
  return {
    visible: statSync(join(root, 'self', 'stat'), { throwIfNoEntry: false }) !== undefined,
    open: pid => openProcess(root, pid),
    answersSignal: pid => signal(pid) !== 'gone',
    maySignal: pid => signal(pid) === 'ours',
    sharedMemory: () =>
      permittedAtOnce(() => readFileSync(join(root, 'sysvipc', 'shm'), 'latin1')) ?? '',
    activity: pid =>
      decodeProcessActivity(
        permittedAtOnce(() => readFileSync(join(root, String(pid), 'status'), 'latin1')) ?? '',
      ),
    workingDirectory: pid =>
      nullIfRefused(async () =>
        inodeOf(await stat(join(root, String(pid), 'cwd'), { bigint: true })),
      ),
    program: pid =>
      nullIfRefused(async () =>
        basename(withoutDeleted(await readlink(join(root, String(pid), 'exe')))),
      ),
    children: pid => listChildren(root, pid),
    commandLine: async pid =>
      (await nullIfRefused(() => readBeginning(join(root, String(pid), 'cmdline')))) ?? '',
    startedAt: started => (Date.now() - ageMs(started)) as UnixMs,
    ageMs,
  }
}

/**
 * Start times count from the boot of the host. /proc/uptime has the time since then, but lxcfs
 * (LXC, Incus, Proxmox) puts that of the container in its place, which is less. The monotonic clock
 * is right there, but for the time that the machine was suspended; and this very process is at
 * least as old as it knows. None of the three is ever too great.
 */
const createAge = (root: string): ((started: Ticks) => number) => {
  let ownStartMs: number | null = null
  const readOwnStart = (): number => {
    const self = decodeProcessStat(
      permittedAtOnce(() => readFileSync(join(root, 'self', 'stat'), 'latin1')) ?? '',
    )
    return self.ok ? self.fact.started * tickMs : 0
  }
  return started => {
    ownStartMs ??= readOwnStart()
    const monotonicMs = Number(process.hrtime.bigint()) / 1e6
    const sinceBootMs = Math.max(uptime() * 1000, monotonicMs, ownStartMs + performance.now())
    return sinceBootMs - started * tickMs
  }
}

const openProcess = (root: string, pid: Pid): ProcessHandle | 'gone' | 'invisible' => {
  let descriptor: number | null
  try {
    descriptor = openSync(join(root, String(pid), 'stat'), 'r')
  } catch (error) {
    throwShortage(error)
    return signal(pid) === 'gone' ? 'gone' : 'invisible'
  }
  const bytes = Buffer.allocUnsafe(statBytesMax)
  const read = (): ProcessStat | 'gone' => {
    if (descriptor === null) return 'gone'
    try {
      const length = readSync(descriptor, bytes, 0, statBytesMax, 0)
      const decoded = decodeProcessStat(bytes.toString('latin1', 0, length))
      return decoded.ok ? decoded.fact : 'gone'
    } catch (error) {
      throwShortage(error)
      return 'gone'
    }
  }
  const close = (): void => {
    if (descriptor !== null) closeSync(descriptor)
    descriptor = null
  }
  let first: ProcessStat | 'gone' = 'gone'
  try {
    first = read()
  } finally {
    if (first === 'gone') close()
  }
  return first === 'gone' ? first : { pid, started: first.started, read, close }
}

/** EPERM is an answer too: the process is there, but belongs to another user. */
const signal = (pid: Pid): 'ours' | 'of another user' | 'gone' => {
  try {
    process.kill(pid, 0)
    return 'ours'
  } catch (error) {
    return errorCode(error) === 'EPERM' ? 'of another user' : 'gone'
  }
}

/** The kernel marks a program file that a package upgrade has replaced. */
const withoutDeleted = (path: string): string => path.replace(/ \(deleted\)$/, '')

/** No title that counts is longer than 200 characters, and what pads it is of no interest. */
const commandLineBytesMax = 4096

/** Three calls where readFile() makes six: each child is asked for its title. */
const readBeginning = async (path: string): Promise<string> => {
  const file = await called<number>(done => open(path, 'r', done))
  const bytes = Buffer.allocUnsafe(commandLineBytesMax)
  try {
    const length = await called<number>(done => readAt(file, bytes, 0, bytes.length, 0, done))
    return bytes.toString('latin1', 0, length)
  } finally {
    closeFile(file, ignore)
  }
}

const ignore = (): void => {}

/** The kernel lists children itself when built with CONFIG_PROC_CHILDREN; else all are asked. */
const listChildren = (root: string, pid: Pid): readonly Pid[] | null => {
  const path = join(root, String(pid), 'task', String(pid), 'children')
  try {
    return readFileSync(path, 'latin1').split(' ').filter(isPid).map(toPid)
  } catch (error) {
    throwShortage(error)
    return meansAbsent(errorCode(error)) ? scanForChildren(root, pid) : null
  }
}

const scanForChildren = (root: string, parent: Pid): readonly Pid[] | null => {
  const entries = permittedAtOnce(() => readdirSync(root))
  if (entries === null) return null
  const born: ProcessStat[] = []
  for (const pid of entries.filter(isPid)) {
    const line = permittedAtOnce(() => readFileSync(join(root, pid, 'stat'), 'latin1'))
    const decoded = decodeProcessStat(line ?? '')
    if (decoded.ok && decoded.fact.parent === parent) born.push(decoded.fact)
  }
  return born.toSorted((one, other) => one.started - other.started).map(child => child.pid)
}

const permittedAtOnce = <Value>(look: () => Value): Value | null => {
  try {
    return look()
  } catch (error) {
    throwShortage(error)
    return null
  }
}

const isPid = (text: string): boolean => /^[1-9]\d*$/.test(text)
const toPid = (text: string): Pid => Number(text) as Pid
