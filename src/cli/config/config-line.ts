/**
 * Reads and writes a line of a configuration file.
 *
 * The format is that of pgbouncer.ini: a comment is a line of its own, and a value is the rest of
 * its line, whatever characters it contains. One pair of quotes around the whole value is removed,
 * and nothing is unescaped. So every value of one line can be written, if necessary in quotes.
 */

export type ConfigLine =
  /** An empty line or a comment. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'section'; readonly name: string }
  /** The value is null if it begins with a quote that is not closed. */
  | { readonly kind: 'setting'; readonly key: string; readonly value: string | null }
  | { readonly kind: 'bad section' | 'bad setting' }

/** For any text without a line feed. */
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

/** A comment may follow a header, where it is unambiguous. */
const header = /^\[([^\]]*)\]\s*(?:[;#].*)?$/

const unquote = (value: string): string | null => {
  const quote = /^["']/.exec(value)?.[0]
  if (quote === undefined) return value
  if (value.length > 1 && value.endsWith(quote)) return value.slice(1, -1)
  // A shell command may begin with a quoted word.
  return value.includes(quote, 1) ? value : null
}

/** The text that is read as this value; null if it does not fit on a line. */
export const writeConfigValue = (value: string): string | null => {
  if (value.includes('\n')) return null
  const needsQuotes = value === '' || value.trim() !== value || /^["']/.test(value)
  return needsQuotes ? `"${value}"` : value
}
