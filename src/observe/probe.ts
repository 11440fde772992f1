/**
 * One look at one cluster: raw bytes to facts to Evidence.
 *
 * The order matters: directory and signal files, lock file, process and children, control file, and
 * the lock file once more. If the two readings of the lock file differ, the rest may belong to
 * either, and the look is void. Signal files may come first because they determine nothing alone:
 * at the end of recovery they are removed before the startup process ends, so that a look in
 * between finds a contradiction.
 */
import type { ControlCheck, Evidence } from '../facts/decide/evidence.ts'
import {
  remember,
  weighDoubt,
  type RestartMemory,
  type Weighed,
} from '../facts/decide/crash-restart.ts'
import type { ChildrenSighting, PostmasterSighting } from '../facts/decide/sightings.ts'
import type { MonotonicMs } from '../facts/units.ts'
import { createCensus, type Parent } from './processes/census.ts'
import { pause, type Clock } from './system/clock.ts'
import type { ControlSource } from './files/control-source.ts'
import type { DataDirectory } from './files/data-directory.ts'
import { sameFile } from './files/disk.ts'
import type { Freezer } from './processes/freezer.ts'
import { createIdentification, type Claim } from './processes/identification.ts'
import { isMixed, sightLockFile } from './files/lock-file-readings.ts'
import type { ProcessTable } from './processes/process-table.ts'
import { createRestWatch } from './processes/idle-time.ts'
import { createSlot, holdBySignal, ifLiving, noVitalSigns } from './processes/liveness.ts'
import type { VitalSigns } from './processes/liveness.ts'

export type Look = {
  readonly evidence: Evidence
  readonly vitals: VitalSigns
  /** `device:inode` of global/pg_control; null if it cannot be read. */
  readonly controlFileInode: string | null
  /** Resolves when what this look began to read is known to the next one; never rejects. */
  readonly unfinished?: Promise<void>
}

export type Probe = {
  /**
   * Null for a void look: the lock file changed meanwhile. Rejects in a shortage, such as of
   * descriptors: what cannot be opened is not known, so the rest allows no verdict.
   */
  readonly look: () => Promise<Look | null>
  /** Calls `changed` whenever the kernel reports that the server may be frozen, or thawed. */
  readonly watchFreezer: (changed: () => void) => void
  readonly close: () => void
}

/** `parent`: whose children are counted; null unless it is alive. */
type SightedPostmaster = {
  readonly postmaster: PostmasterSighting
  readonly parent: Parent | null
}
const without = (postmaster: PostmasterSighting): SightedPostmaster => ({
  postmaster,
  parent: null,
})

const notChecked = { kind: 'not checked' } as const

const attemptsMax = 5
const attemptPauseMs = 1
/** strace and debuggers stop a process for a moment when they attach; then it serves clients. */
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
  let memory: RestartMemory | null = null
  let tracedSince: MonotonicMs | null = null
  let doubted = false

  const sightPostmaster = async (claim: Claim): Promise<SightedPostmaster> => {
    const { pid } = claim.lockFile
    if (!processes.visible) {
      if (!processes.answersSignal(pid)) return without({ kind: 'gone' })
      return without({ kind: 'signal 0', createdSharedMemory: false })
    }
    const held = postmasterSlot.hold(pid)
    if (held === 'gone') return without({ kind: 'gone' })
    if (held === 'invisible') return without(identification.identifyHidden(claim))
    const { handle } = held
    const stat = ifLiving(held.stat)
    if (stat === null) return without({ kind: 'zombie' })
    const { postmaster, titles } = await identification.identify(handle, claim)
    if (postmaster.kind !== 'alive') return without(postmaster)
    if (stat.state === 'stopped') return without({ kind: 'stopped', by: 'signal' })
    tracedSince = stat.state === 'traced' ? (tracedSince ?? clock.monotonic()) : null
    const lasting = tracedSince !== null && clock.monotonic() - tracedSince >= tracedMsMax
    if (lasting) return without({ kind: 'stopped', by: 'tracer' })
    if (await freezer.look(handle)) return without({ kind: 'stopped', by: 'freezer' })
    return { postmaster, parent: { handle, titles } }
  }

  /** Whether the server is in a crash restart, as far as `next` leaves that in doubt. */
  const weigh = (next: RestartMemory | null, found: Evidence): Weighed | null => {
    if (next === null || next.doubt === null) return null
    const startup = found.children.kind === 'present' ? found.children.startup : null
    return weighDoubt(next, {
      evidence: found,
      now: clock.monotonic(),
      startupAgeMs: startup === null ? 0 : processes.ageMs(startup.started),
      startupRestedMs: restedMs(startup),
    })
  }

  const attempt = async (): Promise<Look | 'void'> => {
    const { directory: sighted, signalFiles } = await directory.sight()
    const raw = await directory.lockFile()
    const lockFile = sightLockFile(raw)
    let next = memory
    let postmaster: PostmasterSighting = notChecked
    let children: ChildrenSighting = notChecked
    let vitals = noVitalSigns
    if (lockFile.kind === 'present' && sighted.kind === 'present') {
      const { inode: directoryInode, owner } = sighted
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
        const handle = holdBySignal(processes, lockFile.fact.pid)
        vitals = { postmaster: handle, checkpointer: null, freezer: null }
      }
      if (found.parent !== null) {
        const counted = await census.take(found.parent, doubted || isNewDoubt(memory, next))
        const { checkpointer } = counted
        children = counted.children
        vitals = { postmaster: found.parent.handle, checkpointer, freezer }
      }
    }
    const version = sighted.kind === 'present' ? sighted.version : null
    const { sighting: controlFile, inode: controlFileInode } = await control(version)
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
      promotion: 'not checked',
      timelineHistory: { kind: 'not checked' },
      walPosition: null,
      crashRestart: false,
    }
    const weighed = weigh(next, found)
    const crashRestart = weighed?.underWay ?? false
    // Only another count finds the process that ends a doubt.
    doubted = isNewDoubt(memory, next) || contradict(children, controlFile) || crashRestart
    memory = weighed?.memory ?? next
    return { evidence: { ...found, crashRestart }, vitals, controlFileInode }
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
    watchFreezer: freezer.watch,
    close: () => {
      postmasterSlot.drop()
      freezer.close()
      census.close()
    },
  }
}

/**
 * A server that serves without a startup process is in production. If the control file says
 * otherwise, one of the two has just changed, or a title is half-written.
 */
const contradict = (children: ChildrenSighting, controlFile: Evidence['controlFile']): boolean =>
  children.kind === 'present' &&
  children.startup === null &&
  controlFile.kind === 'present' &&
  controlFile.fact.state !== 'in production'

/** A new doubt: this count settles it, and one more confirms that. */
const isNewDoubt = (before: RestartMemory | null, now: RestartMemory | null): boolean =>
  now !== null && now.doubt !== null && now.doubt !== before?.doubt
