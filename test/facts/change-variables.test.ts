import t from 'tap'
import { changeVariables } from '../../src/facts/change-variables.ts'
import type { Change } from '../../src/facts/event.ts'
import { noMaintenance } from '../../src/facts/maintenance.ts'
import { currentVerdict } from '../../src/facts/snapshot.ts'
import type { MonotonicMs, Pid, TimelineId } from '../../src/facts/units.ts'
import { decide } from '../../src/facts/verdict.ts'
import { noon, primaryEvidence, standbyEvidence } from '../harness/evidence.ts'

t.test('a promotion', async t => {
  const change: Change = {
    at: noon,
    from: decide(standbyEvidence()),
    to: decide(primaryEvidence()),
    postmaster: 4711 as Pid,
    timeline: 3 as TimelineId,
  }
  t.strictSame(changeVariables(change, '/pgdata'), {
    PG_REPLSTATUS_ROLE: 'primary',
    PG_REPLSTATUS_FROM: 'standby',
    PG_REPLSTATUS_RULE: 'in production',
    PG_REPLSTATUS_BECAUSE: 'postmaster pid 4711 is ready and the control file says in production',
    PG_REPLSTATUS_TIMELINE: '3',
    PG_REPLSTATUS_PGDATA: '/pgdata',
    PG_REPLSTATUS_PID: '4711',
    PG_REPLSTATUS_TIME: '2026-01-01T12:00:00.000Z',
  })
})

t.test(
  'the first verdict, of a server that does not run; nothing breaks out of its line',
  async t => {
    const to = decide(primaryEvidence({ path: '/a\nb', lockFile: { kind: 'absent' } }))
    const change: Change = { at: noon, from: null, to, postmaster: null, timeline: null }
    t.match(changeVariables(change, '/a\nb'), {
      PG_REPLSTATUS_ROLE: 'unavailable',
      PG_REPLSTATUS_FROM: 'unknown',
      PG_REPLSTATUS_BECAUSE: 'there is no postmaster.pid in /a.b: no server runs there',
      PG_REPLSTATUS_TIMELINE: '',
      PG_REPLSTATUS_PGDATA: '/a\nb',
      PG_REPLSTATUS_PID: '',
    })
  },
)

t.test('before the first look nothing is known', async t => {
  const from = currentVerdict(null, {
    now: 0 as MonotonicMs,
    leaseMs: 1500,
    pulse: { kind: 'steady' },
    maintenance: noMaintenance,
  })
  const to = decide(primaryEvidence())
  const change: Change = { at: noon, from, to, postmaster: null, timeline: null }
  t.match(changeVariables(change, '/pgdata'), { PG_REPLSTATUS_FROM: 'unknown' })
})
