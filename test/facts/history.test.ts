import t from 'tap'
import type { Change } from '../../src/facts/event.ts'
import { changesMax, historyJson, withChange } from '../../src/facts/history.ts'
import type { Pid, TimelineId, UnixMs } from '../../src/facts/units.ts'
import { decide } from '../../src/facts/verdict.ts'
import { noon, primaryEvidence, standbyEvidence } from '../harness/evidence.ts'

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

t.test('programs are told when, from what, to what and why', async t => {
  const first = change({ from: null, to: down, postmaster: null, timeline: null })
  t.strictSame(historyJson([first, change()]), {
    changes: [
      {
        time: '2026-01-01T12:00:00.000Z',
        from: null,
        to: 'unavailable',
        rule: 'no lock file',
        because: 'there is no postmaster.pid in /pgdata: no server runs there',
        timeline: null,
        pid: null,
      },
      {
        time: '2026-01-01T12:00:00.000Z',
        from: 'standby',
        to: 'primary',
        rule: 'in production',
        because: 'postmaster pid 4711 is ready and the control file says in production',
        timeline: 3,
        pid: 4711,
      },
    ],
  })
  t.strictSame(historyJson([]), { changes: [] })
})
