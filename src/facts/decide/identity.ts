/**
 * Whether a live process is the postmaster that a lock file names. A pid alone is no identity:
 * after a crash and a reboot it may belong to any process, and a restarted container assigns the
 * same small numbers again.
 */
import { printDuration, type UnixMs } from '../units.ts'
import { plainText } from '../visible-text.ts'
import type { LockFile } from '../decode/lock-file.ts'
import type { ProcessStat } from '../decode/process-stat.ts'
import type { PostmasterSighting } from './sightings.ts'

/** A process, as /proc shows it. */
export type ProcessTraits = {
  readonly stat: ProcessStat
  readonly startedAt: UnixMs
  /** Base name of the program file; null if the link may not be read. */
  readonly program: string | null
  /** `device:inode` of the working directory; null if the link may not be read. */
  readonly workingDirectory: string | null
  /** It created the shared memory segment that the lock file names: see shared-memory.ts. */
  readonly createdSharedMemory: boolean
  /** The value of -D on its command line. */
  readonly dataDirectory: string | null
  /** Whether we may send it signals: it runs as our own user. */
  readonly ours: boolean
  readonly binaryUpgrade: boolean
}

/** The lock file has whole seconds, /proc hundredths; the rest is for a clock being slewed. */
const sameStartWithinMs = 3000

/**
 * The postmaster changes into its data directory (ChangeToDataDir() in miscinit.c) and stays
 * there, so the directory's inode decides, whatever the program is called: Nix starts it as
 * `.postgres-wrapped`. If that link can't be read, because the server runs with another group or
 * below a name of its own, the kernel's table of shared memory decides. Without it (another IPC
 * namespace) the name is needed, and the directory on the command line or the start time. A start
 * time that does not match is not final: setting the clock moves it.
 */
export const recognise = (
  traits: ProcessTraits,
  { lockFile, directoryInode }: { lockFile: LockFile; directoryInode: string },
): PostmasterSighting => {
  const { stat, startedAt, program, workingDirectory, createdSharedMemory, binaryUpgrade } = traits
  const hasServerName = serverName.test(stat.comm) || serverName.test(program ?? '')
  const isServer = hasServerName || createdSharedMemory
  const aliveBy = (how: AliveBy): PostmasterSighting => {
    return { kind: 'alive', how, started: stat.started, startedAt, isServer, binaryUpgrade }
  }
  const otherProgram = `it is ${plainText(program ?? stat.comm)}`
  if (workingDirectory !== null) {
    if (workingDirectory === directoryInode) return aliveBy('working directory')
    const because = hasServerName
      ? 'it is a PostgreSQL server of another data directory'
      : otherProgram
    return { kind: 'not the postmaster', because }
  }
  if (createdSharedMemory) return aliveBy('shared memory')
  if (!hasServerName) return { kind: 'not the postmaster', because: otherProgram }
  if (traits.ours && traits.dataDirectory !== null && isNamedBy(lockFile, traits.dataDirectory))
    return aliveBy('command line')
  if (lockFile.startTime === null) {
    return { kind: 'not the postmaster', because: 'its working directory could not be read' }
  }
  const apartMs = startedAt - lockFile.startTime * 1000
  if (Math.abs(apartMs) <= sameStartWithinMs) return aliveBy('name and start time')
  const span = printDuration(Math.abs(apartMs))
  const order = apartMs > 0 ? 'after' : 'before'
  const because = `it started ${span} ${order} the time in the lock file, and its working directory could not be read`
  return { kind: 'not the postmaster', because }
}

type AliveBy = Extract<PostmasterSighting, { kind: 'alive' }>['how']

/** postgres, postmaster, edb-postgres, .postgres-wrapped: packagers have many names. */
const serverName = /postgres|postmaster/

const isNamedBy = ({ dataDirectory }: LockFile, argument: string): boolean =>
  dataDirectory !== null && withoutEnd(argument) === withoutEnd(dataDirectory)

const withoutEnd = (path: string): string => path.replace(/\/+$/, '')
