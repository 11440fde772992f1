import * as fc from 'fast-check'
import t from 'tap'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import type { LockFile } from '../../../src/facts/decode/lock-file.ts'
import {
  remember,
  weighDoubt,
  type Doubt,
  type RestartMemory,
  type Surroundings,
} from '../../../src/facts/decide/crash-restart.ts'
import type { MonotonicMs, Pid, UnixMs, UnixSeconds } from '../../../src/facts/units.ts'
import {
  alive,
  child,
  children,
  controlFile,
  directory,
  lockFile,
  primaryEvidence,
  seen,
  standbyEvidence,
} from '../../harness/evidence.ts'

const at = (ms: number) => (1_767_268_000_000 + ms) as UnixMs
const withId = (id: number, changes: Partial<LockFile> = {}) =>
  lockFile({ sharedMemory: { key: 1, id }, ...changes })
const now = 5000 as MonotonicMs

const see = (
  before: RestartMemory | null,
  lock: LockFile,
  written: UnixMs,
  clockOffsetMs = 0,
): RestartMemory => remember(before, { lockFile: lock, written, now, clockOffsetMs })

/** Memory after a postmaster was watched from its start until it was ready. */
const watchedFromStart = (): RestartMemory => {
  const starting = see(null, withId(7, { status: 'starting' }), at(0))
  return see(starting, withId(7), at(100))
}

t.test('a postmaster watched from its start is in no doubt', async t => {
  t.equal(watchedFromStart().doubt, null)
})

t.test('one that is ready at first sight may be in the middle of a crash restart', async t => {
  const doubt = { kind: 'first sight', since: now, clockOffsetMs: 0 }
  t.strictSame(see(null, withId(7), at(5)).doubt, { ...doubt, written: at(5) })
  const early = see(null, lockFile({ sharedMemory: null, status: null }), at(0))
  t.strictSame(see(early, withId(7), at(9)).doubt, { ...doubt, written: at(9) }, 'without an id')
})

t.test('a shared memory id that is not there for a while is not forgotten', async t => {
  const without = lockFile({ sharedMemory: null })
  t.strictSame(see(watchedFromStart(), without, at(200)), watchedFromStart())
  const crashed = see(see(watchedFromStart(), without, at(200)), withId(8), at(300))
  t.match(crashed.doubt, { kind: 'new id', written: at(300) })
  t.strictSame(see(crashed, without, at(300)), crashed, 'nor is the doubt')
})

t.test('another pid, or the same with another start time, is another postmaster', async t => {
  const before = watchedFromStart()
  const again = see(before, withId(9, { pid: 99 as Pid, status: 'starting' }), at(200))
  t.equal(again.doubt, null)
  const recycled = withId(9, { startTime: 5 as UnixSeconds, status: 'starting' })
  t.equal(see(before, recycled, at(200)).doubt, null)
})

t.test('the memory stays the same object as long as there is nothing new', async t => {
  const before = watchedFromStart()
  t.equal(see(before, withId(7), at(200)), before)
  const doubting = see(null, withId(7), at(5))
  t.equal(see(doubting, withId(7), at(5)), doubting)
  t.not(see(doubting, withId(7), at(6)), doubting)
})

t.test('a new shared memory id under the same pid is a crash restart', async t => {
  const crashed = see(watchedFromStart(), withId(8), at(5000))
  t.match(crashed.doubt, { kind: 'new id', written: at(5000) })
  t.equal(see(crashed, withId(8), at(5000)).doubt, crashed.doubt)
  t.equal(see(crashed, withId(8), at(7000)).doubt, null, 'over with the next write')
  const twice = see(crashed, withId(9), at(6000)).doubt
  t.match(twice, { kind: 'new id', written: at(6000) }, 'a second one on top begins anew')
})

t.test('a doubt has the clock of the check before, and the memory that of now', async t => {
  const set = see(watchedFromStart(), withId(7), at(100), 2000)
  t.match(set, { doubt: null, clockOffsetMs: 2000 })
  t.equal(see(set, withId(7), at(100), 2004), set, 'less is no jump')
  const crashed = see(watchedFromStart(), withId(8), at(200), 2000)
  t.match(crashed, { doubt: { clockOffsetMs: 0 }, clockOffsetMs: 2000 })
  t.match(see(crashed, withId(8), at(200), 9000), { doubt: crashed.doubt, clockOffsetMs: 9000 })
})

const doubtful = (
  kind: Doubt['kind'],
  written: UnixMs,
  changes: Partial<RestartMemory> = {},
): RestartMemory => ({
  pid: 4711 as Pid,
  startTime: lockFile().startTime,
  sharedMemoryId: 8,
  doubt: { kind, written, since: now, clockOffsetMs: 0 },
  clockOffsetMs: 0,
  ...changes,
})

const weigh = (
  memory: RestartMemory,
  evidence: Evidence,
  changes: Partial<Omit<Surroundings, 'evidence'>> = {},
) => {
  const times = { now, startupAgeMs: 0, startupRestedMs: 0, ...changes }
  return weighDoubt(memory, { evidence, ...times })
}
const isUnderWay = (...given: Parameters<typeof weigh>): boolean => weigh(...given).underWay
/** Dropped for good, so that nothing later can bring it back. */
const isDropped = (...given: Parameters<typeof weigh>): boolean => {
  const { memory, underWay } = weigh(...given)
  return !underWay && memory.doubt === null
}

const both = ['first sight', 'new id'] as const

t.test('without a doubt nothing is under way', async t => {
  const memory = watchedFromStart()
  t.strictSame(weigh(memory, standbyEvidence()), { memory, underWay: false })
})

t.test('nor is there a result while there is no postmaster', async t => {
  const memory = doubtful('new id', at(0))
  const evidence = primaryEvidence({ children: { kind: 'not checked' } })
  t.strictSame(weigh(memory, evidence), { memory, underWay: false })
})

t.test('on a primary', async t => {
  const before = primaryEvidence({ children: children({ walwriter: null }) })
  const undecided = children({ startupUndecided: true, walwriter: null })

  t.test('it is over when the WAL writer is there and the startup process is gone', async t => {
    for (const kind of both) t.ok(isDropped(doubtful(kind, at(0)), primaryEvidence()))
    t.ok(isUnderWay(doubtful('new id', at(0)), before))
  })

  t.test('at first sight it may be still to come', async t => {
    const memory = doubtful('first sight', at(0))
    t.strictSame(weigh(memory, before), { memory, underWay: false })
    t.ok(isUnderWay(memory, primaryEvidence({ children: undecided })), 'or have come')
  })

  t.test('a child without title is no startup process beside a WAL writer', async t => {
    const evidence = primaryEvidence({ children: children({ startupUndecided: true }) })
    for (const kind of both) t.ok(isDropped(doubtful(kind, at(0)), evidence))
  })

  t.test('a checkpoint written just before the crash is no sign of recovery', async t => {
    // In the 10 ms to which the start of a process is rounded down.
    const startup = child('startup', 4714, 500)
    const recovering = children({ startup, walwriter: null })
    const checkpointed = seen(controlFile(), startup.startedAt)
    const evidence = primaryEvidence({ children: recovering, controlFile: checkpointed })
    for (const kind of both) {
      t.ok(isUnderWay(doubtful(kind, (startup.startedAt + 4) as UnixMs), evidence))
    }
  })

  t.test('neither idleness nor time ends it beside a startup process', async t => {
    const startup = child('startup recovering 000000010000000000000003', 4714, 500)
    const evidence = primaryEvidence({ children: children({ startup, walwriter: null }) })
    const long = { startupAgeMs: 1e6, startupRestedMs: 1e6 }
    for (const kind of both) {
      t.ok(isUnderWay(doubtful(kind, startup.startedAt), evidence, long))
      // File times in whole seconds make no difference.
      const coarse = (Math.floor(startup.startedAt / 1000) * 1000) as UnixMs
      t.ok(isUnderWay(doubtful(kind, coarse), evidence, long))
    }
  })
})

t.test('if children are not visible, the order of two file times decides', async t => {
  const production = (ms: number) => seen(controlFile(), at(ms))
  for (const [hidden, name] of [
    [{ kind: 'invisible' }, 'invisible'],
    [children({ walwriter: null, checkpointer: null, titlesIncomplete: true }), 'illegible'],
  ] as const) {
    t.test(`${name}, on a primary`, async t => {
      const evidence = (ms: number) =>
        primaryEvidence({ children: hidden, controlFile: production(ms) })
      for (const kind of both) t.ok(isDropped(doubtful(kind, at(0)), evidence(1)))
      t.ok(isDropped(doubtful('first sight', at(0)), evidence(-2000)), 'ready comes soon after')
      t.ok(isUnderWay(doubtful('first sight', at(0)), evidence(-2001)), 'an old checkpoint')
      t.ok(isUnderWay(doubtful('new id', at(0)), evidence(0)))
      t.ok(isUnderWay(doubtful('new id', at(0)), evidence(-1), { now: 1e9 as MonotonicMs }))
    })
    t.test(`${name}, on a standby`, async t => {
      const evidence = standbyEvidence({ children: hidden })
      t.ok(isDropped(doubtful('first sight', at(0)), evidence))
      const crashed = doubtful('new id', at(0))
      t.ok(isUnderWay(crashed, evidence, { now: (now + 59_999) as MonotonicMs }))
      t.ok(isDropped(crashed, evidence, { now: (now + 60_000) as MonotonicMs }))
    })
    t.test(`${name}, without the control file`, async t => {
      const off = {
        children: hidden,
        controlCheck: 'off',
        controlFile: { kind: 'absent' },
      } as const
      const late = { now: (now + 60_000) as MonotonicMs }
      t.ok(isDropped(doubtful('new id', at(0)), standbyEvidence(off), late))
      t.ok(isUnderWay(doubtful('new id', at(0)), primaryEvidence(off), late))
      const unknown = { ...off, directory: directory(null) }
      t.ok(isDropped(doubtful('new id', at(0)), standbyEvidence(unknown), late))
    })
  }
})

t.test('on a standby', async t => {
  const startup = child('startup recovering 000000010000000000000003', 4714, 500)
  const recovering = children({ startup, walwriter: null })
  const after = (ms: number) => (startup.startedAt + ms) as UnixMs
  const evidence = (changes: Partial<Evidence> = {}): Evidence =>
    standbyEvidence({
      children: recovering,
      controlFile: seen(controlFile({ state: 'in archive recovery' }), after(900_000)),
      ...changes,
    })
  const withReceiver = { ...recovering, walreceiver: child('walreceiver', 4715, 510) }

  t.test('a lock file written before the startup process started is stale', async t => {
    for (const kind of both) t.ok(isUnderWay(doubtful(kind, after(-3)), evidence()))
  })

  t.test('one written clearly after that is fresh', async t => {
    for (const kind of both) {
      t.ok(isUnderWay(doubtful(kind, after(20)), evidence()))
      t.ok(isDropped(doubtful(kind, after(21)), evidence()))
    }
  })

  t.test(
    'so is one written after the control file, which recovery writes at its start',
    async t => {
      const began = (ms: number) => ({
        controlFile: seen(controlFile({ state: 'in archive recovery' }), after(ms)),
      })
      for (const kind of both) {
        t.ok(isDropped(doubtful(kind, after(12)), evidence(began(11))))
        t.ok(isUnderWay(doubtful(kind, after(11)), evidence(began(11))))
        t.ok(isUnderWay(doubtful(kind, after(12)), evidence(began(10))), 'just before the crash')
        t.ok(isUnderWay(doubtful(kind, after(12)), evidence(began(-1))), 'by an earlier recovery')
      }
      t.ok(isUnderWay(doubtful('new id', after(5)), evidence({ controlFile: { kind: 'absent' } })))
    },
  )

  t.test('but not if the clock was set since', async t => {
    const written = after(500)
    for (const setByMs of [-3_600_000, -5, 5, 3_600_000]) {
      const memory = doubtful('new id', written, { clockOffsetMs: setByMs })
      t.strictSame(weigh(memory, evidence()), { memory, underWay: true }, `${setByMs}`)
    }
    t.ok(isDropped(doubtful('new id', written, { clockOffsetMs: 4 }), evidence()))
    t.ok(isUnderWay(doubtful('new id', written, { startTime: null }), evidence()))
    const hidden = { kind: 'signal 0', createdSharedMemory: true } as const
    t.ok(isUnderWay(doubtful('new id', written), evidence({ postmaster: hidden })))
    for (const [ms, dropped] of [
      [-2001, false],
      [-2000, true],
      [2000, true],
      [2001, false],
    ] as const) {
      const startedAt = (alive.startedAt + ms) as UnixMs
      const memory = doubtful('new id', written)
      const moved = evidence({ postmaster: { ...alive, startedAt } })
      t.equal(isDropped(memory, moved), dropped, `${ms} ms off the lock file's start time`)
    }
  })

  t.test('a WAL receiver proves nothing: logins may be refused for hours', async t => {
    const streaming = evidence({ children: withReceiver })
    const long = { startupAgeMs: 1e9, startupRestedMs: 1e9 }
    t.ok(isUnderWay(doubtful('new id', after(1)), streaming, long))
  })

  t.test('a session younger than the startup process proves that logins are accepted', async t => {
    for (const kind of both)
      for (const [started, dropped] of [
        [500, true],
        [499, false],
      ] as const) {
        const session = child('me db [local] idle', 4720, started)
        const counted = evidence({ children: { ...recovering, session } })
        t.equal(isDropped(doubtful(kind, after(0)), counted), dropped)
      }
  })

  t.test('the first startup process of a postmaster has no crash behind it', async t => {
    const first = children({ startup: child('startup', 4714, 100), walwriter: null })
    const written = (first.startup?.startedAt ?? 0) as UnixMs
    const atFirstSight = doubtful('first sight', written)
    t.ok(isDropped(atFirstSight, evidence({ children: first })))
    const hidden = { kind: 'signal 0', createdSharedMemory: true } as const
    const unknown = evidence({ children: first, postmaster: hidden })
    t.ok(isUnderWay(atFirstSight, unknown), 'if its start is known')
    const ending = seen(controlFile({ state: 'shutting down' }), after(900_000))
    const last = evidence({ children: first, controlFile: ending })
    t.ok(isUnderWay(atFirstSight, last), 'and recovery goes on')
    const later = children({ startup: child('startup', 4714, 101), walwriter: null })
    t.ok(isUnderWay(atFirstSight, evidence({ children: later })))
    t.ok(isUnderWay(doubtful('new id', written), evidence({ children: first })))
  })

  t.test('a lock file clearly older than the startup process is known to be left over', async t => {
    const long = { startupAgeMs: 1e9, startupRestedMs: 1e9 }
    t.ok(isUnderWay(doubtful('first sight', after(-11)), evidence(), long))
    t.ok(isDropped(doubtful('first sight', after(-10)), evidence(), long))
    const { memory } = weigh(doubtful('first sight', after(-11)), evidence())
    t.ok(isUnderWay(memory, evidence(), long), 'also with a later check')
  })

  t.test('if times are not sufficient', async t => {
    const wholeSecond = (Math.floor(startup.startedAt / 1000) * 1000) as UnixMs
    const cases = [
      ['at first sight', doubtful('first sight', after(7))],
      ['with file times in whole seconds', doubtful('new id', wholeSecond)],
    ] as const
    for (const [name, memory] of cases) {
      t.test(name, async t => {
        t.ok(isUnderWay(memory, evidence(), { startupRestedMs: 499 }))
        t.ok(isDropped(memory, evidence(), { startupRestedMs: 500 }), 'rest is believed')
        const streaming = evidence({ children: withReceiver })
        t.ok(isUnderWay(memory, streaming, { startupRestedMs: 1e9 }), 'not beside a receiver')
        t.ok(isUnderWay(memory, streaming, { startupAgeMs: 59_999 }))
        t.ok(isDropped(memory, streaming, { startupAgeMs: 60_000 }), 'and a minute at last')
      })
    }
  })
})

t.test('no doubt outlives a session', async () => {
  const evidence = fc.constantFrom(standbyEvidence(), primaryEvidence())
  fc.assert(
    fc.property(evidence, fc.constantFrom(...both), fc.integer(), (base, kind, ms) => {
      const session = child('me db [local] idle', 4720, 600)
      const counted =
        base.children.kind === 'present' ? { ...base.children, session } : base.children
      const { memory } = weigh(doubtful(kind, at(ms)), { ...base, children: counted })
      return memory.doubt === null
    }),
  )
})
