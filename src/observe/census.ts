/**
 * Who among the postmaster's children matters: startup process, checkpointer, WAL writer and WAL
 * receiver, out of possibly a thousand.
 *
 * A census reads every title and is dear, so it is taken only when it can have changed: as long
 * as the checkpointer of the last one lives there has been no crash restart, and without one no
 * startup process is ever born after it.
 */
import { childKind, isForeign, titleIn, type ChildKind } from '../facts/child-title.ts'
import type { Child, ChildrenSighting } from '../facts/sightings.ts'
import type { Pid, Ticks } from '../facts/units.ts'
import type { ProcessHandle, ProcessTable } from './process-table.ts'
import { createSlot, ifLiving, livingStat, type Slot } from './vital-signs.ts'

export type Count = {
  readonly children: ChildrenSighting
  /** The handle by which the checkpointer's pulse is taken; null without one. */
  readonly checkpointer: ProcessHandle | null
}

export type Census = {
  /** `fresh` asks for a count even when nothing can have changed. */
  readonly take: (postmaster: ProcessHandle, fresh: boolean) => Promise<Count>
  readonly close: () => void
}

type Counted = Extract<ChildrenSighting, { kind: 'seen' }>

/** Files open at the same time while titles are read. */
const readersMax = 32
/** The startup process is forked before the checkpointer, or right after it (15 and newer). */
const bornTogetherTicks = 100
/** Long enough for a child to have written its title, also on a busy machine. */
const titledByMs = 50

export const createCensus = (table: ProcessTable): Census => {
  const startupSlot = createSlot(table)
  const checkpointerSlot = createSlot(table)
  let last: { postmaster: ProcessHandle; children: Counted } | null = null
  let acquaintances: Acquaintances = new Map()

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

  const recount = async (postmaster: ProcessHandle): Promise<Count> => {
    const known = last?.postmaster === postmaster ? acquaintances : new Map()
    const { children, met } = await countChildren(table, postmaster.pid, known)
    acquaintances = met
    if (children.kind !== 'seen') return { children, checkpointer: null }
    const checkpointer = hold(checkpointerSlot, children.checkpointer)
    return checkpointer === null
      ? { children: { ...children, checkpointer }, checkpointer }
      : { children, checkpointer }
  }

  return {
    take: async (postmaster, fresh) => {
      const count = (fresh ? null : stillTrue(postmaster)) ?? (await recount(postmaster))
      const { children } = count
      last = children.kind === 'seen' ? { postmaster, children } : null
      return count
    },
    close: () => {
      startupSlot.drop()
      checkpointerSlot.drop()
      last = null
    },
  }
}

/** Who has said what he is, and will be that until he ends: his title need not be read again. */
type Acquaintance = {
  readonly started: Ticks
  readonly kind: ChildKind
  /** Null for those of whom only the number is great. */
  readonly child: Child | null
}

type Acquaintances = ReadonlyMap<Pid, Acquaintance>

type Recount = { readonly children: ChildrenSighting; readonly met: Acquaintances }

/**
 * Titles are read at the speed of a busy machine's threads, and a promotion or a crash restart is
 * no time to wait for those of the same backends once more.
 */
const countChildren = async (
  table: ProcessTable,
  postmaster: Pid,
  known: Acquaintances,
): Promise<Recount> => {
  const pids = table.children(postmaster)
  if (pids === null) return { children: { kind: 'invisible' }, met: new Map() }
  const found: { [Kind in ChildKind]?: Child } = {}
  const suspects: Child[] = []
  const met = new Map<Pid, Acquaintance>()
  const count = (pid: Pid, acquaintance: Acquaintance): void => {
    const { kind, child } = acquaintance
    met.set(pid, acquaintance)
    // When he started is told by the clock of now, which may have been set meanwhile.
    if (child !== null) found[kind] = { ...child, startedAt: table.startedAt(child.started) }
  }
  const strangers: Pid[] = []
  for (const pid of pids) {
    const acquaintance = known.get(pid)
    if (acquaintance !== undefined && glance(table, pid)?.started === acquaintance.started)
      count(pid, acquaintance)
    else strangers.push(pid)
  }
  for (let at = 0; at < strangers.length; at += readersMax) {
    const batch = strangers.slice(at, at + readersMax)
    const titled = await Promise.all(batch.map(pid => meetChild(table, pid)))
    for (const one of titled) {
      if (one === null) continue
      const { kind, child, lasting } = one
      const isNew = isNewborn(table, child)
      if (kind === 'untitled' || (kind === 'unclear' && isNew)) suspects.push(child)
      else if (lasting && !isNew)
        count(child.pid, { kind, started: child.started, child: ofInterest(kind, child) })
      else found[kind] = child
    }
  }
  const { startup = null, checkpointer = null, walwriter = null, walreceiver = null } = found
  const startupUndecided = startup === null && suspects.some(mayBeStartup(checkpointer))
  const children = { startup, checkpointer, walwriter, walreceiver, startupUndecided }
  return { children: { kind: 'seen', ...children }, met }
}

const ofInterest = (kind: ChildKind, child: Child): Child | null =>
  kind === 'other' || kind === 'unclear' ? null : child

export type Met = {
  readonly kind: ChildKind
  readonly child: Child
  /** What he is can't be read otherwise another time. */
  readonly lasting: boolean
}

/** Null for who has died meanwhile. */
export const meetChild = async (table: ProcessTable, pid: Pid): Promise<Met | null> => {
  const commandLine = await table.commandLine(pid)
  const stat = glance(table, pid)
  if (stat === null) return null
  const title = titleIn(commandLine)
  const { started } = stat
  const child = { pid, started, startedAt: table.startedAt(started), title: title.trimEnd() }
  const kind = childKind(commandLine)
  return { kind, child, lasting: kind !== 'unclear' || isForeign(commandLine) }
}

/** Titles are written in place: that of a newborn may have been read half-written. */
export const isNewborn = (table: ProcessTable, { started }: Child): boolean =>
  table.ageMs(started) < titledByMs

export const glance = (table: ProcessTable, pid: Pid): ReturnType<typeof livingStat> => {
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
