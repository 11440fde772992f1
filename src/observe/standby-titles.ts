/**
 * What the startup process and the WAL receiver of a standby say of themselves now.
 *
 * A count of children tells it once, and is not taken again while nothing can change the role
 * (census.ts). Whoever wants to know where the standby is asks here, at the time of asking, so
 * that looks cost nothing more: two titles are read; and while there is no WAL receiver the
 * children are listed, and the titles of those who were not there a moment ago.
 *
 * A title may wait for the process's memory lock, and may be read torn. So nothing waits for it
 * for ever, and no verdict depends on it.
 */
import type { ChildKind, TitleFrame } from '../facts/child-title.ts'
import type { Evidence } from '../facts/evidence.ts'
import type { Child, ChildrenSighting } from '../facts/sightings.ts'
import type { MonotonicMs, Pid } from '../facts/units.ts'
import { mayHaveNoTitleYet, readTitle, readTitleFrame, statOf } from './census.ts'
import type { Clock } from './clock.ts'
import type { ProcessTable } from './process-table.ts'

export type StandbyTitles = {
  /** The evidence with both processes as they are now; the same where there is no standby. */
  readonly asOfNow: (evidence: Evidence) => Promise<Evidence>
}

type Counted = Extract<ChildrenSighting, { kind: 'seen' }>

/** How long to wait for titles; that many pass when a thousand are read, ten times over. */
const patienceMs = 1000
/** A torn title is whole again when it is read at once once more. */
const readingsMax = 2
/** For how long no number can have come round to another process. */
const acquaintedMs = 5000

const hidden: ChildrenSighting = { kind: 'invisible' }

export const createStandbyTitles = (
  table: ProcessTable,
  clock: Pick<Clock, 'after' | 'monotonic'>,
): StandbyTitles => {
  let startup: Child | null = null
  let receiver: Child | null = null
  /** Children that are something else. */
  let others: { of: Pid; pids: ReadonlySet<Pid>; at: MonotonicMs } | null = null
  let underWay: { of: Pid; reading: Promise<ChildrenSighting> } | null = null

  /** Null for none, also when one has no title yet. */
  const findReceiver = async (
    postmaster: Pid,
    titles: TitleFrame,
  ): Promise<Child | 'hidden' | null> => {
    const pids = table.children(postmaster)
    if (pids === null) return 'hidden'
    const at = clock.monotonic()
    const known =
      others?.of === postmaster && at - others.at < acquaintedMs ? others.pids : new Set<Pid>()
    const pidsOfOthers = new Set<Pid>()
    let found: Child | null = null
    for (const pid of pids) {
      const titled = known.has(pid) ? null : await readTitle(table, pid, titles)
      if (titled?.kind === 'walreceiver') found = titled.child
      else if (titled === null || !mayHaveNoTitleYet(table, titled)) pidsOfOthers.add(pid)
    }
    others = { of: postmaster, pids: pidsOfOthers, at }
    return found
  }

  const read = async (postmaster: Pid, counted: Counted): Promise<ChildrenSighting> => {
    const titles = await readTitleFrame(table, postmaster)
    startup = await asOfNow(table, {
      kind: 'startup',
      child: latest(startup, counted.startup),
      titles,
    })
    receiver =
      (await asOfNow(table, { kind: 'walreceiver', child: receiver, titles })) ??
      (await asOfNow(table, { kind: 'walreceiver', child: counted.walreceiver, titles }))
    if (receiver === null) {
      const found = await findReceiver(postmaster, titles)
      if (found === 'hidden') return hidden
      receiver = found
    }
    return { ...counted, startup, walreceiver: receiver }
  }

  const readSoon = (postmaster: Pid, counted: Counted): Promise<ChildrenSighting> => {
    if (underWay?.of !== postmaster) {
      const mine = { of: postmaster, reading: read(postmaster, counted) }
      const forget = (): void => {
        if (underWay === mine) underWay = null
      }
      void mine.reading.then(forget)
      underWay = mine
    }
    const { reading } = underWay
    return new Promise(resolve => {
      const timer = clock.after(patienceMs, () => {
        resolve(hidden)
      })
      const settle = (children: ChildrenSighting): void => {
        timer.cancel()
        resolve(children)
      }
      void reading.then(settle)
    })
  }

  return {
    asOfNow: async evidence => {
      const { lockFile, postmaster, children } = evidence
      if (lockFile.kind !== 'seen' || postmaster.kind !== 'alive') return evidence
      if (children.kind !== 'seen' || children.startup === null) return evidence
      return { ...evidence, children: await readSoon(lockFile.fact.pid, children) }
    },
  }
}

/** With its title of now; as it was when that can't be read whole; null when it has ended. */
export const asOfNow = async (
  table: ProcessTable,
  { kind, child, titles }: { kind: ChildKind; child: Child | null; titles: TitleFrame },
): Promise<Child | null> => {
  if (child === null) return null
  for (let readings = 1; readings <= readingsMax; readings += 1) {
    const titled = await readTitle(table, child.pid, titles)
    if (titled?.kind === kind && titled.child.started === child.started) return titled.child
  }
  return statOf(table, child.pid)?.started === child.started ? child : null
}

/** The newer title of the same process. */
const latest = (known: Child | null, counted: Child | null): Child | null =>
  known?.pid === counted?.pid && known?.started === counted?.started ? known : counted
