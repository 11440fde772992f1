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
import { remember, weighDoubt, type RestartMemory, type Weighed } from '../facts/restart-memory.ts'
import type { ChildrenSighting, DirectorySighting, PostmasterSighting } from '../facts/sightings.ts'
import type { MonotonicMs, Pid } from '../facts/units.ts'
import { createCensus, type Parent } from './census.ts'
import { pause, type Clock } from './clock.ts'
import type { ControlSource } from './control-source.ts'
import type { DataDirectory, Sight } from './data-directory.ts'
import type { RawFile } from './disk.ts'
import { createIdentification, type Claim } from './identification.ts'
import type { Freezer } from './freezer.ts'
import { createLockFileDecoder, isMixed, sameFile } from './lock-file-readings.ts'
import type { ProcessTable } from './process-table.ts'
import { createRestWatch } from './rest-watch.ts'
import { createSlot, holdBySignal, ifLiving, noVitalSigns } from './vital-signs.ts'
import type { VitalHandle, VitalSigns } from './vital-signs.ts'

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
  /** Calls `changed` whenever the kernel reports that the server may be frozen, or thawed. */
  readonly watchFreezer: (changed: () => void) => void
  readonly close: () => void
}

/** What the pulse is taken of, and whose children are counted; each null if there is none. */
type SightedPostmaster = {
  readonly postmaster: PostmasterSighting
  readonly pulse: VitalHandle | null
  readonly parent: Parent | null
}
const without = (postmaster: PostmasterSighting): SightedPostmaster => ({
  postmaster,
  pulse: null,
  parent: null,
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
  readonly freezer: Freezer
  readonly control: ControlSource
  readonly clock: Clock
}): Probe => {
  const { controlCheck, directory, processes, freezer, control, clock } = needs
  const postmasterSlot = createSlot(processes)
  const census = createCensus(processes)
  const identification = createIdentification(processes)
  const restedMs = createRestWatch(processes, clock)
  const decoded = createLockFileDecoder()
  let memory: RestartMemory | null = null
  let evidence: Evidence | null = null
  let tracedSince: MonotonicMs | null = null
  let doubted = false

  const bySignal = (postmaster: PostmasterSighting, pid: Pid): SightedPostmaster => ({
    postmaster,
    pulse: postmaster.kind === 'signal 0' ? holdBySignal(processes, pid) : null,
    parent: null,
  })

  const sightPostmaster = async (claim: Claim): Promise<SightedPostmaster> => {
    const { pid } = claim.lockFile
    if (!processes.visible) {
      if (!processes.answersSignal(pid)) return without({ kind: 'gone' })
      return bySignal({ kind: 'signal 0', createdSharedMemory: false }, pid)
    }
    const held = postmasterSlot.hold(pid)
    if (held === 'gone') return without({ kind: 'gone' })
    if (held === 'invisible') return bySignal(identification.identifyHidden(claim), pid)
    const { handle } = held
    const stat = ifLiving(held.stat)
    if (stat === null) return without({ kind: 'zombie' })
    const { postmaster, titles } = await identification.identify(handle, claim)
    if (postmaster.kind !== 'alive') return without(postmaster)
    const parent = { handle, titles }
    if (stat.state === 'stopped')
      return { postmaster: { kind: 'stopped', by: 'signal' }, pulse: handle, parent }
    tracedSince = stat.state === 'traced' ? (tracedSince ?? clock.monotonic()) : null
    const lasting = tracedSince !== null && clock.monotonic() - tracedSince >= tracedMsMax
    if (lasting) return { postmaster: { kind: 'stopped', by: 'tracer' }, pulse: handle, parent }
    const frozen = await freezer.look(handle)
    return {
      postmaster: frozen ? { kind: 'stopped', by: 'freezer' } : postmaster,
      pulse: handle,
      parent,
    }
  }

  /** Whether the server is in a crash restart, as far as `next` leaves that in doubt. */
  const weigh = (next: RestartMemory | null, found: Evidence): Weighed | null => {
    if (next === null || next.doubt === null) return null
    const startup = found.children.kind === 'seen' ? found.children.startup : null
    return weighDoubt(next, {
      evidence: found,
      now: clock.monotonic(),
      startupAgeMs: startup === null ? 0 : processes.ageMs(startup.started),
      startupRestedMs: restedMs(startup),
    })
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
      const { inode: directoryInode, owner } = sight.directory
      const found = await sightPostmaster({ lockFile: lockFile.fact, directoryInode, owner })
      postmaster = found.postmaster
      const now = clock.monotonic()
      next = remember(memory, {
        lockFile: lockFile.fact,
        written: lockFile.modified,
        now,
        clockOffsetMs: clock.unix() - now,
      })
      if (postmaster.kind === 'signal 0') {
        children = { kind: 'invisible' }
        vitals = { postmaster: found.pulse, checkpointer: null, freezer: null }
      }
      if (found.parent !== null && postmaster.kind === 'alive') {
        const counted = await census.take(found.parent, doubted || isNewDoubt(memory, next))
        children = counted.children
        vitals = { postmaster: found.pulse, checkpointer: counted.checkpointer, freezer }
      }
    }
    const version = sight.directory.kind === 'seen' ? sight.directory.version : null
    const { sighting: controlFile, inode: controlFileInode } = await control(version)
    const { directory: sighted, signalFiles } = await sighting
    if (!sameDirectory(sight.directory, sighted)) return 'void'
    if (!sameFile(raw, await directory.lockFile())) return 'void'
    const found: Evidence = {
      controlCheck,
      path: directory.path,
      directory: sighted,
      lockFile,
      postmaster,
      children,
      controlFile,
      signalFiles,
      promotion: 'not looked for',
      crashRestart: false,
    }
    const weighed = weigh(next, found)
    const crashRestart = weighed?.underWay ?? false
    // Only another count can tell when the process that ends a doubt is there.
    doubted = isNewDoubt(memory, next) || contradict(children, controlFile) || crashRestart
    memory = weighed?.memory ?? next
    evidence = unlessTheSame(evidence, { ...found, crashRestart })
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
    watchFreezer: freezer.watch,
    close: () => {
      postmasterSlot.drop()
      freezer.close()
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

/** A doubt that has just come up: this count decides over it, and one more makes sure of that. */
const isNewDoubt = (before: RestartMemory | null, now: RestartMemory | null): boolean =>
  now !== null && now.doubt !== null && now.doubt !== before?.doubt

const sameDirectory = (one: DirectorySighting, other: DirectorySighting): boolean =>
  one.kind === 'seen' && other.kind === 'seen'
    ? one.inode === other.inode && one.version === other.version
    : one.kind === other.kind
