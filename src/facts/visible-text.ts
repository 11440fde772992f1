/**
 * Text that others wrote, made fit to be part of ours: the one place that knows what is escaped.
 *
 * What is found in files and /proc, such as the name of a process or a garbled line, may hold any
 * character. Printed as it is, it could break out of the line, or act on the terminal that shows
 * it: there the C1 controls (0x80 to 0x9f) do what an escape sequence does, and the bidi controls
 * of Unicode show characters in another order than they have. JSON lets both through.
 */

/**
 * Controls (C0, DEL and C1), format characters, which can't be seen (bidi controls among them),
 * Unicode's own line and paragraph ends, and half a surrogate pair, which UTF-8 can't hold.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Everything unprintable is spelt as in JSON, whatever the text is for: `\u001b`. */
export const visibleText = (text: string): string => text.replace(unprintable, spell)

const spell = (character: string): string =>
  character
    .split('')
    .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')

/** The same for text of several lines, which they stay. */
export const visibleLines = (text: string): string => text.replace(/[^\n]+/g, visibleText)

/** In quotes; JSON.parse() gives the text back. */
export const quoteText = (text: string): string => visibleText(JSON.stringify(text))

const lengthMax = 200

/** Without quotes, and cut where it is too long to be read. */
export const plainText = (text: string): string => {
  const plain = visibleText(text.slice(0, lengthMax))
  if (text.length <= lengthMax && plain.length <= lengthMax) return plain
  // Not in the middle of a character.
  return `${plain.slice(0, lengthMax).replace(/\p{Cs}$/u, '')}...`
}
