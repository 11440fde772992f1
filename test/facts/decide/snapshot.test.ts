import t from 'tap'
import {
  maintenanceOn,
  noMaintenance,
  type Maintenance,
} from '../../../src/facts/decide/maintenance-mode.ts'
import { currentVerdict, stampSnapshot } from '../../../src/facts/decide/snapshot.ts'
import { underDaemon, underMaintenance, type Pulse } from '../../../src/facts/decide/snapshot.ts'
import type { MonotonicMs } from '../../../src/facts/units.ts'
import { noSignalFiles, noon, primaryEvidence, snapshotOf } from '../../harness/evidence.ts'

const steady: Pulse = { kind: 'steady' }
const at = (now: number, pulse: Pulse = steady, maintenance: Maintenance = noMaintenance) => ({
  now: now as MonotonicMs,
  leaseMs: 1500,
  pulse,
  maintenance,
})
const snapshot = snapshotOf(primaryEvidence())

t.test('a fresh snapshot with a steady pulse has the verdict of the check', async t => {
  t.equal(currentVerdict(snapshot, at(1000)), snapshot.verdict)
  t.equal(currentVerdict(snapshot, at(2500)), snapshot.verdict)
})

t.test('a snapshot older than its lease has expired', async t => {
  t.strictSame(currentVerdict(snapshot, at(2501)), {
    kind: 'unavailable',
    rule: 'lease expired',
    because: 'the last check is 1501 ms old, the limit is 1500 ms',
    settled: false,
  })
})

t.test('if checks fail, the reason has the error', async t => {
  const short = { shortage: 'EMFILE' }
  const lacking = /, and checks fail \(EMFILE\)$/
  t.match(currentVerdict(snapshot, { ...at(2501), ...short }), { because: lacking })
  t.match(currentVerdict(null, { ...at(0), ...short }), { because: lacking })
  t.equal(currentVerdict(snapshot, { ...at(2500), ...short }), snapshot.verdict)
})

t.test('a lost pulse overrules the snapshot at once', async t => {
  const lost: Pulse = { kind: 'lost', lost: 'postmaster pid 4711 is gone' }
  t.match(currentVerdict(snapshot, at(1000, lost)), {
    kind: 'unavailable',
    rule: 'server process gone',
    because: 'postmaster pid 4711 is gone',
  })
})

t.test('before the first check there is no role', async t => {
  t.match(currentVerdict(null, at(0)), { kind: 'unavailable', rule: 'not yet checked' })
})

t.test('maintenance mode takes precedence over whatever was found', async t => {
  const verdict = {
    kind: 'unavailable',
    rule: 'maintenance',
    because: 'new kernel',
    settled: true,
  } as const
  const lost: Pulse = { kind: 'lost', lost: 'postmaster pid 4711 is gone' }
  const byHand = maintenanceOn('new kernel')
  t.strictSame(currentVerdict(snapshot, at(1000, steady, byHand)), verdict)
  t.strictSame(currentVerdict(snapshot, at(9999, steady, byHand)), verdict)
  t.strictSame(currentVerdict(snapshot, at(1000, lost, byHand)), verdict)
  t.strictSame(currentVerdict(null, at(1000, steady, byHand)), verdict)
  t.strictSame(underMaintenance(snapshot, byHand), { ...snapshot, verdict })
  t.equal(underMaintenance(snapshot, noMaintenance), snapshot)
})

t.test('only what the daemon alone can see overrules a check', async t => {
  const because = 'new kernel'
  for (const rule of ['maintenance', 'superseded', 'asking peers'] as const) {
    const verdict = { kind: 'unavailable', rule, because, settled: true } as const
    t.strictSame(underDaemon(snapshot, { rule, because }), { ...snapshot, verdict })
  }
  for (const rule of [
    'in production',
    'lease expired',
    'server process gone',
    'no lock file',
    '',
  ]) {
    t.equal(underDaemon(snapshot, { rule, because }), snapshot, rule)
  }
})

t.test('there is no role until the maintenance file has been checked', async t => {
  const maintenance = { kind: 'not yet checked' } as const
  t.strictSame(currentVerdict(snapshot, at(1000, steady, maintenance)), {
    kind: 'unavailable',
    rule: 'not yet checked',
    because: 'the maintenance file has not been checked yet',
    settled: false,
  })
})

t.test('a snapshot holds the evidence, what it comes to, and when it was taken', async t => {
  const when = { lookedAt: 7 as MonotonicMs, lookedAtUnix: noon, lookMs: 0.5 }
  const touched = primaryEvidence({ signalFiles: { ...noSignalFiles, standbySignal: true } })
  t.match(stampSnapshot(touched, when), {
    ...when,
    evidence: touched,
    verdict: { role: 'primary' },
    hazards: [{ name: 'primary with standby request' }],
  })
  const down = primaryEvidence({ lockFile: { kind: 'absent' } })
  t.match(stampSnapshot(down, when), { verdict: { kind: 'unavailable' }, hazards: [] })
})

t.test('what peers report overrules the table, and adds hazards', async t => {
  const evidence = primaryEvidence({ signalFiles: { ...noSignalFiles, standbySignal: true } })
  const { lookedAt, lookedAtUnix, lookMs } = snapshot
  const hazard = { name: 'another primary', warning: 's2:8008 is a primary as well' } as const
  const stamped = stampSnapshot(evidence, { lookedAt, lookedAtUnix, lookMs }, () => ({
    overruling: { rule: 'asking peers', because: 'waiting for the answer of s3:8008' },
    hazards: [hazard],
  }))
  t.strictSame(stamped.verdict, {
    kind: 'unavailable',
    rule: 'asking peers',
    because: 'waiting for the answer of s3:8008',
    settled: true,
  })
  t.match(stamped.hazards, [{ name: 'primary with standby request' }, hazard])
})
