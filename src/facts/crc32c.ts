/**
 * The two checksums that PostgreSQL has put at the end of pg_control.
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
