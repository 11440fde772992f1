import * as fc from 'fast-check'
import t from 'tap'
import { decodeMember, memberDocument, memberOf } from '../../../src/facts/report/member-json.ts'
import type { Lsn, MonotonicMs, SystemIdentifier } from '../../../src/facts/units.ts'
import { wireWords } from '../../../src/serve/role/reply.ts'
import { primaryEvidence, snapshotOf, standbyEvidence } from '../../harness/evidence.ts'
import { anyText, damaged } from '../../harness/foreign-text.ts'
import { member, primaryOn } from '../../harness/standing-table.ts'
import { anyHistory, promoted, timelineHistory } from '../../harness/timelines.ts'

const second = promoted(timelineHistory(1), 0x300_0148n)
const document = {
  instance: 'other',
  name: 's2',
  role: 'standby',
  rule: 'in archive recovery',
  because: 'postmaster pid 1 is ready',
  port: 5432,
  replication_state: null,
  hazards: [],
  system_identifier: '7395001122334455667',
  timeline: 2,
  timeline_history: [{ timeline: 1, switched_at: '0/3000148' }],
  wal_position: '16/B374E000',
  age_ms: 10,
}

t.test('the answer of a member', async t => {
  const walPosition = 0x16_b374_e000n as Lsn
  t.strictSame(JSON.parse(memberDocument(member({ history: second, walPosition }))), document)
  const nothing = member({ systemIdentifier: null, history: null, ageMs: null })
  t.match(JSON.parse(memberDocument(nothing)), {
    system_identifier: null,
    timeline: null,
    timeline_history: null,
    wal_position: null,
    age_ms: null,
  })
})

t.test('it is what the last check found, and the verdict of now', async t => {
  const snapshot = snapshotOf({ ...primaryOn(second), walPosition: 0x500n as Lsn })
  const verdict = {
    kind: 'unavailable',
    rule: 'superseded',
    because: 's2 is on timeline 3',
    settled: true,
  } as const
  const told = { verdict, now: 1010.4 as MonotonicMs, instance: 'own', name: 's1' }
  t.strictSame(memberOf(snapshot, told), {
    instance: 'own',
    name: 's1',
    port: 5432,
    replication: null,
    hazards: [],
    answer: 'unavailable',
    rule: 'superseded',
    because: 's2 is on timeline 3',
    systemIdentifier: 7_395_001_122_334_455_667n,
    history: second,
    walPosition: 0x500n,
    ageMs: 10,
  })
  const unread = snapshotOf(primaryEvidence({ controlFile: { kind: 'absent' } }))
  const nothing = { systemIdentifier: null, history: null, walPosition: null }
  t.match(memberOf(unread, told), nothing)
  t.match(memberOf(null, told), { ...nothing, port: null, hazards: [], ageMs: null })
  const down = { ...primaryOn(second), lockFile: { kind: 'absent' } } as const
  t.match(memberOf(snapshotOf(down), told), { port: null })
  t.match(memberOf(snapshotOf(standbyEvidence()), told), { replication: 'streaming' })
  const hazards = [{ name: 'another primary', warning: 's3 is a primary as well' }] as const
  const twin = snapshotOf(primaryOn(second), { hazards })
  t.strictSame(memberOf(twin, told).hazards, ['another primary'])
})

t.test('it is read back', async t => {
  fc.assert(
    fc.property(
      fc.record({
        answer: fc.constantFrom('primary', 'standby', 'unavailable'),
        systemIdentifier: fc.option(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn })),
        history: fc.option(anyHistory),
        walPosition: fc.option(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn })),
        ageMs: fc.option(fc.nat()),
        name: fc.option(fc.constant('db1')),
        port: fc.option(fc.nat(65_535)),
        replication: fc.option(fc.constantFrom('streaming', 'catching up', 'unknown')),
        hazards: fc.option(fc.constant(['another primary'])),
      }),
      changes => {
        const told = member(changes as Parameters<typeof member>[0])
        t.strictSame(decodeMember(memberDocument(told)), { ok: true, fact: told })
      },
    ),
  )
})

t.test('fields that are added later are ignored', async t => {
  t.match(decodeMember(JSON.stringify({ ...document, lag: 1 })), { ok: true })
})

t.test('an older daemon reports less', async t => {
  const { name: _, port: __, replication_state: ___, hazards: ____, ...older } = document
  const fields = { name: null, port: null, replication: null, hazards: null }
  t.match(decodeMember(JSON.stringify(older)), { ok: true, fact: fields })
})

t.test('text from another host is made printable', async t => {
  const read = decodeMember(JSON.stringify({ ...document, because: '\u001B[2J' + 'x'.repeat(999) }))
  t.match(read, { fact: { because: /^\\u001b\[2Jx{191}\.\.\.$/ } })
})

t.test('the first field that is not as it must be is named', async t => {
  const wrong: readonly (readonly [field: string, changes: object])[] = [
    ['instance', { instance: 1 }],
    ['instance', { instance: 'no blanks' }],
    ['instance', { instance: '' }],
    ['role', { role: wireWords.primary }],
    ['rule', { rule: null }],
    ['because', { because: 1 }],
    ['system_identifier', { system_identifier: 7_395 }],
    ['system_identifier', { system_identifier: '18446744073709551616' }],
    ['system_identifier', { system_identifier: '-1' }],
    ['timeline_history', { timeline: null }],
    ['timeline_history', { timeline: 1 }],
    ['timeline_history', { timeline_history: undefined }],
    ['timeline_history', { timeline_history: [1] }],
    ['timeline_history', { timeline_history: [{ timeline: 1 }] }],
    ['timeline_history', { timeline_history: [{ timeline: 0, switched_at: '0/1' }] }],
    ['timeline_history', { timeline_history: [] }],
    ['wal_position', { wal_position: 5 }],
    ['wal_position', { wal_position: '5' }],
    ['name', { name: 1 }],
    ['port', { port: '5432' }],
    ['port', { port: 65_536 }],
    ['port', { port: -1 }],
    ['port', { port: 1.5 }],
    ['replication_state', { replication_state: 'late' }],
    ['hazards', { hazards: 'superseded' }],
    ['hazards', { hazards: ['superseded', 1] }],
    ['age_ms', { age_ms: -1 }],
    ['age_ms', { age_ms: '1' }],
  ]
  for (const [field, changes] of wrong) {
    const read = decodeMember(JSON.stringify({ ...document, ...changes }))
    t.strictSame(read, { ok: false, fault: field }, JSON.stringify(changes))
  }
  for (const text of ['', '[]', 'null', '1', wireWords.primary]) {
    t.strictSame(decodeMember(text), { ok: false, fault: 'not a JSON object' }, text)
  }
})

t.test('nothing makes it throw', async () => {
  fc.assert(
    fc.property(fc.oneof(anyText, damaged(JSON.stringify(document)), fc.json()), text => {
      const read = decodeMember(text)
      return read.ok ? typeof read.fact.because === 'string' : typeof read.fault === 'string'
    }),
  )
})

t.test('an identifier of 64 bits is not rounded', async t => {
  const largest = 0xffff_ffff_ffff_ffffn as SystemIdentifier
  const read = decodeMember(memberDocument(member({ systemIdentifier: largest })))
  t.match(read, { fact: { systemIdentifier: largest } })
})
