/**
 * The children of the postmaster that matter: startup process, checkpointer, WAL writer, WAL
 * receiver and the youngest session, out of possibly a thousand.
 *
 * A census reads every title, which is costly, so it is taken only if it can have changed: as long
 * as the checkpointer of the last one lives there has been no crash restart, and without one no
 * startup process is ever born after it.
 */
import { childKind, isForeign, titleIn } from '../facts/child-title.ts'
import type { ChildKind, TitleFrame } from '../facts/child-title.ts'
import type { ProcessStat } from '../facts/process-stat.ts'
import type { Child, ChildrenSighting } from '../facts/sightings.ts'
import type { Pid } from '../facts/units.ts'
import type { ProcessHandle, ProcessTable } from './process-table.ts'
import { createSlot, ifLiving, livingStat, type Slot } from './vital-signs.ts'

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

type Counted = Extract<ChildrenSighting, { kind: 'seen' }>

/** Files open at the same time while titles are read. */
const readersMax = 32
/** The startup process is forked before the checkpointer, or right after it (15 and newer). */
const bornTogetherTicks = 100
/** Long enough for a child to have written its title, also on a busy machine. */
const titledByMs = 50
/** A child that shows its postmaster's command line for that long will never have a title. */
const untitledMsMax = 1000

export const createCensus = (table: ProcessTable): Census => {
  const startupSlot = createSlot(table)
  const checkpointerSlot = createSlot(table)
  let last: { postmaster: ProcessHandle; children: Counted } | null = null
  let knownChildren: KnownChildren = new Map()

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

  const recount = async (parent: Parent): Promise<Count> => {
    const known = last?.postmaster === parent.handle ? knownChildren : new Map()
    const counted = await countChildren(table, parent, known)
    const { children } = counted
    knownChildren = counted.known
    if (children.kind !== 'seen') return { children, checkpointer: null }
    const checkpointer = hold(checkpointerSlot, children.checkpointer)
    return checkpointer === null
      ? { children: { ...children, checkpointer }, checkpointer }
      : { children, checkpointer }
  }

  return {
    take: async (parent, fresh) => {
      const count = (fresh ? null : stillTrue(parent.handle)) ?? (await recount(parent))
      const { children } = count
      last = children.kind === 'seen' ? { postmaster: parent.handle, children } : null
      return count
    },
    close: () => {
      startupSlot.drop()
      checkpointerSlot.drop()
      last = null
    },
  }
}

/** What a child is for the rest of its life, so that its title need not be read again. */
type KnownChild = { readonly kind: ChildKind; readonly child: Child }

type KnownChildren = ReadonlyMap<Pid, KnownChild>

type Recount = { readonly children: ChildrenSighting; readonly known: KnownChildren }

/**
 * Titles are read at the speed of a busy machine's threads, and a promotion or a crash restart is
 * no time to wait for those of the same backends once more.
 */
const countChildren = async (
  table: ProcessTable,
  { handle, titles }: Parent,
  before: KnownChildren,
): Promise<Recount> => {
  const pids = table.children(handle.pid)
  if (pids === null) return { children: { kind: 'invisible' }, known: new Map() }
  const found: { [Kind in ChildKind]?: Child } = {}
  const undecided: Child[] = []
  const known = new Map<Pid, KnownChild>()
  const unknown: Pid[] = []
  const count = (kind: ChildKind, child: Child): void => {
    const other = found[kind]
    // Of several sessions the youngest one counts.
    if (other === undefined || child.started >= other.started) found[kind] = child
  }
  for (const pid of pids) {
    const one = before.get(pid)
    if (one !== undefined && statOf(table, pid)?.started === one.child.started) {
      known.set(pid, one)
      // When it started is told by the clock of now, which may have been set meanwhile.
      count(one.kind, { ...one.child, startedAt: table.startedAt(one.child.started) })
    } else unknown.push(pid)
  }
  for (let at = 0; at < unknown.length; at += readersMax) {
    const batch = unknown.slice(at, at + readersMax)
    for (const titled of await Promise.all(batch.map(pid => readTitle(table, pid, titles)))) {
      if (titled === null) continue
      const { child, kind } = titled
      if (mayHaveNoTitleYet(table, titled)) undecided.push(child)
      else count(kind, child)
      if (titled.lasting && !isNewborn(table, child)) known.set(child.pid, { kind, child })
    }
  }
  const { startup = null, checkpointer = null, walwriter = null, walreceiver = null } = found
  const startupUndecided = startup === null && undecided.some(mayBeStartup(checkpointer))
  // Where the room for titles is unknown, one of no known form may have been cut.
  const mayBeCut = titles.room === null && checkpointer === null && found.unclear !== undefined
  const illegible = mayBeCut || found.illegible !== undefined || found.untitled !== undefined
  const { session = null } = found
  const children = { startup, checkpointer, walwriter, walreceiver, session }
  return { children: { kind: 'seen', ...children, illegible, startupUndecided }, known }
}

export type TitledChild = {
  readonly kind: ChildKind
  readonly child: Child
  /** No later title can make another kind of it. */
  readonly lasting: boolean
}

/** Null for a child that has died meanwhile. */
export const readTitle = async (
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
  return { kind, child, lasting: isLasting(kind, commandLine) }
}

/**
 * A client logs in, a child gets its title, and a title may have been read half-written, or cut
 * because its activity was long just then. Without a title at all it could not be read this time.
 */
const isLasting = (kind: ChildKind, commandLine: string): boolean => {
  if (kind === 'login' || kind === 'untitled' || commandLine === '') return false
  return (kind !== 'unclear' && kind !== 'illegible') || isForeign(commandLine)
}

/** Titles are written in place: that of a newborn may have been read half-written. */
const isNewborn = (table: ProcessTable, { started }: Child): boolean =>
  table.ageMs(started) < titledByMs

/** What it is may yet come to light. */
export const mayHaveNoTitleYet = (table: ProcessTable, { kind, child }: TitledChild): boolean => {
  if (kind === 'untitled') return table.ageMs(child.started) < untitledMsMax
  return isNewborn(table, child) && passingKinds.includes(kind)
}

const passingKinds: readonly ChildKind[] = ['unclear', 'illegible', 'foreign']

/** What titles are compared with; `postmaster` is held. */
export const readTitleFrame = async (table: ProcessTable, postmaster: Pid): Promise<TitleFrame> => {
  const commandLine = await table.commandLine(postmaster)
  return { commandLine, room: statOf(table, postmaster)?.titleRoom ?? null }
}

export const statOf = (table: ProcessTable, pid: Pid): ProcessStat | null => {
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

const mayBeStartup =
  (checkpointer: Child | null) =>
  ({ started }: Child): boolean => {
    return checkpointer === null || started - checkpointer.started <= bornTogetherTicks
  }
