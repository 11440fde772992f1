/**
 * One look at one cluster: raw bytes to facts to Evidence.
 *
 * The order makes sense of races: directory and signal files, lock file, process and children,
 * control file, and the lock file once more. When the two readings of the lock file differ, the
 * rest may belong to either, and the look is void. Signal files may come first because they decide
 * nothing alone: at the end of recovery they go before the startup process does, so that a look
 * caught in between finds the two at odds.
 *
 * What an earlier look read may stand for the first reading: if the last one proves it still
 * right, then it has been so all the time. The disk is asked meanwhile.
 */
import type { ControlCheck, Evidence } from '../facts/evidence.ts'
import { recognise } from '../facts/identity.ts'
import type { LockFile } from '../facts/lock-file.ts'
import { remember, type RestartMemory } from '../facts/restart-memory.ts'
import type { ChildrenSighting, DirectorySighting, PostmasterSighting } from '../facts/sightings.ts'
import { mayBeRestarting } from '../facts/symptoms.ts'
import type { MonotonicMs } from '../facts/units.ts'
import { createCensus } from './census.ts'
import { pause, type Clock } from './clock.ts'
import type { ControlSource } from './control-source.ts'
import type { DataDirectory, Sight } from './data-directory.ts'
import type { RawFile } from './disk.ts'
import { createLockFileDecoder, isMixed, sameFile } from './lock-file-readings.ts'
import type { ProcessHandle, ProcessTable } from './process-table.ts'
import { createSlot, ifLiving, livingStat, noVitalSigns, type VitalSigns } from './vital-signs.ts'

export type Look = {
  /** The very same object as that of the look before when nothing has changed. */
  readonly evidence: Evidence
  readonly vitals: VitalSigns
  /** `device:inode` of global/pg_control; null when it can't be had. */
  readonly controlFileInode: string | null
  /** Resolves when another look knows what this one only began to read; never rejects. */
  readonly unfinished?: Promise<void>
}

export type Probe = {
  /** Null for a void look: the lock file did not stand still. */
  readonly look: () => Promise<Look | null>
  /** To be told of file events, by name; null when some may have been missed. */
  readonly forget: (name: string | null) => void
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

/** What a look begins with. */
type Beginning = { readonly sight: Sight; readonly raw: RawFile }

const notLookedFor = { kind: 'not looked for' } as const

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
  const decoded = createLockFileDecoder()
  let memory: RestartMemory | null = null
  let evidence: Evidence | null = null
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

  const attempt = async (presumed: Beginning | null): Promise<Look | 'void'> => {
    const sighting = directory.sight()
    const { sight, raw } = presumed ?? {
      sight: await sighting,
      raw: await directory.lockFile(),
    }
    const lockFile = decoded(raw)
    let next = memory
    let postmaster: PostmasterSighting = notLookedFor
    let children: ChildrenSighting = notLookedFor
    let vitals = noVitalSigns
    if (lockFile.kind === 'seen' && sight.directory.kind === 'seen') {
      const found = await sightPostmaster(lockFile.fact, sight.directory.inode)
      postmaster = found.postmaster
      next = remember(memory, {
        lockFile: lockFile.fact,
        written: lockFile.modified,
        clockOffsetMs: clock.unix() - clock.monotonic(),
      })
      if (postmaster.kind === 'signal 0') children = { kind: 'invisible' }
      if (found.handle !== null && postmaster.kind === 'alive') {
        const counted = await census.take(found.handle, doubted || suspectsAnew(memory, next))
        children = counted.children
        vitals = { postmaster: found.handle, checkpointer: counted.checkpointer }
      }
    }
    const version = sight.directory.kind === 'seen' ? sight.directory.version : null
    const { sighting: controlFile, inode: controlFileInode } = await control(version)
    const { directory: sighted, signalFiles } = await sighting
    if (!sameDirectory(sight.directory, sighted)) return 'void'
    if (!sameFile(raw, await directory.lockFile())) return 'void'
    const anew = suspectsAnew(memory, next)
    memory = next
    evidence = unlessTheSame(evidence, {
      controlCheck,
      path: directory.path,
      directory: sighted,
      lockFile,
      postmaster,
      children,
      controlFile,
      signalFiles,
      promotion: 'not looked for',
      memory,
    })
    // Only another count can tell when the process that ends a suspicion is there.
    doubted = anew || contradict(children, controlFile) || mayBeRestarting(evidence)
    return { evidence, vitals, controlFileInode }
  }

  const presume = (): Beginning | null => {
    const sight = directory.presumed.sight()
    const raw = directory.presumed.lockFile()
    return sight === null || raw === null ? null : { sight, raw }
  }

  return {
    look: async () => {
      for (let attempts = 1; attempts <= attemptsMax; attempts += 1) {
        const presumed = presume()
        const looked = await attempt(presumed)
        const mixed = looked !== 'void' && isMixed(looked.evidence.lockFile)
        if (looked !== 'void' && (!mixed || attempts === attemptsMax)) return looked
        // A presumption found wrong is no sign that somebody is writing just now.
        if (presumed === null) await pause(clock, attemptPauseMs)
      }
      return null
    },
    forget: directory.forget,
    close: () => {
      postmasterSlot.drop()
      census.close()
    },
  }
}

/** The evidence of before when there is nothing new, so that nobody has to weigh it again. */
const unlessTheSame = (before: Evidence | null, now: Evidence): Evidence =>
  before !== null && keysOf(now).every(key => before[key] === now[key]) ? before : now

const keysOf = (evidence: Evidence) => Object.keys(evidence) as readonly (keyof Evidence)[]

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

const sameDirectory = (one: DirectorySighting, other: DirectorySighting): boolean =>
  one.kind === 'seen' && other.kind === 'seen'
    ? one.inode === other.inode && one.version === other.version
    : one.kind === other.kind
