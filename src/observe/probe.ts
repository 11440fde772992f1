/**
 * One look at one cluster: raw bytes to facts to Evidence.
 *
 * The order makes sense of races: lock file, process and children, control and signal files,
 * and the lock file once more. When the two readings of the lock file differ, the rest may belong
 * to either, and the look is void.
 */
import type { ControlCheck, Evidence } from '../facts/evidence.ts'
import { recognise } from '../facts/identity.ts'
import { decodeLockFile, type LockFile } from '../facts/lock-file.ts'
import { crashRestartUnderWay, remember, type RestartMemory } from '../facts/restart-memory.ts'
import type { ChildrenSighting, PostmasterSighting } from '../facts/sightings.ts'
import type { MonotonicMs } from '../facts/units.ts'
import { createCensus } from './census.ts'
import { pause, type Clock } from './clock.ts'
import type { ControlSource } from './control-source.ts'
import { decodeText, type DataDirectory, type RawFile } from './data-directory.ts'
import type { ProcessHandle, ProcessTable } from './process-table.ts'
import { createSlot, ifLiving, livingStat, noVitalSigns, type VitalSigns } from './vital-signs.ts'

export type Look = {
  readonly evidence: Evidence
  readonly vitals: VitalSigns
  /** `device:inode` of global/pg_control; null when it can't be had. */
  readonly controlFileInode: string | null
}

export type Probe = {
  /** Null for a void look: the lock file did not stand still. */
  readonly look: () => Promise<Look | null>
  readonly close: () => void
}

/** `handle` is null unless it was recognised. */
type SightedPostmaster = {
  readonly postmaster: PostmasterSighting
  readonly handle: ProcessHandle | null
}
const without = (postmaster: PostmasterSighting): SightedPostmaster => ({
  postmaster,
  handle: null,
})

type LockFileSighting = Evidence['lockFile']

const attemptsMax = 5
const attemptPauseMs = 1
/** strace and debuggers show `t` for a moment when they attach; longer, and nobody is served. */
const tracedMsMax = 1000

export const createProbe = (needs: {
  readonly controlCheck: ControlCheck
  readonly directory: DataDirectory
  readonly processes: ProcessTable
  readonly control: ControlSource
  readonly clock: Clock
}): Probe => {
  const { controlCheck, directory, processes, control, clock } = needs
  const postmasterSlot = createSlot(processes)
  const census = createCensus(processes)
  const identify = createIdentification(processes)
  let memory: RestartMemory | null = null
  let tracedSince: MonotonicMs | null = null
  let doubted = false

  const sightPostmaster = async (
    lockFile: LockFile,
    directoryInode: string,
  ): Promise<SightedPostmaster> => {
    if (!processes.visible) {
      return without({ kind: processes.answersSignal(lockFile.pid) ? 'signal 0' : 'gone' })
    }
    const held = postmasterSlot.hold(lockFile.pid)
    if (typeof held === 'string') return without({ kind: held })
    const { handle } = held
    const stat = ifLiving(held.stat)
    if (stat === null) return without({ kind: 'zombie' })
    const identity = await identify(handle, lockFile, directoryInode)
    if (identity.kind !== 'alive') return without(identity)
    if (stat.state === 'stopped') return { postmaster: { kind: 'stopped', by: 'signal' }, handle }
    tracedSince = stat.state === 'traced' ? (tracedSince ?? clock.monotonic()) : null
    const lasting = tracedSince !== null && clock.monotonic() - tracedSince >= tracedMsMax
    return { postmaster: lasting ? { kind: 'stopped', by: 'tracer' } : identity, handle }
  }

  const attempt = async (): Promise<Look | 'void'> => {
    const [sighted, raw] = await Promise.all([directory.sight(), directory.lockFile()])
    const lockFile = decodeLockFileSighting(raw)
    let next = memory
    let postmaster: PostmasterSighting = { kind: 'not looked for' }
    let children: ChildrenSighting = { kind: 'not looked for' }
    let vitals = noVitalSigns
    if (lockFile.kind === 'seen' && sighted.kind === 'seen') {
      const found = await sightPostmaster(lockFile.fact, sighted.inode)
      postmaster = found.postmaster
      next = remember(memory, lockFile.fact, lockFile.modified)
      if (postmaster.kind === 'signal 0') children = { kind: 'invisible' }
      if (found.handle !== null && postmaster.kind === 'alive') {
        const counted = await census.take(found.handle, doubted || suspectsAnew(memory, next))
        children = counted.children
        vitals = { postmaster: found.handle, checkpointer: counted.checkpointer }
      }
    }
    const version = sighted.kind === 'seen' ? sighted.version : null
    const [reading, signalFiles] = await Promise.all([control(version), directory.signalFiles()])
    const { sighting: controlFile, inode: controlFileInode } = reading
    if (!sameFile(raw, await directory.lockFile())) return 'void'
    doubted =
      contradict(children, controlFile) ||
      suspectsAnew(memory, next) ||
      mayBeRestarting(next, children, postmaster)
    memory = next
    const evidence: Evidence = {
      controlCheck,
      path: directory.path,
      directory: sighted,
      lockFile,
      postmaster,
      children,
      controlFile,
      signalFiles,
      memory,
    }
    return { evidence, vitals, controlFileInode }
  }

  return {
    look: async () => {
      for (let attempts = 1; attempts <= attemptsMax; attempts += 1) {
        const looked = await attempt()
        const mixed = looked !== 'void' && isMixed(looked.evidence.lockFile)
        if (looked !== 'void' && (!mixed || attempts === attemptsMax)) return looked
        await pause(clock, attemptPauseMs)
      }
      return null
    },
    close: () => {
      postmasterSlot.drop()
      census.close()
    },
  }
}

/**
 * A server that serves without a startup process is in production. If the control file says
 * otherwise, one of the two was caught in passage, or a title half-written.
 */
const contradict = (children: ChildrenSighting, controlFile: Evidence['controlFile']): boolean =>
  children.kind === 'seen' &&
  children.startup === null &&
  controlFile.kind === 'seen' &&
  controlFile.fact.state !== 'in production'

/** A suspicion just come up: this count decides over it, and one more makes sure of that. */
const suspectsAnew = (before: RestartMemory | null, now: RestartMemory | null): boolean =>
  now !== before && now !== null && now.suspicion !== null

/** Only another count can tell when the WAL writer or receiver that ends the suspicion is there. */
const mayBeRestarting = (
  memory: RestartMemory | null,
  children: ChildrenSighting,
  postmaster: PostmasterSighting,
): boolean =>
  memory !== null &&
  postmaster.kind === 'alive' &&
  crashRestartUnderWay(memory, children, postmaster.started)

/** Asks for a process's papers once: who has been recognised stays who it is. */
const createIdentification = (processes: ProcessTable) => {
  let known: { handle: ProcessHandle; inode: string; identity: PostmasterSighting } | null = null
  return async (
    handle: ProcessHandle,
    lockFile: LockFile,
    directoryInode: string,
  ): Promise<PostmasterSighting> => {
    if (known?.handle === handle && known.inode === directoryInode) return known.identity
    const [workingDirectory, program] = await Promise.all([
      processes.workingDirectory(handle.pid),
      processes.program(handle.pid),
    ])
    const stat = livingStat(handle)
    if (stat === null) return { kind: 'gone' }
    const startedAt = processes.startedAt(stat.started)
    const identity = recognise(
      { stat, startedAt, program, workingDirectory },
      { lockFile, directoryInode },
    )
    // A stranger is asked again: a server just forked may not have changed directory yet.
    known = identity.kind === 'alive' ? { handle, inode: directoryInode, identity } : null
    return identity
  }
}

const decodeLockFileSighting = (raw: RawFile): LockFileSighting => {
  if (raw.kind !== 'seen') return raw
  const decoded = decodeLockFile(decodeText(raw.bytes))
  const { modified } = raw
  return decoded.ok
    ? { kind: 'seen', fact: decoded.fact, modified }
    : { kind: 'fault', fault: decoded.fault, modified }
}

const isMixed = (lockFile: LockFileSighting): boolean =>
  lockFile.kind === 'fault' && lockFile.fault.kind === 'mixed status'

const sameFile = (one: RawFile, other: RawFile): boolean => {
  if (one.kind !== 'seen' || other.kind !== 'seen') return one.kind === other.kind
  return (
    one.inode === other.inode &&
    one.modified === other.modified &&
    Buffer.compare(one.bytes, other.bytes) === 0
  )
}
