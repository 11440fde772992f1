/**
 * Whether a process is the postmaster that a lock file names: reads what /proc and the kernel's
 * table of shared memory show about it; facts/decide/identity.ts decides.
 */
import { recognise } from '../../facts/decide/identity.ts'
import type { TitleFrame } from '../../facts/decode/process-title.ts'
import type { LockFile } from '../../facts/decode/lock-file.ts'
import { parsePostmasterArguments } from '../../facts/decode/postmaster-arguments.ts'
import { createdSharedMemory } from '../../facts/decode/shared-memory.ts'
import type { PostmasterSighting } from '../../facts/decide/sightings.ts'
import type { ProcessHandle, ProcessTable } from './process-table.ts'
import { livingStat } from './liveness.ts'

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
    const [workingDirectory, program, commandLine] = await Promise.all([
      processes.workingDirectory(pid),
      processes.program(pid),
      processes.commandLine(pid),
    ])
    const stat = livingStat(handle)
    if (stat === null) return { postmaster: { kind: 'gone' }, titles: { commandLine, room: null } }
    const traits = {
      stat,
      startedAt: processes.startedAt(stat.started),
      program,
      workingDirectory,
      createdSharedMemory: created(claim),
      ours: processes.maySignal(pid),
      ...parsePostmasterArguments(commandLine),
    }
    const titles = { commandLine, room: stat.titleRoom }
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
