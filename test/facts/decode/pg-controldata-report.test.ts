import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import {
  decodeControlDataReport,
  describeControlDataFault,
  type ControlDataFault,
} from '../../../src/facts/decode/pg-controldata-report.ts'
import { clusterStates } from '../../../src/facts/decode/control-file.ts'
import { printLsn, type Lsn } from '../../../src/facts/units.ts'
import { anyText, assertOneLine, damaged } from '../../harness/foreign-text.ts'

/** Printed by pg_controldata of PostgreSQL 15 for a standby, less what nobody reads. */
const report = `pg_control version number:            1300
Catalog version number:               202209061
Database system identifier:           7711400643599336365
Database cluster state:               in archive recovery
pg_control last modified:             Mon Nov 23 16:12:55 2026
Latest checkpoint location:           16/B374D8B8
Latest checkpoint's REDO location:    16/B374D848
Latest checkpoint's REDO WAL file:    0000000200000016000000B3
Latest checkpoint's TimeLineID:       2
Latest checkpoint's PrevTimeLineID:   1
Latest checkpoint's full_page_writes: on
Latest checkpoint's NextXID:          0:724
Latest checkpoint's oldestCommitTsXid:0
Time of latest checkpoint:            Tue Nov  3 06:02:05 2026
Fake LSN counter for unlogged rels:   0/3E8
Minimum recovery ending location:     0/1511B38
Min recovery ending loc's timeline:   2
Backup start location:                0/0
End-of-backup record required:        no
WAL block size:                       8192
Bytes per WAL segment:                16777216
Mock authentication nonce:            0d468e621ac1a73af84cb68132c144e7
`
const fact = {
  systemIdentifier: 7_711_400_643_599_336_365n,
  controlVersion: 1300,
  catalogVersion: 202_209_061,
  state: 'in archive recovery',
  modified: Date.UTC(2026, 10, 23, 16, 12, 55) / 1000,
  checkpoint: 0x16_b374_d8b8n,
  redo: 0x16_b374_d848n,
  checkpointTimeline: 2,
  checkpointTime: Date.UTC(2026, 10, 3, 6, 2, 5) / 1000,
  minRecoveryPoint: 0x151_1b38n,
  minRecoveryTimeline: 2,
  walSegmentSize: 16_777_216,
  walPageSize: 8192,
}

const faultOf = (text: string): ControlDataFault => {
  const decoded = decodeControlDataReport(text)
  assert(!decoded.ok)
  return decoded.fault
}

const lineOf = (label: string): RegExp => new RegExp(`^${label}:.*\n`, 'm')
const withValue = (label: string, value: string): string =>
  report.replace(lineOf(label), () => `${label}:  ${value}\n`)

/** Each label that is read, and values that can't stand there. */
const notNumbers = ['', '-1', '1.5', '0x10', 'many', '12345678901']
const notTimes = ['', '???', 'Mon Nov 23 16:12:55 UTC 2026', 'Mon Abc 23 16:12:55 2026']
const notTimesEither = ['Mon Nov 32 16:12:55 2026', 'Mon Nov 23 25:12:55 2026', '2026-11-23']
const notPositions = ['', '0', '0/', '/0', '0/0/0', 'g/0', '0/123456789', 'a/b']
const readLines: readonly (readonly [label: string, wanted: string, bad: readonly string[]])[] = [
  ['Database system identifier', 'a number', ['', '-1', 'x', '123456789012345678901']],
  ['pg_control version number', 'a number', notNumbers],
  ['Catalog version number', 'a number', notNumbers],
  ['Database cluster state', 'a cluster state', ['', 'unrecognized status code', 'IN PRODUCTION']],
  ['pg_control last modified', 'a time', [...notTimes, ...notTimesEither]],
  ['Latest checkpoint location', 'a log position', notPositions],
  ["Latest checkpoint's REDO location", 'a log position', notPositions],
  ["Latest checkpoint's TimeLineID", 'a timeline', notNumbers],
  ['Time of latest checkpoint', 'a time', notTimes],
  ['Minimum recovery ending location', 'a log position', notPositions],
  ["Min recovery ending loc's timeline", 'a timeline', notNumbers],
  ['Bytes per WAL segment', 'a number', notNumbers],
  ['WAL block size', 'a number', notNumbers],
]

t.test('a report of PostgreSQL 15 is read', t => {
  t.strictSame(decodeControlDataReport(report), { ok: true, fact })
  t.end()
})

t.test('the spelling of older versions is understood', t => {
  const older = report.replace(
    'Minimum recovery ending location:    ',
    'Min recovery ending location:',
  )
  t.not(older, report)
  t.strictSame(decodeControlDataReport(older), { ok: true, fact })
  t.end()
})

t.test('log positions may be printed with leading zeros, as 19 does', t => {
  const text = withValue('Minimum recovery ending location', '0/01511B38')
  t.strictSame(decodeControlDataReport(text), { ok: true, fact })
  t.end()
})

t.test('each cluster state is read', t => {
  for (const state of clusterStates) {
    t.match(decodeControlDataReport(withValue('Database cluster state', state)), {
      fact: { state },
    })
  }
  t.end()
})

t.test('each month is read', t => {
  for (let month = 0; month < 12; month += 1) {
    const modified = Date.UTC(2026, month, 9) / 1000
    const [, name] = new Date(modified * 1000).toUTCString().split(' ').slice(1)
    const text = withValue('pg_control last modified', `Fri ${name}  9 00:00:00 2026`)
    t.match(decodeControlDataReport(text), { fact: { modified } }, name ?? '')
  }
  t.end()
})

/** As strftime prints %c in the C locale. */
const printTime = (seconds: number): string => {
  const [weekday, day = '', month, year, clock] = new Date(seconds * 1000)
    .toUTCString()
    .replace(',', '')
    .split(' ')
  return [weekday, month, day.replace(/^0/, ' '), clock, year].join(' ')
}

t.test('whatever the program prints of a control file is read back', t => {
  const uint64 = fc.bigInt(0n, 0xffff_ffff_ffff_ffffn)
  const uint32 = fc.nat(0xffff_ffff)
  const seconds = fc.integer({ min: 0, max: 253_402_300_799 })
  const written = fc.record({
    systemIdentifier: uint64,
    controlVersion: uint32,
    catalogVersion: uint32,
    state: fc.constantFrom(...clusterStates),
    modified: seconds,
    checkpoint: uint64,
    redo: uint64,
    checkpointTimeline: uint32,
    checkpointTime: seconds,
    minRecoveryPoint: uint64,
    minRecoveryTimeline: uint32,
    walSegmentSize: uint32,
    walPageSize: uint32,
  })
  const property = fc.property(written, fields => {
    const values = [
      fields.systemIdentifier,
      fields.controlVersion,
      fields.catalogVersion,
      fields.state,
      printTime(fields.modified),
      printLsn(fields.checkpoint as Lsn),
      printLsn(fields.redo as Lsn),
      fields.checkpointTimeline,
      printTime(fields.checkpointTime),
      printLsn(fields.minRecoveryPoint as Lsn),
      fields.minRecoveryTimeline,
      fields.walSegmentSize,
      fields.walPageSize,
    ]
    let text = report
    for (const [at, [label]] of readLines.entries()) {
      text = text.replace(lineOf(label), () => `${label}:  ${values[at]}\n`)
    }
    assert.deepStrictEqual(decodeControlDataReport(text), { ok: true, fact: { ...fields } })
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})

t.test('a report that the program itself does not trust is a fault', t => {
  const crc = 'Calculated CRC checksum does not match value stored in file.'
  const crc18 = 'calculated CRC checksum does not match value stored in control file'
  const warnings: readonly (readonly [string, string])[] = [
    [`WARNING: ${crc}\nEither the file is corrupt, or it has a different layout\n\n${report}`, crc],
    [`pg_controldata: warning: ${crc18}\npg_controldata: detail: Either\n${report}`, crc18],
    [`${report}pg_controldata: warning: ${crc18}\n`, crc18],
    [`WARNING: invalid WAL segment size\n${report}`, 'invalid WAL segment size'],
    [
      report.replace('Catalog', 'WARNING: possible byte ordering mismatch\nCatalog'),
      'possible byte ordering mismatch',
    ],
  ]
  for (const [text, message] of warnings) {
    t.strictSame(faultOf(text), { kind: 'warning', message })
  }
  t.end()
})

t.test('a line that is missing is named', t => {
  for (const [label] of readLines) {
    t.strictSame(faultOf(report.replace(lineOf(label), '')), { kind: 'missing line', label })
  }
  t.match(faultOf(''), { kind: 'missing line' })
  t.end()
})

t.test('an invalid line is named with its content', t => {
  for (const [label, wanted, values] of readLines) {
    for (const found of values) {
      t.strictSame(faultOf(withValue(label, found)), { kind: 'bad line', label, found, wanted })
    }
  }
  const long = withValue('Database cluster state', 'x'.repeat(1000))
  t.match(faultOf(long), { found: 'x'.repeat(40) })
  t.end()
})

t.test('no report cut short is taken for a whole one', t => {
  const lastRead = report.indexOf("Min recovery ending loc's timeline")
  const taken: number[] = []
  for (let length = 0; length < lastRead; length += 1) {
    if (decodeControlDataReport(report.slice(0, length)).ok) taken.push(length)
  }
  t.strictSame(taken, [])
  t.end()
})

t.test('no text makes it throw, and every fault is described in one line', t => {
  const piece = fc.oneof(fc.constantFrom(...report.split('\n')), anyText)
  const warning = fc.tuple(fc.constantFrom('WARNING: ', 'x: warning: '), anyText, anyText)
  const anything = fc.oneof(
    fc.array(piece).map(pieces => pieces.join('\n')),
    warning.map(words => `${words.join('')}\n${report}`),
    damaged(report),
  )
  const property = fc.property(anything, text => {
    const decoded = decodeControlDataReport(text)
    if (!decoded.ok) assertOneLine(describeControlDataFault(decoded.fault))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
  t.end()
})

t.test('a fault is described by what was found and what was expected', t => {
  const label = 'Database cluster state'
  const bad = { kind: 'bad line', label, found: 'unwell', wanted: 'a cluster state' } as const
  const cases: readonly (readonly [ControlDataFault, string])[] = [
    [
      { kind: 'warning', message: 'invalid WAL segment size' },
      'it warns: invalid WAL segment size',
    ],
    [{ kind: 'warning', message: '\x1b[31mtorn' }, String.raw`it warns: \u001b[31mtorn`],
    [{ kind: 'missing line', label }, 'its report has no line "Database cluster state"'],
    [bad, '"Database cluster state" is "unwell", but must be a cluster state'],
  ]
  for (const [broken, text] of cases) t.equal(describeControlDataFault(broken), text)
  t.end()
})
