import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import { checksumPlaces, crc32c, legacyCrc32 } from '../../../src/facts/decode/checksums.ts'

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const filled = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const counting = Uint8Array.from({ length: 32 }, (_, index) => index)

t.test('CRC-32C agrees with the published vectors', t => {
  // RFC 3720, B.4, and the check value of the catalogue of parametrised CRC algorithms.
  const vectors: readonly (readonly [string, Uint8Array, number])[] = [
    ['nothing', ascii(''), 0],
    ['one letter', ascii('a'), 0xc1d0_4330],
    ['the check string', ascii('123456789'), 0xe306_9283],
    ['32 bytes of zeros', filled(0), 0x8a91_36aa],
    ['32 bytes of ones', filled(0xff), 0x62a8_ab43],
    ['32 bytes counting up', counting, 0x46dd_794e],
    ['32 bytes counting down', counting.toReversed(), 0x113f_db5c],
  ]
  for (const [name, bytes, expected] of vectors) t.equal(crc32c(bytes), expected, name)
  t.end()
})

t.test('the legacy CRC-32 agrees with that of PostgreSQL 9.4, compiled', t => {
  const vectors: readonly (readonly [string, number])[] = [
    ['', 0],
    ['a', 0x17b7_bebc],
    ['123456789', 0xc40e_d0b0],
    ['The quick brown fox jumps over the lazy dog', 0x0ebe_3014],
  ]
  for (const [text, expected] of vectors) t.equal(legacyCrc32(ascii(text)), expected, `"${text}"`)
  t.end()
})

for (const [name, checksum] of Object.entries({ crc32c, legacyCrc32 })) {
  t.test(`${name} is a number of 32 bits and leaves its input alone`, t => {
    const property = fc.property(fc.uint8Array(), bytes => {
      const before = bytes.slice()
      const sum = checksum(bytes)
      assert.deepStrictEqual(bytes, before)
      assert(Number.isInteger(sum) && sum >= 0 && sum <= 0xffff_ffff)
    })
    t.doesNotThrow(() => fc.assert(property))
    t.end()
  })

  t.test(`${name} continues from the checksum of the bytes before`, t => {
    const property = fc.property(fc.uint8Array(), fc.nat(), (bytes, place) => {
      const at = place % (bytes.length + 1)
      const before = checksum(bytes.subarray(0, at))
      return checksum(bytes.subarray(at), before) === checksum(bytes)
    })
    t.doesNotThrow(() => fc.assert(property))
    t.end()
  })

  t.test(`${name} notices any change of a single bit`, t => {
    const bitOfBytes = fc
      .uint8Array({ minLength: 1, maxLength: 300 })
      .chain(bytes => fc.tuple(fc.constant(bytes), fc.nat(bytes.length * 8 - 1)))
    const property = fc.property(bitOfBytes, ([bytes, bit]) => {
      const changed = bytes.map((byte, index) =>
        index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
      )
      return checksum(changed) !== checksum(bytes)
    })
    t.doesNotThrow(() => fc.assert(property))
    t.end()
  })
}

for (const checksum of [crc32c, legacyCrc32]) {
  t.test(`exactly the places where ${checksum.name} of all before is stored are found`, t => {
    const content = fc.uint8Array({ minLength: 0, maxLength: 512 })
    const words = fc.uniqueArray(fc.integer({ min: 50, max: 127 }), { maxLength: 3 })
    const property = fc.property(content, words, (bytes, words) => {
      const places = words
        .map(word => word * 4)
        .filter(at => at + 4 <= bytes.length)
        .toSorted((one, other) => one - other)
      const view = new DataView(bytes.buffer)
      for (const at of places) view.setUint32(at, checksum(bytes.subarray(0, at)), true)
      assert.deepStrictEqual(checksumPlaces(bytes, checksum), places)
    })
    t.doesNotThrow(() => fc.assert(property))
    t.end()
  })
}

t.test('a checksum that is not aligned, or before byte 200, is none', t => {
  for (const at of [196, 202, 299]) {
    const bytes = new Uint8Array(512)
    new DataView(bytes.buffer).setUint32(at, crc32c(bytes.subarray(0, at)), true)
    t.strictSame(checksumPlaces(bytes, crc32c), [], `${at}`)
  }
  t.end()
})

t.test('bytes within a larger buffer are read from their own beginning', t => {
  const buffer = new Uint8Array(600).fill(7)
  const bytes = buffer.subarray(13, 13 + 512)
  new DataView(buffer.buffer).setUint32(13 + 300, crc32c(bytes.subarray(0, 300)), true)
  t.strictSame(checksumPlaces(bytes, crc32c), [300])
  t.end()
})
