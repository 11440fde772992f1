import t from 'tap'
import type { Change } from '../../../src/facts/report/event.ts'
import { noMaintenance } from '../../../src/facts/decide/maintenance-mode.ts'
import { currentVerdict } from '../../../src/facts/decide/snapshot.ts'
import {
  changesMax,
  changeVariables,
  historyJson,
  withChange,
} from '../../../src/facts/report/changes.ts'
import type { MonotonicMs, Pid, TimelineId, UnixMs } from '../../../src/facts/units.ts'
import { decide } from '../../../src/facts/decide/verdict.ts'
import { noon, primaryEvidence, standbyEvidence } from '../../harness/evidence.ts'

const down = decide(primaryEvidence({ lockFile: { kind: 'absent' } }))
const change = (changes: Partial<Change> = {}): Change => ({
  at: noon,
  from: decide(standbyEvidence()),
  to: decide(primaryEvidence()),
  postmaster: 4711 as Pid,
  timeline: 3 as TimelineId,
  ...changes,
})

t.test('the last hundred changes are kept, oldest first', async t => {
  let history: readonly Change[] = []
  for (let count = 1; count <= changesMax + 5; count += 1) {
    history = withChange(history, change({ at: count as UnixMs }))
    t.equal(history.length, Math.min(count, changesMax))
  }
  t.equal(history[0]?.at, 6)
  t.equal(history.at(-1)?.at, changesMax + 5)
})

t.test('programs get the time, the roles and the reason', async t => {
  const first = change({ from: null, to: down, postmaster: null, timeline: null })
  t.strictSame(historyJson([first, change()]), {
    changes: [
      {
        time: '2026-01-01T12:00:00.000Z',
        from: null,
        to: 'unavailable',
        rule: 'no lock file',
        because: 'no postmaster.pid in /pgdata: no server is running',
        timeline: null,
        pid: null,
      },
      {
        time: '2026-01-01T12:00:00.000Z',
        from: 'standby',
        to: 'primary',
        rule: 'in production',
        because: 'postmaster pid 4711 is ready and the cluster state is in production',
        timeline: 3,
        pid: 4711,
      },
    ],
  })
  t.strictSame(historyJson([]), { changes: [] })
})

t.test('a command gets a promotion', async t => {
  t.strictSame(changeVariables(change(), '/pgdata'), {
    PG_REPLSTATUS_ROLE: 'primary',
    PG_REPLSTATUS_FROM: 'standby',
    PG_REPLSTATUS_RULE: 'in production',
    PG_REPLSTATUS_BECAUSE: 'postmaster pid 4711 is ready and the cluster state is in production',
    PG_REPLSTATUS_TIMELINE: '3',
    PG_REPLSTATUS_PGDATA: '/pgdata',
    PG_REPLSTATUS_PID: '4711',
    PG_REPLSTATUS_TIME: '2026-01-01T12:00:00.000Z',
  })
})

t.test('and of the first verdict, from which nothing breaks out of its line', async t => {
  const to = decide(primaryEvidence({ path: '/a\nb', lockFile: { kind: 'absent' } }))
  const first = change({ from: null, to, postmaster: null, timeline: null })
  t.match(changeVariables(first, '/a\nb'), {
    PG_REPLSTATUS_ROLE: 'unavailable',
    PG_REPLSTATUS_FROM: 'unknown',
    PG_REPLSTATUS_BECAUSE: String.raw`no postmaster.pid in /a\u000ab: no server is running`,
    PG_REPLSTATUS_TIMELINE: '',
    PG_REPLSTATUS_PGDATA: '/a\nb',
    PG_REPLSTATUS_PID: '',
  })
})

t.test('before the first check no role is known', async t => {
  const from = currentVerdict(null, {
    now: 0 as MonotonicMs,
    leaseMs: 1500,
    pulse: { kind: 'steady' },
    maintenance: noMaintenance,
  })
  t.match(changeVariables(change({ from }), '/pgdata'), { PG_REPLSTATUS_FROM: 'unknown' })
})
