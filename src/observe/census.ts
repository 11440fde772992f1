/**
 * Who among the postmaster's children matters: startup process, checkpointer, WAL writer and WAL
 * receiver, out of possibly a thousand.
 *
 * A census reads every title and is dear, so it is taken only when it can have changed: as long
 * as the checkpointer of the last one lives there has been no crash restart, and without one no
 * startup process is ever born after it.
 */
import { childKind, type ChildKind } from '../facts/child-title.ts'
import type { Child, ChildrenSighting } from '../facts/sightings.ts'
import type { Pid } from '../facts/units.ts'
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
    const children = await countChildren(table, postmaster.pid)
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

const countChildren = async (table: ProcessTable, postmaster: Pid): Promise<ChildrenSighting> => {
  const pids = await table.children(postmaster)
  if (pids === null) return { kind: 'invisible' }
  const found: { [Kind in ChildKind]?: Child } = {}
  const suspects: Child[] = []
  for (let at = 0; at < pids.length; at += readersMax) {
    const batch = pids.slice(at, at + readersMax)
    for (const [kind, child] of await Promise.all(batch.map(pid => meetChild(table, pid)))) {
      if (child === null) continue
      if (kind === 'untitled' || (kind === 'unclear' && isNewborn(table, child)))
        suspects.push(child)
      else found[kind] = child
    }
  }
  const { startup = null, checkpointer = null, walwriter = null, walreceiver = null } = found
  const startupUndecided = startup === null && suspects.some(mayBeStartup(checkpointer))
  return { kind: 'seen', startup, checkpointer, walwriter, walreceiver, startupUndecided }
}

/** No child for backends, of which only the number is great, and for who has died meanwhile. */
export const meetChild = async (
  table: ProcessTable,
  pid: Pid,
): Promise<[ChildKind, Child | null]> => {
  const commandLine = await table.commandLine(pid)
  const kind = childKind(commandLine)
  const stat = kind === 'other' ? null : glance(table, pid)
  if (stat === null) return [kind, null]
  const title = commandLine.split('\0', 1).join('').trimEnd()
  return [kind, { pid, started: stat.started, startedAt: table.startedAt(stat.started), title }]
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
