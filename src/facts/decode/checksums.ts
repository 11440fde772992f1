/**
 * The two checksums that PostgreSQL has put at the end of pg_control, and where they may be.
 *
 * Source: src/port/pg_crc32c_sb8.c (9.5 and newer) and src/include/utils/pg_crc.h of 9.4. Both
 * start from and end with all bits inverted. Right for any length; a byte costs one table look-up,
 * so that the 300 bytes of a control file take about a microsecond.
 */

/** CRC-32C (Castagnoli), as in RFC 3720. `before` is that of bytes in front of these. */
export const crc32c = (bytes: Uint8Array, before = 0): number => {
  let crc = ~before
  for (const byte of bytes) crc = entry(castagnoli, crc ^ byte) ^ (crc >>> 8)
  return ~crc >>> 0
}

/**
 * What 9.4 writes. It indexes the table of the reflected polynomial as if it were the other one,
 * which makes it a checksum of its own: no CRC-32 found elsewhere gives the same number.
 */
export const legacyCrc32 = (bytes: Uint8Array, before = 0): number => {
  let crc = ~before
  for (const byte of bytes) crc = entry(ieee, (crc >>> 24) ^ byte) ^ (crc << 8)
  return ~crc >>> 0
}

/** The mask keeps the index within the table, so that there always is an entry. */
const entry = (table: Uint32Array, index: number): number => Number(table[index & 0xff])

/** The remainder of each byte, for a polynomial with its bits reversed. */
const tableOf = (polynomial: number): Uint32Array =>
  Uint32Array.from({ length: 256 }, (_, byte) => remainderOf(byte, polynomial))

const remainderOf = (byte: number, polynomial: number): number => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit += 1) {
    remainder = (remainder & 1) === 0 ? remainder >>> 1 : (remainder >>> 1) ^ polynomial
  }
  return remainder
}

const castagnoli = tableOf(0x82f6_3b78)
const ieee = tableOf(0xedb8_8320)

type Checksum = (bytes: Uint8Array, before?: number) => number

export const checksumBytes = 4

/**
 * No version from 9.4 on has its checksum before byte 240, and the structure keeps growing. It is
 * a uint32, which the compiler aligns.
 */
const scanFrom = 200
const alignment = 4

/**
 * Every place that has the checksum of all bytes before it. In intact files of 10 to 19 there is
 * exactly one. One pass, so that a file of a newer version costs hardly more than any other.
 */
export const checksumPlaces = (bytes: Uint8Array, checksum: Checksum): readonly number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const places: number[] = []
  let computed = checksum(bytes.subarray(0, scanFrom))
  for (let at = scanFrom; at + checksumBytes <= bytes.length; at += alignment) {
    if (view.getUint32(at, true) === computed) places.push(at)
    computed = checksum(bytes.subarray(at, at + alignment), computed)
  }
  return places
}
