/**
 * Whether a live process is the postmaster that a lock file names. A pid alone is no identity:
 * after a crash and a reboot it may be anybody's, and a restarted container gives out the very
 * same small numbers again.
 */
import { printDuration } from './duration.ts'
import { plainText } from './foreign-text.ts'
import type { LockFile } from './lock-file.ts'
import type { ProcessStat } from './process-stat.ts'
import type { PostmasterSighting } from './sightings.ts'
import type { UnixMs } from './units.ts'

export type Papers = {
  readonly stat: ProcessStat
  readonly startedAt: UnixMs
  /** Base name of the program file; null when the link may not be read. */
  readonly program: string | null
  /** `device:inode` of the working directory; null when the link may not be read. */
  readonly workingDirectory: string | null
}

/** What the server's program may be called; packagers use all three. */
const serverNames: readonly string[] = ['postgres', 'postmaster', 'edb-postgres']

/** The lock file tells whole seconds, /proc hundredths; the rest is for a clock being slewed. */
const sameStartWithinMs = 3000

/**
 * The postmaster changes into its data directory (ChangeToDataDir() in miscinit.c) and stays
 * there, so the directory's inode decides. The start time alone never condemns a process whose
 * directory is right: setting the clock moves it. It has to serve where the link can't be read.
 */
export const recognise = (
  papers: Papers,
  { lockFile, directoryInode }: { lockFile: LockFile; directoryInode: string },
): PostmasterSighting => {
  const { stat, startedAt, program, workingDirectory } = papers
  if (!serverNames.includes(stat.comm) && !serverNames.includes(program ?? '')) {
    return { kind: 'stranger', because: `it is ${plainText(program ?? stat.comm)}` }
  }
  if (workingDirectory !== null) {
    return workingDirectory === directoryInode
      ? { kind: 'alive', how: 'working directory', started: stat.started, startedAt }
      : { kind: 'stranger', because: 'it is a PostgreSQL server of another data directory' }
  }
  if (lockFile.startTime === null) {
    return { kind: 'stranger', because: 'its working directory may not be read to tell' }
  }
  const apartMs = startedAt - lockFile.startTime * 1000
  if (Math.abs(apartMs) <= sameStartWithinMs) {
    return { kind: 'alive', how: 'name and start time', started: stat.started, startedAt }
  }
  const span = printDuration(Math.abs(apartMs))
  const because = `it started ${span} ${apartMs > 0 ? 'after' : 'before'} the lock file says`
  return { kind: 'stranger', because }
}
