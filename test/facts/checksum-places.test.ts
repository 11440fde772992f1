import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import { checksumPlaces } from '../../src/facts/checksum-places.ts'
import { crc32c, legacyCrc32 } from '../../src/facts/crc32c.ts'

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
