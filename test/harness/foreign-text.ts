/** Text as strangers write it and as damage leaves it, and what may be made of it. */
import assert from 'node:assert'
import * as fc from 'fast-check'

/** One character for each byte, as files are read; a quarter of them are control characters. */
const byte = fc.nat(0xff).map(code => String.fromCharCode(code))
export const bytesAsText = (lengthMax: number): fc.Arbitrary<string> =>
  fc.string({ unit: byte, maxLength: lengthMax })

/** Anything at all, whatever it is made of. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  bytesAsText(80),
  fc.string({ unit: 'binary' }),
)

/** One line for a person, of a length to be read, that does nothing to a terminal. */
export const assertOneLine = (text: string): void => {
  assert.match(text, /^[^\p{Cc}\u2028\u2029]{1,500}$/u)
}
