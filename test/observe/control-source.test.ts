import assert from 'node:assert'
import t from 'tap'
import { fact, fault } from '../../src/facts/outcome.ts'
import { createControlSource } from '../../src/observe/control-source.ts'
import { systemClock } from '../../src/observe/clock.ts'
import { openDataDirectory } from '../../src/observe/data-directory.ts'
import type { RawFile } from '../../src/observe/disk.ts'
import type { ControlDataProgram } from '../../src/observe/pg-controldata.ts'
import { forgeControlFile, layoutOfVersion, layoutToCome } from '../harness/control-file-builder.ts'
import { noon } from '../harness/evidence.ts'

const bytes = Buffer.from(forgeControlFile(layoutOfVersion('15')))
/** As pg_controldata of PostgreSQL 15 prints it, less what nobody reads. */
const report = `pg_control version number:            1300
Catalog version number:               202209061
Database system identifier:           7711400643599336365
Database cluster state:               shut down
pg_control last modified:             Mon Nov 23 16:12:55 2026
Latest checkpoint location:           16/B374D8B8
Latest checkpoint's REDO location:    16/B374D848
Latest checkpoint's TimeLineID:       2
Time of latest checkpoint:            Tue Nov  3 06:02:05 2026
Minimum recovery ending location:     0/0
Min recovery ending loc's timeline:   0
Bytes per WAL segment:                16777216
`
const setUp = (pgControl: Buffer | null, output = fact('')) => ({
  directory: openDataDirectory(
    t.testdir({ global: pgControl === null ? {} : { pg_control: pgControl } }),
    systemClock,
  ),
  program: { run: () => Promise.resolve(output) },
  timers: systemClock,
})

t.test('natively the control file is read and decoded', async t => {
  const { sighting, inode } = await createControlSource('native', setUp(bytes))('15')
  t.match(sighting, { kind: 'seen', fact: { state: 'in production' }, modified: Number })
  t.match(inode, /^\d+:\d+$/)
})

t.test('a damaged one is a fault, with its time', async t => {
  const damaged = Buffer.from(bytes)
  damaged.writeUInt8(9, 100)
  const { sighting, inode } = await createControlSource('native', setUp(damaged))('15')
  t.match(sighting, {
    kind: 'fault',
    fault: { source: 'native', fault: { kind: 'bad checksum' } },
    modified: Number,
  })
  t.match(inode, /^\d+:\d+$/)
})

t.test('one of a newer version, read half-written, is read again and then believed', async t => {
  const now = forgeControlFile(layoutToCome, { state: 'in archive recovery' })
  const torn = forgeControlFile(layoutToCome, { state: 'in production', modified: 1 })
  torn.set(now.subarray(32), 32)
  const readings = [torn, torn, now].map((bytes): RawFile => ({
    kind: 'seen',
    bytes: Buffer.from(bytes),
    inode: '1:2',
    modified: noon,
  }))
  const needs = setUp(null)
  const controlFile = () => Promise.resolve(readings.shift() ?? assert.fail('one reading too many'))
  const source = createControlSource('native', {
    ...needs,
    directory: { ...needs.directory, controlFile },
  })
  t.match((await source('19')).sighting, { kind: 'seen', fact: { state: 'in archive recovery' } })
})

t.test('none is none, whoever is asked', async t => {
  for (const check of ['native', 'pg_controldata'] as const) {
    t.strictSame(await createControlSource(check, setUp(null))('15'), {
      sighting: { kind: 'absent' },
      inode: null,
    })
  }
})

t.test('pg_controldata is believed instead when it is asked', async t => {
  const source = createControlSource('pg_controldata', setUp(bytes, fact(report)))
  t.match(await source('15'), {
    sighting: { kind: 'seen', fact: { state: 'shut down' } },
    inode: /:/,
  })
})

t.test('what goes wrong with it is a fault of its own', async t => {
  const failed = fault({ kind: 'program failed', message: 'no' } as const)
  const refusing = { ...setUp(bytes), program: { run: () => Promise.resolve(failed) } }
  t.match(await createControlSource('pg_controldata', refusing)('15'), {
    sighting: { kind: 'fault', fault: { source: 'pg_controldata', fault: failed.fault } },
  })
  const silent = createControlSource('pg_controldata', setUp(bytes, fact('')))
  t.match(await silent('15'), { sighting: { kind: 'fault', fault: { source: 'pg_controldata' } } })
})

t.test('switched off, nothing is read', async t => {
  t.strictSame(await createControlSource('off', setUp(bytes))('15'), {
    sighting: { kind: 'absent' },
    inode: null,
  })
})

/** A control file that is the very same, or another one with the same bytes. */
const standingStill = () => {
  const raw = (): RawFile => ({ kind: 'seen', bytes, inode: '1:2', modified: noon })
  let found = raw()
  const { directory } = setUp(null)
  return {
    directory: { ...directory, controlFile: () => Promise.resolve(found) },
    read: () => {
      found = raw()
    },
  }
}

t.test('a control file that stood still says what it said before', async t => {
  const { directory, read } = standingStill()
  const source = createControlSource('native', { ...setUp(null), directory })
  const first = await source('15')
  t.equal(await source('15'), first)
  read()
  const second = await source('15')
  t.not(second, first)
  t.strictSame(second, first)
})

t.test('then pg_controldata is not run again, unless it failed or another one is due', async t => {
  const { directory, read } = standingStill()
  let runs = 0
  let output: Awaited<ReturnType<ControlDataProgram['run']>> = fact(report)
  const run = () => {
    runs += 1
    return Promise.resolve(output)
  }
  const source = createControlSource('pg_controldata', {
    ...setUp(null),
    directory,
    program: { run },
  })
  t.equal(await source('15'), await source('15'))
  t.equal(runs, 1)
  await source('16')
  t.equal(runs, 2)
  read()
  output = fault({ kind: 'program failed', message: 'no' })
  await source('16')
  await source('16')
  t.equal(runs, 4)
})
