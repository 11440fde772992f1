import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import {
  clusterStates,
  controlFileBytesMax,
  decodeControlFile,
  hasKnownLayout,
} from '../../../src/facts/decode/control-file.ts'
import {
  describeControlFileFault,
  type ControlFileFault,
} from '../../../src/facts/decode/control-file-fault.ts'
import { controlLayouts, newestControlVersion } from '../../../src/facts/decode/control-layouts.ts'
import { crc32c, legacyCrc32 } from '../../../src/facts/decode/checksums.ts'
import {
  forgeControlFile,
  layoutOfVersion,
  layoutToCome,
  sealControlFile,
} from '../../harness/control-file-builder.ts'
import { assertOneLine } from '../../harness/foreign-text.ts'

const uint32 = fc.nat(0xffff_ffff)
const uint64 = fc.bigInt(0n, 0xffff_ffff_ffff_ffffn)
const layout15 = layoutOfVersion('15')

const faultOf = (bytes: Uint8Array): ControlFileFault => {
  const decoded = decodeControlFile(bytes)
  if (decoded.ok) throw new Error('taken for valid')
  return decoded.fault
}

const withFlipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const flipped = bytes.slice()
  flipped[bit >> 3] = Number(flipped[bit >> 3]) ^ (1 << (bit & 7))
  return flipped
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
      walPageSize: uint32,
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
      kinds.add(faultOf(withFlipped(whole, bit)).kind)
    }
    t.strictSame([...kinds].toSorted(), ['bad checksum', 'no checksum'])
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

t.test('the bytes after the first 512 do not matter', t => {
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

t.test('a wrong checksum is reported with the right one, whatever the state', t => {
  const right = forgeControlFile(layout15, { state: 9 })
  const computed = crc32c(right.subarray(0, layout15.checksumAt))
  const bytes = forgeControlFile(layout15, { state: 9, checksum: 0xbad })
  t.strictSame(faultOf(bytes), { kind: 'bad checksum', stored: 0xbad, computed })
  t.end()
})

t.test('a state that no version writes is rejected, even with a valid checksum', t => {
  for (const state of [7, 255, 0xffff_ffff]) {
    t.strictSame(faultOf(forgeControlFile(layout15, { state })), { kind: 'unknown state', state })
  }
  t.end()
})

t.test('a file written by a machine of the other byte order is distinguished', t => {
  for (const { version, controlVersion } of controlLayouts) {
    const swapped = Buffer.alloc(512)
    swapped.writeUInt32BE(controlVersion, 8)
    t.strictSame(faultOf(swapped), { kind: 'wrong byte order' }, version)
  }
  t.end()
})

const toCome = {
  controlVersion: layoutToCome.controlVersion,
  catalogVersion: layoutToCome.catalogVersion,
}
const unknownFields = {
  modified: null,
  checkpoint: null,
  redo: null,
  checkpointTimeline: null,
  checkpointTime: null,
  minRecoveryPoint: null,
  minRecoveryTimeline: null,
  walSegmentSize: null,
  walPageSize: null,
}

t.test('of an intact file of a newer version, the fields that have never moved are read', t => {
  const content = fc.uint8Array({ minLength: 508, maxLength: 508 })
  const written = fc.record({
    checksumAt: fc.integer({ min: 61, max: 127 }).map(word => word * 4),
    systemIdentifier: uint64,
    controlVersion: fc.integer({ min: newestControlVersion + 1, max: 0xffff }),
    catalogVersion: uint32,
    state: fc.constantFrom(...clusterStates),
  })
  const property = fc.property(written, content, ({ checksumAt, ...fields }, bytes) => {
    const layout = { ...layoutToCome, ...fields, checksumAt }
    bytes.set(forgeControlFile(layoutToCome, fields).subarray(0, 20))
    const decoded = decodeControlFile(sealControlFile(layout, bytes))
    assert.deepStrictEqual(decoded, { ok: true, fact: { ...fields, ...unknownFields } })
    assert(decoded.ok && !hasKnownLayout(decoded.fact))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
  t.end()
})

t.test('no newer file with one bit flipped, anywhere in the sector, is still trusted', t => {
  const content = fc.uint8Array({ minLength: 400, maxLength: 400 })
  const checksumAt = fc.integer({ min: 61, max: 100 }).map(word => word * 4)
  const property = fc.property(content, checksumAt, (bytes, checksumAt) => {
    bytes.fill(0, 16, 20)
    const whole = sealControlFile({ ...layoutToCome, checksumAt }, bytes)
    assert(decodeControlFile(whole).ok)
    for (let bit = 0; bit < controlFileBytesMax * 8; bit += 1) {
      const { kind } = faultOf(withFlipped(whole, bit))
      assert.equal(kind, bit < (checksumAt + 4) * 8 ? 'no checksum' : 'unknown version')
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 10 }))
  t.end()
})

t.test('no newer file cut short or half-written at any byte is trusted', t => {
  const before = forgeControlFile(layoutToCome, { state: 'in archive recovery' })
  const after = forgeControlFile(layoutToCome, { state: 'in production', modified: 1 })
  const kinds = new Set<string>()
  for (let length = 0; length < controlFileBytesMax; length += 1) {
    kinds.add(faultOf(after.subarray(0, length)).kind)
  }
  t.strictSame([...kinds], ['too short'])
  const wrong: number[] = []
  for (let at = 1; at < layoutToCome.checksumAt + 4; at += 1) {
    const torn = before.slice()
    torn.set(after.subarray(0, at))
    const isWhole = [before, after].some(whole => Buffer.compare(torn, whole) === 0)
    const decoded = decodeControlFile(torn)
    if (decoded.ok !== isWhole) wrong.push(at)
    if (!decoded.ok && decoded.fault.kind !== 'no checksum') wrong.push(at)
  }
  t.strictSame(wrong, [], 'and each may be damage, to be read again')
  t.end()
})

/** Puts the checksum of all before it where the layout wants it. */
const signedAt = (bytes: Uint8Array, at: number, checksum = crc32c): Uint8Array => {
  const signed = bytes.slice()
  new DataView(signed.buffer).setUint32(at, checksum(signed.subarray(0, at)), true)
  return signed
}

t.test('a newer file with more than one checksum, or data after it, is not trusted', t => {
  const whole = forgeControlFile(layoutToCome)
  const twice = signedAt(whole, 400)
  const unknown = { kind: 'unknown version', ...toCome }
  t.strictSame(faultOf(twice), { ...unknown, checksumsAt: [320, 400] })
  const more = whole.slice().fill(1, 511, 512)
  t.strictSame(faultOf(more), { ...unknown, checksumsAt: [320] })
  t.ok(decodeControlFile(whole.slice().fill(1, 512, 513)).ok, 'which is not read')
  t.end()
})

t.test('a newer file in a state that does not exist is not trusted', t => {
  const fault = faultOf(forgeControlFile(layoutToCome, { state: 7 }))
  t.strictSame(fault, { kind: 'unknown state', state: 7 })
  t.end()
})

t.test('an unknown version that is not newer is none of ours, however intact', t => {
  const catalogVersion = layout15.catalogVersion
  for (const controlVersion of [843, 1501, 1903, 1904]) {
    const bytes = forgeControlFile(layout15, { controlVersion })
    const versions = { controlVersion, catalogVersion }
    t.strictSame(faultOf(bytes), { kind: 'unknown version', ...versions, checksumsAt: [288] })
  }
  // 9.3 has the checksum of 9.4, at byte 220 of a shorter structure.
  const bytes = forgeControlFile(layoutOfVersion('9.4'), { controlVersion: 937 }).fill(0, 220)
  t.match(faultOf(signedAt(bytes, 220, legacyCrc32)), {
    kind: 'unknown version',
    controlVersion: 937,
    checksumsAt: [220],
  })
  t.end()
})

t.test('a known version with the checksum elsewhere is a fork, and no damage', t => {
  for (const { version, checksumAt, ...versions } of controlLayouts) {
    const { controlVersion, catalogVersion } = versions
    const longer = signedAt(
      forgeControlFile(layoutOfVersion(version), { checksum: 0x101 }),
      checksumAt + 4,
    )
    t.strictSame(faultOf(longer), {
      kind: 'unknown layout',
      controlVersion,
      catalogVersion,
      wantedAt: checksumAt,
      checksumsAt: [checksumAt + 4],
    })
  }
  t.end()
})

t.test('a damaged file of an unknown version has a checksum nowhere', t => {
  const versions = { controlVersion: 2000, catalogVersion: 203_001_011 }
  const lost = { kind: 'no checksum', ...versions }
  t.strictSame(faultOf(forgeControlFile(layout15, { ...versions, checksum: 1 })), lost)
  t.strictSame(faultOf(new Uint8Array(8192)), { ...lost, controlVersion: 0, catalogVersion: 0 })
  t.end()
})

t.test('no bytes whatever make it throw, and none at random are valid', t => {
  const property = fc.property(fc.uint8Array({ maxLength: 600 }), bytes => {
    assertOneLine(describeControlFileFault(faultOf(bytes)))
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})

t.test('with a valid checksum everything is accepted but a state that does not exist', t => {
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
