/** Text as strangers write it and as damage leaves it, and what may be made of it. */
import assert from 'node:assert'
import * as fc from 'fast-check'

/** One character for each byte, as files are read; a quarter of them are control characters. */
const byte = fc.nat(0xff).map(code => String.fromCharCode(code))
export const bytesAsText = (lengthMax: number): fc.Arbitrary<string> =>
  fc.string({ unit: byte, maxLength: lengthMax })

/** What breaks out of a line, acts on a terminal, turns text around or can't be seen. */
export const hostileCharacters = [
  '\0',
  '\x07',
  '\b',
  '\t',
  '\n',
  '\r',
  '\x1b',
  '\x7f',
  '\x85',
  '\x9b',
  '\u061c',
  '\u200f',
  '\u2028',
  '\u2029',
  '\u202a',
  '\u202e',
  '\u2066',
  '\u2069',
  '\ufeff',
  '\ud800',
  '\udfff',
  '\u{e0041}',
]

/** Characters with a meaning to whoever reads them, and ordinary ones. */
const hostile = fc.string({
  unit: fc.constantFrom(...hostileCharacters, '"', '\\', '{', '[2J', 'a', ' ', 'ö'),
  maxLength: 30,
})

/** Anything at all, whatever it is made of. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  bytesAsText(80),
  fc.string({ unit: 'binary' }),
  hostile,
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
  assert.match(text, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{1,500}$/u)
}

/** The same of any length, and of several lines, each ended by a line feed. */
export const assertPrintable = (text: string): void => {
  assert.match(text, /^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*\n)*$/u)
}
