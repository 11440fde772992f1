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

/** Anything, in which these pieces come often: what has a meaning to whoever reads it. */
export const textOf = (...pieces: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...pieces) }, anyText), {
      maxLength: 5,
    })
    .map(parts => parts.join(''))

/** The text with some of it overwritten, left out, put in twice or cut off. */
export const damaged = (whole: string): fc.Arbitrary<string> => {
  const place = fc.oneof(fc.nat(whole.length), fc.nat(3))
  const instead = fc.oneof(
    bytesAsText(3),
    fc.constantFrom('-', '+', '.', '0', '9', ' ', ':', '(', ')', '\n'),
  )
  const to = fc.oneof({ weight: 4, arbitrary: place }, fc.constant(Infinity))
  const wound = fc.record({ from: place, to, instead })
  return fc.array(wound, { minLength: 1, maxLength: 3 }).map(wounds => {
    let text = whole
    for (const { from, to, instead } of wounds)
      text = text.slice(0, from) + instead + text.slice(to)
    return text
  })
}

/** One line for a person, of a length to be read, that does nothing to a terminal. */
export const assertOneLine = (text: string): void => {
  assert.match(text, /^[^\p{Cc}\u2028\u2029]{1,500}$/u)
}
