/** Where the checksum may be in a control file whose layout is not known. */

/** A checksum of bytes that follow others, whose checksum is `before`. */
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
