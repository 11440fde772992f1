/**
 * The children of the postmaster that matter: startup process, checkpointer, WAL writer, WAL
 * receiver and the youngest session, out of possibly a thousand.
 *
 * A count reads the title of each child that is not known yet. It is taken again only if it can
 * have changed: as long as the checkpointer of the last count lives, there has been no crash
 * restart, and without one no startup process is started after the checkpointer.
 */
import { childKind, isForeign, titleIn } from '../../facts/decode/process-title.ts'
import type { ChildKind, TitleFrame } from '../../facts/decode/process-title.ts'
import type { ProcessStat } from '../../facts/decode/process-stat.ts'
import type { Child, ChildrenSighting } from '../../facts/decide/sightings.ts'
import type { Pid } from '../../facts/units.ts'
import type { ProcessHandle, ProcessTable } from './process-table.ts'
import { createSlot, ifLiving, livingStat, type Slot } from './liveness.ts'

export type Count = {
  readonly children: ChildrenSighting
  /** The handle by which the checkpointer's pulse is taken; null without one. */
  readonly checkpointer: ProcessHandle | null
}

/** A postmaster and what its children's titles are compared with. */
export type Parent = { readonly handle: ProcessHandle; readonly titles: TitleFrame }

export type Census = {
  /** `fresh` asks for a count even when nothing can have changed. */
  readonly take: (parent: Parent, fresh: boolean) => Promise<Count>
  readonly close: () => void
}

type Counted = Extract<ChildrenSighting, { kind: 'present' }>

export const createCensus = (table: ProcessTable): Census => {
  const startupSlot = createSlot(table)
  const checkpointerSlot = createSlot(table)
  const count = createCounter(table)
  let last: { postmaster: ProcessHandle; children: Counted } | null = null

  /** The last count, less a startup process that has ended since; null when it may be wrong. */
  const stillTrue = (postmaster: ProcessHandle): Count | null => {
    if (last === null || last.postmaster !== postmaster) return null
    const { children } = last
    if (children.startupUndecided || children.checkpointer === null) return null
    const checkpointer = hold(checkpointerSlot, children.checkpointer)
    if (checkpointer === null) return null
    const ended = children.startup !== null && hold(startupSlot, children.startup) === null
    return { children: ended ? { ...children, startup: null } : children, checkpointer }
  }

  const recount = async ({ handle, titles }: Parent): Promise<Count> => {
    const children = await count(handle.pid, titles)
    if (children.kind !== 'present') return { children, checkpointer: null }
    const checkpointer = hold(checkpointerSlot, children.checkpointer)
    return checkpointer === null
      ? { children: { ...children, checkpointer }, checkpointer }
      : { children, checkpointer }
  }

  return {
    take: async (parent, fresh) => {
      const taken = (fresh ? null : stillTrue(parent.handle)) ?? (await recount(parent))
      const { children } = taken
      last = children.kind === 'present' ? { postmaster: parent.handle, children } : null
      return taken
    },
    close: () => {
      startupSlot.drop()
      checkpointerSlot.drop()
      last = null
    },
  }
}

/** Counts the children of a postmaster. */
export type Counter = (postmaster: Pid, titles: TitleFrame) => Promise<ChildrenSighting>

/** What a child is, from its title. */
type TitledChild = {
  readonly child: Child
  readonly kind: ChildKind
  /** Whether it is of that kind until it ends. */
  readonly lasting: boolean
}

/** Files open at the same time while titles are read. */
const readersMax = 32

/**
 * The title of a child that is known from the count before is not read again: with 1000 children a
 * count takes 28 ms when they are known and 132 ms when they are not, and in a crash restart or a
 * promotion one count follows another.
 */
export const createCounter = (table: ProcessTable): Counter => {
  let knownChildren: ReadonlyMap<Pid, TitledChild> = new Map()
  return async (postmaster, titles) => {
    const known = knownChildren
    const identify = async (pid: Pid): Promise<TitledChild | null> => {
      const one = known.get(pid)
      const isSame = one !== undefined && statOf(table, pid)?.started === one.child.started
      return isSame ? one : readTitle(table, pid, titles)
    }
    const pids = table.children(postmaster)
    if (pids === null) return { kind: 'invisible' }
    const children: TitledChild[] = []
    for (let at = 0; at < pids.length; at += readersMax) {
      const batch = await Promise.all(pids.slice(at, at + readersMax).map(identify))
      children.push(...batch.filter(child => child !== null))
    }
    knownChildren = new Map(
      children
        .filter(({ lasting, child }) => lasting && !isNewborn(table, child))
        .map(titled => [titled.child.pid, titled]),
    )
    return sortOut(table, children, titles)
  }
}

const sortOut = (
  table: ProcessTable,
  children: readonly TitledChild[],
  { room }: TitleFrame,
): ChildrenSighting => {
  const undecided = children.filter(child => mayHaveNoTitleYet(table, child))
  const decided = children.filter(child => !undecided.includes(child))
  const has = (kind: ChildKind): boolean => decided.some(child => child.kind === kind)
  /** The last one is the youngest, which counts of several sessions. */
  const find = (kind: ChildKind): Child | null => {
    const found = decided.findLast(child => child.kind === kind)?.child ?? null
    // The wall clock may have been set since the child was first seen.
    return found && { ...found, startedAt: table.startedAt(found.started) }
  }
  const startup = find('startup')
  const checkpointer = find('checkpointer')
  // Where the room for titles is unknown, one of no known form may have been cut.
  const mayBeCut = room === null && checkpointer === null && has('unclear')
  return {
    kind: 'present',
    startup,
    checkpointer,
    walwriter: find('walwriter'),
    walreceiver: find('walreceiver'),
    session: find('session'),
    titlesIncomplete: mayBeCut || has('illegible') || has('untitled'),
    startupUndecided:
      startup === null && undecided.some(({ child }) => mayBeStartup(child, checkpointer)),
  }
}

/** Null for a child that has ended meanwhile. */
const readTitle = async (
  table: ProcessTable,
  pid: Pid,
  titles: TitleFrame,
): Promise<TitledChild | null> => {
  const commandLine = await table.commandLine(pid)
  const stat = statOf(table, pid)
  if (stat === null) return null
  const { started } = stat
  const title = titleIn(commandLine).trimEnd()
  const child = { pid, started, startedAt: table.startedAt(started), title }
  const kind = childKind(commandLine, titles)
  return { child, kind, lasting: isLasting(kind, commandLine) }
}

/** A torn title is whole when it is read again at once. */
const readingsMax = 2

/** The child with its title of now; as it was if no whole title is read; null if it has ended. */
export const withTitleOfNow = async (
  table: ProcessTable,
  child: Child | null,
  { kind, titles }: { readonly kind: ChildKind; readonly titles: TitleFrame },
): Promise<Child | null> => {
  if (child === null) return null
  for (let readings = 1; readings <= readingsMax; readings += 1) {
    const titled = await readTitle(table, child.pid, titles)
    if (titled?.kind === kind && titled.child.started === child.started) return titled.child
  }
  return statOf(table, child.pid)?.started === child.started ? child : null
}

/**
 * A client logs in, a child gets its title, and a title may have been read half-written, or cut
 * because its activity was long just then. An empty title could not be read this time.
 */
const isLasting = (kind: ChildKind, commandLine: string): boolean => {
  if (kind === 'login' || kind === 'untitled' || commandLine === '') return false
  return (kind !== 'unclear' && kind !== 'illegible') || isForeign(commandLine)
}

/** Long enough for a child to have written its title, also on a busy machine. */
const titledByMs = 50
/** A child that shows its postmaster's command line for that long will never have a title. */
const untitledMsMax = 1000

/** Titles are written in place: that of a newborn may have been read half-written. */
const isNewborn = (table: ProcessTable, { started }: Child): boolean =>
  table.ageMs(started) < titledByMs

/** Its next title may be that of another kind. */
const mayHaveNoTitleYet = (table: ProcessTable, { kind, child }: TitledChild): boolean => {
  if (kind === 'untitled') return table.ageMs(child.started) < untitledMsMax
  return passingKinds.includes(kind) && isNewborn(table, child)
}

const passingKinds: readonly ChildKind[] = ['unclear', 'illegible', 'foreign']

/** The startup process is forked before the checkpointer, or right after it (15 and newer). */
const bornTogetherTicks = 100

const mayBeStartup = ({ started }: Child, checkpointer: Child | null): boolean =>
  checkpointer === null || started - checkpointer.started <= bornTogetherTicks

/** What titles are compared with. */
export const readTitleFrame = async (table: ProcessTable, postmaster: Pid): Promise<TitleFrame> => {
  const commandLine = await table.commandLine(postmaster)
  return { commandLine, room: statOf(table, postmaster)?.titleRoom ?? null }
}

const statOf = (table: ProcessTable, pid: Pid): ProcessStat | null => {
  const opened = table.open(pid)
  if (typeof opened === 'string') return null
  const stat = livingStat(opened)
  opened.close()
  return stat
}

/** The handle of a child, if it still lives. */
const hold = (slot: Slot, child: Child | null): ProcessHandle | null => {
  if (child === null) return null
  const held = slot.hold(child.pid)
  if (typeof held === 'string' || held.handle.started !== child.started) return null
  return ifLiving(held.stat) === null ? null : held.handle
}
