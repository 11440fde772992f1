import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import type { KnownControlFile } from '../../../src/facts/decode/control-file.ts'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import { replicationOf, type Replication } from '../../../src/facts/decide/streaming.ts'
import { parseLsn, type Lsn } from '../../../src/facts/units.ts'
import { anyEvidence } from '../../harness/any-evidence.ts'
import {
  child,
  children,
  controlFile,
  newerControlFile,
  noSignalFiles,
  primaryEvidence,
  seen,
  standbyChildren,
  standbyEvidence,
} from '../../harness/evidence.ts'

const lsn = (text: string): Lsn => parseLsn(text) ?? assert.fail(text)

type Standby = {
  readonly startup?: string | null
  readonly walreceiver?: string | null
  readonly control?: Partial<KnownControlFile>
}

const standby = ({
  startup = 'startup recovering 000000010000000000000003',
  walreceiver = 'walreceiver streaming 0/3000148',
  control = {},
}: Standby): Evidence =>
  standbyEvidence({
    children: children({
      startup: startup === null ? null : child(startup, 4714),
      walwriter: null,
      walreceiver: walreceiver === null ? null : child(walreceiver, 4715),
    }),
    controlFile: seen(controlFile({ state: 'in archive recovery', ...control })),
  })

const at = (position: string | null, segment: string | null) => ({
  receiveLsn: position === null ? null : lsn(position),
  replaySegment: segment,
})
const segment = '000000010000000000000003'

type Case = readonly [what: string, Standby, expected: Replication | null]
const cases: readonly Case[] = [
  ['in step', {}, { state: 'streaming', ...at('0/3000148', segment) }],
  [
    'in step, as 10 writes it',
    {
      startup: 'startup process   recovering 000000010000000000000003',
      walreceiver: 'wal receiver process   streaming 0/3000148',
    },
    { state: 'streaming', ...at('0/3000148', segment) },
  ],
  [
    'in step, under a cluster name that looks like a title',
    { startup: 'idle: startup recovering 0000000200000001000000FF' },
    { state: 'streaming', ...at('0/3000148', '0000000200000001000000FF') },
  ],
  [
    'one segment behind',
    { walreceiver: 'walreceiver streaming 0/5000000' },
    { state: 'streaming', ...at('0/5000000', segment) },
  ],
  [
    'two segments behind',
    { walreceiver: 'walreceiver streaming 0/5000001' },
    { state: 'catching up', ...at('0/5000001', segment) },
  ],
  [
    'two segments of 64 MiB behind',
    {
      walreceiver: 'walreceiver streaming 0/14000001',
      control: { walSegmentSize: 0x400_0000 },
    },
    { state: 'catching up', ...at('0/14000001', segment) },
  ],
  [
    'in step with segments of 1 GiB, past 4 GiB',
    {
      startup: 'startup recovering 0000000A0000000100000000 waiting',
      walreceiver: 'walreceiver streaming 1/7FFFFFFF',
      control: { walSegmentSize: 0x4000_0000 },
    },
    { state: 'streaming', ...at('1/7FFFFFFF', '0000000A0000000100000000') },
  ],
  [
    'without an upstream',
    { walreceiver: null, startup: 'startup waiting for 000000010000000000000004' },
    { state: 'not connected', ...at(null, '000000010000000000000004') },
  ],
  [
    'without an upstream and without titles',
    { walreceiver: null, startup: 'startup' },
    { state: 'not connected', ...at(null, null) },
  ],
  [
    'between two timelines',
    { walreceiver: 'walreceiver restarting at 0/3000000' },
    { state: 'catching up', ...at(null, segment) },
  ],
  [
    'waiting for instructions',
    { walreceiver: 'walreceiver idle' },
    { state: 'catching up', ...at(null, segment) },
  ],
  [
    'with a receiver that has said nothing yet',
    { walreceiver: 'walreceiver' },
    { state: 'unknown', ...at(null, segment) },
  ],
  [
    'without titles',
    { startup: 'startup', walreceiver: 'walreceiver' },
    { state: 'unknown', ...at(null, null) },
  ],
  [
    'with a startup process that tells nothing',
    { startup: 'startup' },
    { state: 'unknown', ...at('0/3000148', null) },
  ],
  [
    'with a title torn while it was written',
    { walreceiver: 'walreceiver streaming 0/' },
    { state: 'unknown', ...at(null, segment) },
  ],
  [
    'with titles that stand still, as the control file shows',
    { control: { minRecoveryPoint: lsn('0/3000149') } },
    { state: 'unknown', ...at(null, segment) },
  ],
  [
    'with all received that the control file knows of',
    { control: { minRecoveryPoint: lsn('0/3000148') } },
    { state: 'streaming', ...at('0/3000148', segment) },
  ],
  ['whose startup process has ended', { startup: null }, null],
  ...[0, 1, 0x8_0000, 0x100_0001, 0x8000_0000].map((walSegmentSize): Case => [
    `with segments of ${walSegmentSize} bytes, which can't be`,
    { control: { walSegmentSize } },
    { state: 'unknown', ...at('0/3000148', segment) },
  ]),
]

for (const [what, made, expected] of cases) {
  t.test(`a standby ${what}`, async t => {
    t.strictSame(replicationOf(standby(made)), expected)
  })
}

t.test('a server that is not a standby has no state of replication', async t => {
  t.equal(replicationOf(primaryEvidence()), null)
  const crashed = seen(controlFile({ state: 'in crash recovery' }))
  t.equal(replicationOf(standbyEvidence({ controlFile: crashed })), null)
  t.equal(replicationOf(standbyEvidence({ postmaster: { kind: 'gone' } })), null)
  t.equal(replicationOf(standbyEvidence({ controlFile: { kind: 'absent' } })), null)
})

const nothingSeen = { state: 'unknown', ...at(null, null) }

t.test('what cannot be seen is unknown', async t => {
  const hidden = standbyEvidence({ children: { kind: 'invisible' } })
  t.strictSame(replicationOf(hidden), nothingSeen)
  const undecided = children({ startup: null, startupUndecided: true })
  t.strictSame(replicationOf(standbyEvidence({ children: undecided })), nothingSeen)
})

t.test('under a newer version than is known, how far it is behind is unknown', async t => {
  const fact = { ...newerControlFile(), state: 'in archive recovery' } as const
  t.strictSame(replicationOf(standbyEvidence({ controlFile: seen(fact) })), {
    state: 'unknown',
    ...at('0/3000148', segment),
  })
})

t.test('nor does one whose titles cannot be read', async t => {
  const illegible = { ...standbyChildren(), titlesIncomplete: true }
  const cut = (changes: Partial<typeof illegible>) =>
    replicationOf(standbyEvidence({ children: { ...illegible, ...changes } }))
  t.strictSame(cut({ startup: null, walreceiver: null }), nothingSeen)
  t.strictSame(cut({ walreceiver: null }), { state: 'unknown', ...at(null, segment) })
  t.match(cut({}), { state: 'streaming' }, 'others do not matter')
})

t.test('without the control file a signal file makes a standby, of unknown lag', async t => {
  const unasked = (signalFiles: Partial<Evidence['signalFiles']>) =>
    standbyEvidence({
      controlCheck: 'off',
      controlFile: { kind: 'absent' },
      signalFiles: { ...noSignalFiles, ...signalFiles },
    })
  const expected = { state: 'unknown', ...at('0/3000148', segment) }
  t.strictSame(replicationOf(unasked({ standbySignal: true })), expected)
  t.strictSame(replicationOf(unasked({ recoverySignal: true })), expected)
  t.equal(replicationOf(unasked({})), null)
})

t.test('whatever is found, a position comes with a receiver that streams', async t => {
  const property = fc.property(anyEvidence, evidence => {
    const found = replicationOf(evidence)
    const streams = / streaming /.test(
      evidence.children.kind === 'present' ? (evidence.children.walreceiver?.title ?? '') : '',
    )
    if (found?.receiveLsn !== undefined && found.receiveLsn !== null) assert(streams)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
  t.match(standbyChildren().walreceiver, { title: / streaming / })
})
