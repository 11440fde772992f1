/**
 * A line of a configuration file, read and written.
 *
 * The format is that of pgbouncer.ini: a comment is a line of its own, and a value is the rest of
 * its line, whatever characters it contains. One pair of quotes around the whole value is removed,
 * and nothing is unescaped, so that each value can be written: in quotes if its ends need them.
 */

export type ConfigLine =
  /** Blank, or a comment. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'section'; readonly name: string }
  /** The value is null if it begins with a quote that is nowhere closed. */
  | { readonly kind: 'setting'; readonly key: string; readonly value: string | null }
  | { readonly kind: 'bad section' | 'bad setting' }

/** Takes every text without a line feed. */
export const readConfigLine = (written: string): ConfigLine => {
  const line = written.trim()
  if (line === '' || /^[;#]/.test(line)) return { kind: 'nothing' }
  if (line.startsWith('[')) {
    const name = header.exec(line)?.[1]?.trim()
    return name === undefined ? { kind: 'bad section' } : { kind: 'section', name }
  }
  const equals = line.indexOf('=')
  if (equals < 1) return { kind: 'bad setting' }
  const [key, value] = [line.slice(0, equals).trimEnd(), line.slice(equals + 1).trimStart()]
  return { kind: 'setting', key, value: unquote(value) }
}

/** Behind a header a comment cannot be taken for anything else. */
const header = /^\[([^\]]*)\]\s*(?:[;#].*)?$/

const unquote = (value: string): string | null => {
  const quote = /^["']/.exec(value)?.[0]
  if (quote === undefined) return value
  if (value.length > 1 && value.endsWith(quote)) return value.slice(1, -1)
  // A shell command may begin with a quoted word.
  return value.includes(quote, 1) ? value : null
}

/** The text that is read as this value; null for one that no line can hold. */
export const writeConfigValue = (value: string): string | null => {
  if (value.includes('\n')) return null
  const needsQuotes = value === '' || value.trim() !== value || /^["']/.test(value)
  return needsQuotes ? `"${value}"` : value
}
