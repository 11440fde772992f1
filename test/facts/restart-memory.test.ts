import t from 'tap'
import type { LockFile } from '../../src/facts/lock-file.ts'
import { crashRestartUnderWay, remember } from '../../src/facts/restart-memory.ts'
import type { RestartMemory } from '../../src/facts/restart-memory.ts'
import type { Pid, UnixMs, UnixSeconds } from '../../src/facts/units.ts'
import {
  child,
  children,
  lockFile,
  postmasterStarted,
  standbyChildren,
} from '../harness/evidence.ts'

const onStandby = { postmasterStarted, recovering: true }
const at = (ms: number) => (1_767_268_000_000 + ms) as UnixMs
const withId = (id: number, changes: Partial<LockFile> = {}) =>
  lockFile({ sharedMemory: { key: 1, id }, ...changes })

const see = (
  before: RestartMemory | null,
  seen: LockFile,
  written: UnixMs,
  clockOffsetMs = 0,
): RestartMemory => remember(before, { lockFile: seen, written, clockOffsetMs })

/** Memory after a postmaster was watched from its start until it was ready. */
const watchedFromStart = (): RestartMemory => {
  const starting = see(null, withId(7, { status: 'starting' }), at(0))
  return see(starting, withId(7), at(100))
}

t.test('a postmaster watched from its start is under no suspicion', async t => {
  t.equal(watchedFromStart().suspicion, null)
})

t.test(
  'a postmaster that is ready at first sight may be in the middle of a crash restart',
  async t => {
    t.strictSame(see(null, withId(7), at(5)).suspicion, {
      kind: 'first sight',
      written: at(5),
      writtenAt: at(5),
    })
  },
)

t.test('so may one whose shared memory id was not yet written when it was seen before', async t => {
  const early = see(null, lockFile({ sharedMemory: null, status: null }), at(0))
  t.strictSame(see(early, withId(7), at(9)).suspicion, {
    kind: 'first sight',
    written: at(9),
    writtenAt: at(9),
  })
})

t.test('a shared memory id that is not there for a while is not forgotten', async t => {
  const without = lockFile({ sharedMemory: null })
  t.strictSame(see(watchedFromStart(), without, at(200)), watchedFromStart())
  const crashed = see(see(watchedFromStart(), without, at(200)), withId(8), at(300))
  t.strictSame(crashed.suspicion, { kind: 'new id', written: at(300), writtenAt: at(300) })
  t.strictSame(see(crashed, without, at(300)), crashed, 'nor is the suspicion')
})

t.test('another pid, or the same with another start time, is another postmaster', async t => {
  const before = watchedFromStart()
  const again = see(before, withId(9, { pid: 99 as Pid, status: 'starting' }), at(200))
  t.equal(again.suspicion, null)
  const recycled = withId(9, { startTime: 5 as UnixSeconds, status: 'starting' })
  t.equal(see(before, recycled, at(200)).suspicion, null)
})

t.test('the memory stays the same object as long as there is nothing new', async t => {
  const before = watchedFromStart()
  t.equal(see(before, withId(7), at(200)), before)
  const suspecting = see(null, withId(7), at(5))
  t.equal(see(suspecting, withId(7), at(5)), suspecting)
  t.not(see(suspecting, withId(7), at(6)), suspecting)
})

t.test('a new shared memory id under the same pid is a crash restart', async t => {
  const crashed = see(watchedFromStart(), withId(8), at(5000))
  t.strictSame(crashed.suspicion, { kind: 'new id', written: at(5000), writtenAt: at(5000) })

  t.test('until the lock file is written once more', async t => {
    const still = see(crashed, withId(8), at(5000))
    t.same(still.suspicion, crashed.suspicion)
    t.equal(see(still, withId(8), at(7000)).suspicion, null)
  })

  t.test('and a second one on top begins anew', async t => {
    const twice = see(crashed, withId(9), at(6000))
    t.strictSame(twice.suspicion, { kind: 'new id', written: at(6000), writtenAt: at(6000) })
  })
})

const memory = (kind: 'first sight' | 'new id', written: UnixMs): RestartMemory => ({
  pid: 4711 as Pid,
  startTime: null,
  sharedMemoryId: 8,
  suspicion: { kind, written, writtenAt: written },
  clockOffsetMs: 0,
})

t.test('without a suspicion nothing is under way', async t => {
  t.equal(crashRestartUnderWay(watchedFromStart(), standbyChildren(), onStandby), false)
})

t.test('where children can not be seen, only the new id counts', async t => {
  const unseen = { kind: 'invisible' } as const
  t.equal(crashRestartUnderWay(memory('new id', at(0)), unseen, onStandby), true)
  t.equal(crashRestartUnderWay(memory('first sight', at(0)), unseen, onStandby), false)
})

t.test('a child that may be the startup process keeps up the suspicion', async t => {
  const undecided = children({ startupUndecided: true, walwriter: null })
  t.equal(crashRestartUnderWay(memory('first sight', at(0)), undecided, onStandby), true)
})

t.test('but not beside a WAL writer, which runs in normal operation alone', async t => {
  const undecided = children({ startupUndecided: true })
  for (const kind of ['first sight', 'new id'] as const)
    t.equal(crashRestartUnderWay(memory(kind, at(0)), undecided, onStandby), false)
})

t.test(
  'a primary is done when the startup process is gone and the WAL writer is there',
  async t => {
    const suspected = memory('new id', at(0))
    t.equal(crashRestartUnderWay(suspected, children(), onStandby), false)
    const before = children({ walwriter: null })
    t.equal(crashRestartUnderWay(suspected, before, onStandby), true)
    t.equal(crashRestartUnderWay(memory('first sight', at(0)), before, onStandby), false)
  },
)

t.test('on a standby', async t => {
  const startup = child('startup recovering 000000010000000000000003', 4714, 500)
  const recovering = children({ startup, walwriter: null })
  const soonAfter = (ms: number) => (startup.startedAt + ms) as UnixMs

  t.test('a lock file written before the startup process was born is left over', async t => {
    for (const kind of ['first sight', 'new id'] as const) {
      const suspected = memory(kind, soonAfter(-3))
      t.equal(crashRestartUnderWay(suspected, recovering, onStandby), true)
    }
  })

  t.test('one written clearly after that is fresh', async t => {
    for (const [ms, underWay] of [
      [20, true],
      [21, false],
    ] as const) {
      const suspected = memory('new id', soonAfter(ms))
      t.equal(crashRestartUnderWay(suspected, recovering, onStandby), underWay)
    }
  })

  t.test('a WAL receiver tells that all local WAL has been replayed', async t => {
    const streaming = { ...recovering, walreceiver: child('walreceiver', 4715, 510) }
    t.equal(crashRestartUnderWay(memory('new id', soonAfter(0)), streaming, onStandby), false)
  })

  t.test('the first startup process of a postmaster has no crash behind it', async t => {
    const first = children({ startup: child('startup', 4714, 100), walwriter: null })
    const written = (first.startup?.startedAt ?? 0) as UnixMs
    const atFirstSight = memory('first sight', written)
    t.equal(crashRestartUnderWay(atFirstSight, first, onStandby), false)
    const unknown = { ...onStandby, postmasterStarted: null }
    t.equal(crashRestartUnderWay(atFirstSight, first, unknown), true, 'if its start is known')
    const ending = { ...onStandby, recovering: false }
    t.equal(crashRestartUnderWay(atFirstSight, first, ending), true, 'and recovery goes on')
    const later = children({ startup: child('startup', 4714, 101), walwriter: null })
    t.equal(crashRestartUnderWay(atFirstSight, later, onStandby), true)
    t.equal(crashRestartUnderWay(memory('new id', written), first, onStandby), true)
  })

  t.test('a clock that is set after the lock file was written changes nothing', async t => {
    for (const setByMs of [-3_600_000, -2000, 2000, 3_600_000]) {
      for (const ms of [-3, 500]) {
        const suspected = memory('new id', soonAfter(ms))
        const after = see(suspected, withId(8, { startTime: null }), soonAfter(ms), setByMs)
        const bornBySetClock = { ...startup, startedAt: (startup.startedAt + setByMs) as UnixMs }
        const counted = { ...recovering, startup: bornBySetClock }
        t.equal(crashRestartUnderWay(after, counted, onStandby), ms < 0, `${setByMs}`)
      }
    }
  })

  t.test('one set while it was written leaves only the next write to go by', async t => {
    const crashed = see(watchedFromStart(), withId(8), soonAfter(500), 2000)
    t.strictSame(crashed.suspicion?.writtenAt, null)
    t.equal(crashRestartUnderWay(crashed, recovering, onStandby), true)
    const setAgain = see(crashed, withId(8), soonAfter(500), 0)
    t.equal(crashRestartUnderWay(setAgain, recovering, onStandby), true)
    t.equal(see(setAgain, withId(8), soonAfter(600), 0).suspicion, null)
  })

  t.test('a clock being slewed is not being set', async t => {
    const slewed = see(watchedFromStart(), withId(7), at(100), 4)
    t.equal(slewed.clockOffsetMs, 0)
    t.strictSame(see(slewed, withId(8), at(300), 4).suspicion?.writtenAt, at(300))
  })
})
