/**
 * Finding out whether a process is the postmaster that a lock file names: what /proc and the
 * kernel's table of shared memory say about it, judged by facts/identity.ts.
 */
import { recognise } from '../facts/identity.ts'
import type { TitleFrame } from '../facts/child-title.ts'
import type { LockFile } from '../facts/lock-file.ts'
import { parsePostmasterArguments } from '../facts/postmaster-arguments.ts'
import { createdSharedMemory } from '../facts/shared-memory.ts'
import type { PostmasterSighting } from '../facts/sightings.ts'
import { readTitleFrame } from './census.ts'
import type { ProcessHandle, ProcessTable } from './process-table.ts'
import { livingStat } from './vital-signs.ts'

/** The data directory as the check saw it: `device:inode` and the user id of its owner. */
export type Claim = {
  readonly lockFile: LockFile
  readonly directoryInode: string
  readonly owner: number
}

export type Identified = {
  readonly postmaster: PostmasterSighting
  readonly titles: TitleFrame
}

export type Identification = {
  /** Asked once for each process and directory: what was recognised stays what it is. */
  readonly identify: (handle: ProcessHandle, claim: Claim) => Promise<Identified>
  /** Of a process that /proc hides from us. */
  readonly identifyHidden: (claim: Claim) => PostmasterSighting
}

export const createIdentification = (processes: ProcessTable): Identification => {
  let known: { handle: ProcessHandle; inode: string; identified: Identified } | null = null

  const created = ({ lockFile, owner }: Claim): boolean =>
    createdSharedMemory(processes.sharedMemory(), lockFile, owner)

  const readTraits = async (handle: ProcessHandle, claim: Claim): Promise<Identified> => {
    const { pid } = handle
    const [workingDirectory, program, titles] = await Promise.all([
      processes.workingDirectory(pid),
      processes.program(pid),
      readTitleFrame(processes, pid),
    ])
    const stat = livingStat(handle)
    if (stat === null) return { postmaster: { kind: 'gone' }, titles }
    const traits = {
      stat,
      startedAt: processes.startedAt(stat.started),
      program,
      workingDirectory,
      createdSharedMemory: created(claim),
      ours: processes.maySignal(pid),
      ...parsePostmasterArguments(titles.commandLine),
    }
    return { postmaster: recognise(traits, claim), titles }
  }

  return {
    identify: async (handle, claim) => {
      const { directoryInode } = claim
      if (known?.handle === handle && known.inode === directoryInode) return known.identified
      const identified = await readTraits(handle, claim)
      // Any other is asked again: a server just forked may not have changed directory yet.
      const isAlive = identified.postmaster.kind === 'alive'
      known = isAlive ? { handle, inode: directoryInode, identified } : null
      return identified
    },
    identifyHidden: claim =>
      processes.maySignal(claim.lockFile.pid) && created(claim)
        ? { kind: 'signal 0', createdSharedMemory: true }
        : { kind: 'invisible' },
  }
}
