/** The two processes on which an answer hangs, and how long each has been unable to serve. */
import type { Pid } from '../../src/facts/units.ts'
import type { ProcessHandle } from '../../src/observe/processes/process-table.ts'
import { fakeProcesses, type FakeProcess } from './fake-processes.ts'
import type { Fate, Who } from './look-sequence.ts'

export type Body = { readonly body: FakeProcess; readonly handle: ProcessHandle }

/** A pulse may count for this long. */
const pulseCountsMs = 1

const pids = { postmaster: 4711, checkpointer: 4712 } as const

export const createVitalBodies = (now: () => number) => {
  const { table, add, remove } = fakeProcesses()
  const living = new Map<Who, FakeProcess>()
  const illSince = new Map<FakeProcess, number>()

  /** A checkpointer that is stopped writes nothing, and the server serves on. */
  const isIll = (who: Who, body: FakeProcess): boolean =>
    living.get(who) !== body ||
    ['zombie', 'dead', who === 'postmaster' ? 'stopped' : ''].includes(body.state ?? 'running')

  const meet = (who: Who, fate: Fate): void => {
    const before = living.get(who)
    if (fate === 'gone') {
      remove(pids[who])
      living.delete(who)
    } else if (fate === 'replaced' || before === undefined) {
      living.set(who, add({ pid: pids[who], state: fate === 'replaced' ? 'running' : fate }))
    } else {
      before.state = fate
    }
    if (before === undefined) return
    if (!isIll(who, before)) illSince.delete(before)
    else if (!illSince.has(before)) illSince.set(before, now())
  }
  meet('postmaster', 'replaced')
  meet('checkpointer', 'replaced')

  return {
    meet,
    /** Null when there is none. */
    hold: (who: Who): Body | null => {
      const body = living.get(who)
      const handle = table.open(pids[who] as Pid)
      return body === undefined || typeof handle === 'string' ? null : { body, handle }
    },
    /** For longer than a pulse taken before may count. */
    isKnownIll: (body: FakeProcess): boolean =>
      now() - (illSince.get(body) ?? Infinity) >= pulseCountsMs,
  }
}
