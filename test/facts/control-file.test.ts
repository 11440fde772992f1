import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import {
  clusterStates,
  controlFileBytesMax,
  decodeControlFile,
  describeControlFileFault,
  type ControlFileFault,
} from '../../src/facts/control-file.ts'
import { controlLayouts } from '../../src/facts/control-layouts.ts'
import { crc32c } from '../../src/facts/crc32c.ts'
import {
  forgeControlFile,
  layoutOfVersion,
  sealControlFile,
} from '../harness/control-file-builder.ts'
import { assertOneLine } from '../harness/foreign-text.ts'

const uint32 = fc.nat(0xffff_ffff)
const uint64 = fc.bigInt(0n, 0xffff_ffff_ffff_ffffn)
const layout15 = layoutOfVersion('15')

const faultOf = (bytes: Uint8Array): ControlFileFault => {
  const decoded = decodeControlFile(bytes)
  if (decoded.ok) throw new Error('taken for valid')
  return decoded.fault
}

for (const layout of controlLayouts) {
  const { version, controlVersion, catalogVersion, checksumAt } = layout

  t.test(`whatever a server of ${version} writes is read back`, t => {
    const written = fc.record({
      systemIdentifier: uint64,
      state: fc.constantFrom(...clusterStates),
      modified: fc.integer(),
      checkpoint: uint64,
      redo: uint64,
      checkpointTimeline: uint32,
      checkpointTime: fc.integer(),
      minRecoveryPoint: uint64,
      minRecoveryTimeline: uint32,
      walSegmentSize: uint32,
    })
    const property = fc.property(written, fields => {
      const decoded = decodeControlFile(forgeControlFile(layout, fields))
      assert.deepStrictEqual(decoded, {
        ok: true,
        fact: { ...fields, controlVersion, catalogVersion },
      })
    })
    t.doesNotThrow(() => fc.assert(property))
    t.end()
  })

  t.test(`no control file of ${version} cut short at any byte is taken for a valid one`, t => {
    const whole = forgeControlFile(layout, { state: 'in archive recovery' })
    const kinds = new Set<string>()
    for (let length = 0; length < checksumAt + 4; length += 1) {
      kinds.add(faultOf(whole.subarray(0, length)).kind)
    }
    t.strictSame([...kinds], ['too short'])
    t.ok(decodeControlFile(whole.subarray(0, checksumAt + 4)).ok, 'not one byte more is needed')
    t.end()
  })

  t.test(`no control file of ${version} with one bit flipped is taken for a valid one`, t => {
    const whole = forgeControlFile(layout, { state: 'in archive recovery' })
    const kinds = new Set<string>()
    for (let bit = 0; bit < (checksumAt + 4) * 8; bit += 1) {
      const flipped = whole.slice()
      flipped[bit >> 3] = Number(flipped[bit >> 3]) ^ (1 << (bit & 7))
      kinds.add(faultOf(flipped).kind)
    }
    t.strictSame([...kinds].toSorted(), ['bad checksum', 'unknown version'])
    t.end()
  })
}

t.test('a half-written file, new before and old after any byte, is never taken for valid', t => {
  const before = forgeControlFile(layout15, { state: 'in archive recovery' })
  const after = forgeControlFile(layout15, { state: 'in production', modified: 1_764_000_123 })
  const differs = (from: number, to: number): boolean =>
    before.subarray(from, to).some((byte, index) => byte !== after[from + index])
  const wrong: number[] = []
  for (let at = 1; at < layout15.checksumAt + 4; at += 1) {
    const torn = before.slice()
    torn.set(after.subarray(0, at))
    const isMixture = differs(0, at) && differs(at, before.length)
    if (decodeControlFile(torn).ok === isMixture) wrong.push(at)
  }
  t.strictSame(wrong, [])
  t.end()
})

t.test('what stands after the first 512 bytes does not matter', t => {
  const bytes = forgeControlFile(layout15)
  const untouched = decodeControlFile(bytes)
  t.ok(untouched.ok)
  t.strictSame(decodeControlFile(bytes.fill(0xaa, controlFileBytesMax)), untouched)
  t.end()
})

t.test('a file somewhere within a larger buffer is read from its own beginning', t => {
  const buffer = new Uint8Array(10_000).fill(0xff)
  buffer.set(forgeControlFile(layout15), 13)
  t.ok(decodeControlFile(buffer.subarray(13)).ok)
  t.end()
})

t.test('a beta with the layout of a known control version is read', t => {
  const decoded = decodeControlFile(forgeControlFile(layout15, { catalogVersion: 202_406_171 }))
  t.match(decoded, { ok: true, fact: { controlVersion: 1300, catalogVersion: 202_406_171 } })
  t.end()
})

t.test('a wrong checksum is told with the right one, whatever the state', t => {
  const right = forgeControlFile(layout15, { state: 9 })
  const computed = crc32c(right.subarray(0, layout15.checksumAt))
  const bytes = forgeControlFile(layout15, { state: 9, checksum: 0xbad })
  t.strictSame(faultOf(bytes), { kind: 'bad checksum', stored: 0xbad, computed })
  t.end()
})

t.test('a state that no version writes is not believed, even under a right checksum', t => {
  for (const state of [7, 255, 0xffff_ffff]) {
    t.strictSame(faultOf(forgeControlFile(layout15, { state })), { kind: 'unknown state', state })
  }
  t.end()
})

t.test('a file written by a machine of the other byte order is told apart', t => {
  for (const { version, controlVersion } of controlLayouts) {
    const swapped = Buffer.alloc(512)
    swapped.writeUInt32BE(controlVersion, 8)
    t.strictSame(faultOf(swapped), { kind: 'wrong byte order' }, version)
  }
  t.end()
})

t.test('an intact file of an unknown version tells where its checksum stands', t => {
  const versions = { controlVersion: 2000, catalogVersion: 203_001_011 }
  for (const checksumAt of [200, 264, 300, 508]) {
    const bytes = forgeControlFile({ ...layout15, checksumAt }, versions)
    t.strictSame(faultOf(bytes), { kind: 'unknown version', ...versions, checksumAt })
  }
  t.end()
})

t.test('a damaged or cut file of an unknown version has a checksum nowhere', t => {
  const versions = { controlVersion: 2000, catalogVersion: 203_001_011 }
  const lost = { kind: 'unknown version', ...versions, checksumAt: null }
  const whole = forgeControlFile({ ...layout15, checksumAt: 300 }, versions)
  t.strictSame(faultOf(whole.subarray(0, 303)), lost)
  t.strictSame(faultOf(whole.subarray(0, 16)), lost)
  t.strictSame(faultOf(forgeControlFile(layout15, { ...versions, checksum: 1 })), lost)
  t.match(faultOf(new Uint8Array(8192)), { ...lost, controlVersion: 0, catalogVersion: 0 })
  t.end()
})

t.test('no bytes whatever make it throw, and none at random are valid', t => {
  const property = fc.property(fc.uint8Array({ maxLength: 600 }), bytes => {
    assertOneLine(describeControlFileFault(faultOf(bytes)))
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})

t.test('under a right checksum everything is believed but a state that does not exist', t => {
  const content = fc.uint8Array({ minLength: 304, maxLength: 304 })
  const state = fc.oneof(fc.nat(9), uint32)
  const release = fc.constantFrom(...controlLayouts)
  const property = fc.property(release, content, state, (layout, bytes, state) => {
    new DataView(bytes.buffer).setUint32(16, state, true)
    const decoded = decodeControlFile(sealControlFile(layout, bytes))
    if (state < clusterStates.length) {
      return assert(decoded.ok && decoded.fact.state === clusterStates[state])
    }
    assert.deepStrictEqual(decoded, { ok: false, fault: { kind: 'unknown state', state } })
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
  t.end()
})

t.test('no control file is taken for a valid one after any of it was overwritten', t => {
  const release = fc.constantFrom(...controlLayouts)
  const wound = fc.uint8Array({ minLength: 1, maxLength: 64 })
  const property = fc.property(release, fc.nat(), wound, ({ version }, place, bytes) => {
    const layout = layoutOfVersion(version)
    const whole = forgeControlFile(layout, { state: 'in archive recovery' })
    const length = layout.checksumAt + 4
    const damaged = whole.slice(0, length)
    damaged.set(bytes.subarray(0, length - (place % length)), place % length)
    fc.pre(Buffer.compare(damaged, whole.subarray(0, length)) !== 0)
    assertOneLine(describeControlFileFault(faultOf(damaged)))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
  t.end()
})

t.test('the version numbers of a release before anything at random are not enough', t => {
  const release = fc.constantFrom(...controlLayouts)
  const rest = fc.uint8Array({ minLength: 16, maxLength: 600 })
  const property = fc.property(release, rest, (layout, bytes) => {
    bytes.set(forgeControlFile(layout).subarray(8, 16), 8)
    assert(['too short', 'bad checksum'].includes(faultOf(bytes).kind))
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})

t.test('a fault is described by what was found and what was expected', t => {
  const versions = { controlVersion: 2000, catalogVersion: 203_001_011 }
  const unknown = 'control version 2000 (catalog 203001011) is not known, the newest known is 1902'
  const cases: readonly (readonly [ControlFileFault, string])[] = [
    [{ kind: 'too short', bytes: 36, wanted: 292 }, 'it is 36 bytes long, wanted at least 292'],
    [{ kind: 'wrong byte order' }, 'its byte order is big endian, wanted little endian'],
    [
      { kind: 'bad checksum', stored: 0xbad, computed: 0xe306_9283 },
      'its checksum is 0x00000bad, wanted 0xe3069283',
    ],
    [{ kind: 'unknown state', state: 9 }, 'its cluster state is 9, wanted 0 to 6'],
    [
      { kind: 'unknown version', ...versions, checksumAt: 300 },
      `${unknown}; its checksum stands at byte 300`,
    ],
    [
      { kind: 'unknown version', ...versions, checksumAt: null },
      `${unknown}; no checksum was found in it`,
    ],
  ]
  for (const [broken, text] of cases) t.equal(describeControlFileFault(broken), text)
  t.end()
})
