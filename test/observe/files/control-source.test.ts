import assert from 'node:assert'
import t from 'tap'
import { parsePgVersion } from '../../../src/facts/units.ts'
import { fact, fault } from '../../../src/facts/outcome.ts'
import { createControlSource } from '../../../src/observe/files/control-source.ts'
import { systemClock } from '../../../src/observe/system/clock.ts'
import { openDataDirectory } from '../../../src/observe/files/data-directory.ts'
import type { RawFile } from '../../../src/observe/files/disk.ts'
import type { ControlDataProgram } from '../../../src/observe/files/pg-controldata.ts'
import {
  forgeControlFile,
  layoutOfVersion,
  layoutToCome,
} from '../../harness/control-file-builder.ts'
import { noon } from '../../harness/evidence.ts'
import { createManualClock, settle } from '../../harness/manual-clock.ts'

const version15 = parsePgVersion('15')
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
WAL block size:                       8192
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
  const { sighting, inode } = await createControlSource('native', setUp(bytes))(version15)
  t.match(sighting, { kind: 'present', fact: { state: 'in production' }, modified: Number })
  t.match(inode, /^\d+:\d+$/)
})

t.test('a damaged one is a fault, with its time', async t => {
  const damaged = Buffer.from(bytes)
  damaged.writeUInt8(9, 100)
  const { sighting, inode } = await createControlSource('native', setUp(damaged))(version15)
  t.match(sighting, {
    kind: 'invalid',
    fault: { source: 'native', fault: { kind: 'bad checksum' } },
    modified: Number,
  })
  t.match(inode, /^\d+:\d+$/)
})

t.test('one of a newer version, read half-written, is read again and then accepted', async t => {
  const now = forgeControlFile(layoutToCome, { state: 'in archive recovery' })
  const torn = forgeControlFile(layoutToCome, { state: 'in production', modified: 1 })
  torn.set(now.subarray(32), 32)
  const readings = [torn, torn, now].map((bytes): RawFile => ({
    kind: 'present',
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
  t.match((await source(parsePgVersion('19'))).sighting, {
    kind: 'present',
    fact: { state: 'in archive recovery' },
  })
})

t.test('a missing file is missing, whichever source is used', async t => {
  for (const check of ['native', 'pg_controldata'] as const) {
    t.strictSame(await createControlSource(check, setUp(null))(version15), {
      sighting: { kind: 'absent' },
      inode: null,
    })
  }
})

t.test('pg_controldata is used instead if it is configured', async t => {
  const source = createControlSource('pg_controldata', setUp(bytes, fact(report)))
  t.match(await source(version15), {
    sighting: { kind: 'present', fact: { state: 'shut down' } },
    inode: /:/,
  })
})

t.test('what goes wrong with it is a fault of its own', async t => {
  const failed = fault({ kind: 'program failed', message: 'no' } as const)
  const refusing = { ...setUp(bytes), program: { run: () => Promise.resolve(failed) } }
  t.match(await createControlSource('pg_controldata', refusing)(version15), {
    sighting: { kind: 'invalid', fault: { source: 'pg_controldata', fault: failed.fault } },
  })
  const silent = createControlSource('pg_controldata', setUp(bytes, fact('')))
  t.match(await silent(version15), {
    sighting: { kind: 'invalid', fault: { source: 'pg_controldata' } },
  })
})

t.test('switched off, nothing is read', async t => {
  t.strictSame(await createControlSource('off', setUp(bytes))(version15), {
    sighting: { kind: 'absent' },
    inode: null,
  })
})

/** What is read one after the other, the last for ever; tells what came of it, and when. */
const readAll = async (...files: readonly RawFile[]) => {
  const { clock, advance, now } = createManualClock()
  let reads = 0
  const controlFile = () => {
    const next = files[Math.min(reads, files.length - 1)]
    reads += 1
    return Promise.resolve(next ?? assert.fail('nothing to read'))
  }
  const needs = setUp(null)
  const directory = { ...needs.directory, controlFile }
  let done = false
  const source = createControlSource('native', { ...needs, directory, timers: clock })
  const reading = source(version15).finally(() => {
    done = true
  })
  while (!done) {
    await settle()
    if (!done) advance(1)
  }
  return { ...(await reading), reads, ms: now() }
}
const file = (content: Uint8Array): RawFile => ({
  kind: 'present',
  bytes: content,
  inode: '1:2',
  modified: noon,
})
/** Its checksum is wrong, and it is not the same as that of another number. */
const torn = (number: number): RawFile => {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(number, 100)
  return file(copy)
}
const badChecksum = { kind: 'invalid', fault: { fault: { kind: 'bad checksum' } } }

t.test('a control file that is right is read once', async t => {
  const { sighting, reads } = await readAll(file(bytes))
  t.match(sighting, { kind: 'present', fact: { state: 'in production' } })
  t.equal(reads, 1)
})

t.test('after a torn read it is read again, and only then accepted', async t => {
  const { sighting, reads, ms } = await readAll(torn(7), torn(8), file(bytes))
  t.match(sighting, { kind: 'present', fact: { state: 'in production' } })
  t.equal(reads, 3)
  t.equal(ms, 3)
})

t.test('the same bad bytes twice, when any write has ended, are damage', async t => {
  const { sighting, reads, ms } = await readAll(torn(7))
  t.match(sighting, badChecksum)
  t.equal(reads, 5)
  t.equal(ms, 18)
})

t.test('a control file that changes all the time is given up in the end', async t => {
  const { sighting, reads, ms } = await readAll(...[1, 2, 3, 4, 5, 6, 7].map(torn))
  t.match(sighting, badChecksum)
  t.equal(reads, 7)
  t.equal(ms, 38)
  const shorter = file(Buffer.from(bytes.subarray(0, 100)))
  const changing = [torn(7), shorter, torn(7), shorter]
  t.equal((await readAll(...changing)).reads, 5, 'a length differs too')
})

t.test('one that vanishes between two attempts is absent', async t => {
  t.strictSame((await readAll(torn(7), { kind: 'absent' })).sighting, { kind: 'absent' })
  const unreadable = { kind: 'unreadable', code: 'EIO' } as const
  t.strictSame((await readAll(unreadable)).sighting, unreadable)
})

t.test(
  'pg_controldata is run again only for another file or version, or after a failure',
  async t => {
    let found = file(bytes)
    let runs = 0
    let output: Awaited<ReturnType<ControlDataProgram['run']>> = fact(report)
    const run = () => {
      runs += 1
      return Promise.resolve(output)
    }
    const needs = setUp(null)
    const source = createControlSource('pg_controldata', {
      ...needs,
      directory: { ...needs.directory, controlFile: () => Promise.resolve(found) },
      program: { run },
    })
    const first = await source(version15)
    found = file(Buffer.from(bytes))
    t.strictSame(await source(version15), first)
    t.equal(runs, 1)
    await source(parsePgVersion('16'))
    t.equal(runs, 2)
    found = torn(7)
    output = fault({ kind: 'program failed', message: 'no' })
    await source(parsePgVersion('16'))
    await source(parsePgVersion('16'))
    t.equal(runs, 4)
  },
)
