/**
 * Text that others wrote, made fit to stand in a line of ours.
 *
 * What is found in files and /proc, such as the name of a process or a garbled line, may hold any
 * byte. Printed as it is, it could break out of the line, or speak to the terminal it is shown on:
 * there the C1 controls (0x80 to 0x9f) do what an escape sequence does, and JSON lets them through.
 */

/** C0, DEL and C1, and the two line ends of Unicode's own. */
const unprintable = /[\p{Cc}\u2028\u2029]/gu

/** In quotes, with everything unprintable spelt out. */
export const quoteText = (text: string): string =>
  JSON.stringify(text).replace(unprintable, character => `\\u${hexOf(character)}`)

const hexOf = (character: string): string => character.charCodeAt(0).toString(16).padStart(4, '0')

const lengthMax = 200

/** As it is, but with a dot for everything unprintable, and cut where it is too long to be read. */
export const plainText = (text: string): string => {
  const plain = text.slice(0, lengthMax).replace(unprintable, '.')
  return text.length > lengthMax ? `${plain}...` : plain
}
