import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import { hazardsOf } from '../../../src/facts/decide/hazards.ts'
import { maintenanceOn } from '../../../src/facts/decide/maintenance-mode.ts'
import { nagiosReport, nagiosUnknown } from '../../../src/facts/report/nagios.ts'
import { underMaintenance } from '../../../src/facts/decide/snapshot.ts'
import {
  newerControlFile,
  noSignalFiles,
  primaryEvidence,
  seen,
  snapshotOf,
  standbyEvidence,
} from '../../harness/evidence.ts'
import { textOf } from '../../harness/foreign-text.ts'

const primary = snapshotOf(primaryEvidence())
const standby = snapshotOf(standbyEvidence())
const down = snapshotOf(primaryEvidence({ lockFile: { kind: 'absent' } }))
const orphanEvidence = standbyEvidence({ signalFiles: noSignalFiles })
const orphan = snapshotOf(orphanEvidence, { hazards: hazardsOf('standby', orphanEvidence) })

t.test('a role is OK, with its reason, the time of the check and the timeline', async t => {
  t.strictSame(nagiosReport(primary, null), {
    state: 'OK',
    line:
      'PG_REPLSTATUS OK - primary: postmaster pid 4711 is ready and the cluster state is ' +
      'in production | time=0.000432s timeline=3',
  })
  t.match(nagiosReport(standby, null), { state: 'OK', line: /^PG_REPLSTATUS OK - standby: / })
})

t.test('a newer version than is known is a warning, without a timeline', async t => {
  const evidence = primaryEvidence({ controlFile: seen(newerControlFile()) })
  const newer = snapshotOf(evidence, { hazards: hazardsOf('primary', evidence) })
  t.match(nagiosReport(newer, null), {
    state: 'WARNING',
    line: /^PG_REPLSTATUS WARNING - primary: .*, but control version 9900 is newer .* \| time=0\.000432s$/,
  })
})

t.test('none is critical', async t => {
  t.strictSame(nagiosReport(down, null), {
    state: 'CRITICAL',
    line:
      'PG_REPLSTATUS CRITICAL - unavailable: no postmaster.pid in /pgdata: ' +
      'no server is running | time=0.000432s timeline=3',
  })
  t.equal(
    nagiosReport(underMaintenance(primary, maintenanceOn('kernel')), 'primary').state,
    'CRITICAL',
  )
})

t.test('so is another role than the one that is expected', async t => {
  t.match(nagiosReport(standby, 'primary'), {
    state: 'CRITICAL',
    line: /^PG_REPLSTATUS CRITICAL - standby, expected primary: postmaster pid 4711 is ready and /,
  })
  t.match(nagiosReport(down, 'primary'), {
    line: /^PG_REPLSTATUS CRITICAL - unavailable: no postmaster.pid/,
  })
  const states = (['primary', 'standby', 'any'] as const).map(expected =>
    [primary, standby, down].map(snapshot => nagiosReport(snapshot, expected).state),
  )
  t.strictSame(states, [
    ['OK', 'CRITICAL', 'CRITICAL'],
    ['CRITICAL', 'OK', 'CRITICAL'],
    ['OK', 'OK', 'CRITICAL'],
  ])
})

t.test('a problem at the next start is a warning, or added to a worse state', async t => {
  const { state, line } = nagiosReport(orphan, 'standby')
  t.equal(state, 'WARNING')
  t.match(
    line,
    /^PG_REPLSTATUS WARNING - standby: .*archive recovery, but standby\.signal is missing/,
  )
  const worse = nagiosReport(orphan, 'primary')
  t.equal(worse.state, 'CRITICAL')
  t.match(worse.line, /- standby, expected primary: .*, but standby\.signal is missing/)
})

t.test('without a control file there is no timeline', async t => {
  const evidence = primaryEvidence({ controlFile: { kind: 'absent' } })
  t.match(nagiosReport(snapshotOf(evidence), null).line, / \| time=0\.000432s$/)
})

t.test('a failed check is UNKNOWN, with the hint', async t => {
  t.strictSame(nagiosUnknown({ message: '/a|b does not exist', hint: 'give\nanother' }), {
    state: 'UNKNOWN',
    line: String.raw`PG_REPLSTATUS UNKNOWN - /a.b does not exist (give\u000aanother)`,
  })
})

t.test('whatever the text is, the numbers follow the only bar of one line', async t => {
  const property = fc.property(textOf('|', '| x=1', "'", '\n', ';'), text => {
    const { line } = nagiosReport(underMaintenance(orphan, maintenanceOn(text)), null)
    assert.match(
      line,
      /^PG_REPLSTATUS CRITICAL - [^|\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+ \| time=[\d.]+s timeline=3$/u,
    )
    const unknown = nagiosUnknown({ message: text, hint: text }).line
    assert.match(unknown, /^PG_REPLSTATUS UNKNOWN - [^|\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})
