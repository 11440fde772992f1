import t from 'tap'
import { fact, fault } from '../../src/facts/outcome.ts'
import type { UnixMs } from '../../src/facts/units.ts'
import type { RawFile } from '../../src/observe/disk.ts'
import { readStable } from '../../src/observe/stable-read.ts'
import { createManualClock, settle } from '../harness/manual-clock.ts'

/** A byte of 1 is good; whatever else was read is bad. */
const decode = (bytes: Uint8Array) => (bytes[0] === 1 ? fact('good') : fault(`bad ${bytes[0]}`))
const file = (...bytes: readonly number[]): RawFile => ({
  kind: 'seen',
  bytes: Uint8Array.from(bytes),
  inode: '1:2',
  modified: 0 as UnixMs,
})

/** Reads one file after the other, the last for ever; tells what came of it, and when. */
const readAll = async (...files: readonly RawFile[]) => {
  const { clock, advance, now } = createManualClock()
  let reads = 0
  const read = () => {
    const next = files[Math.min(reads, files.length - 1)] ?? file()
    reads += 1
    return Promise.resolve(next)
  }
  let done = false
  const reading = readStable(await read(), read, decode, clock).finally(() => {
    done = true
  })
  while (!done) {
    await settle()
    if (!done) advance(1)
  }
  return { reading: await reading, reads, ms: now() }
}

t.test('a file that is right at once is read once', async t => {
  const { reading, reads } = await readAll(file(1))
  t.match(reading, { kind: 'seen', outcome: { ok: true, fact: 'good' } })
  t.equal(reads, 1)
})

t.test('a file caught half-written is read again, and only then believed', async t => {
  const { reading, reads, ms } = await readAll(file(7), file(8), file(1))
  t.match(reading, { outcome: { ok: true } })
  t.equal(reads, 3)
  t.equal(ms, 3)
})

t.test('the same bad bytes twice with a writer long done are damage', async t => {
  const { reading, reads, ms } = await readAll(file(7))
  t.match(reading, { kind: 'seen', outcome: { ok: false, fault: 'bad 7' } })
  t.equal(reads, 5)
  t.equal(ms, 18)
})

t.test('a file that never stands still is given up in the end', async t => {
  const { reading, reads, ms } = await readAll(
    ...[10, 11, 12, 13, 14, 15, 16].map(byte => file(byte)),
  )
  t.match(reading, { outcome: { ok: false, fault: 'bad 16' } })
  t.equal(reads, 7)
  t.equal(ms, 38)
  t.equal((await readAll(file(9), file(9, 9), file(9), file(9, 9))).reads, 5, 'length tells too')
})

t.test('a file that vanishes meanwhile is absent', async t => {
  const { reading } = await readAll(file(7), { kind: 'absent' })
  t.strictSame(reading, { kind: 'absent' })
  t.strictSame((await readAll({ kind: 'unreadable', code: 'EIO' })).reading, {
    kind: 'unreadable',
    code: 'EIO',
  })
})
