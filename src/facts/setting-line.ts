/**
 * A line of PostgreSQL's own configuration files: postgresql.conf and its like, and recovery.conf.
 *
 * Source: src/backend/utils/misc/guc-file.l.
 */

/** The name as it is written: to the server, case does not matter. */
export type Setting = { readonly name: string; readonly value: string }

/** Null for a line that sets nothing: a blank one, a comment, or one that can't be understood. */
export const parseSettingLine = (line: string): Setting | null => {
  const { name, quoted, bare = '' } = setting.exec(line)?.groups ?? {}
  if (name === undefined) return null
  return { name, value: quoted === undefined ? bare : unquote(quoted) }
}

/**
 * `name = 'value'  # comment`; the equals sign may be missing, and before a quote the blank. The
 * settings of extensions have a dot in their names.
 */
const beforeValue = String.raw`\s*(?<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)(?![\w.])\s*(?:=\s*)?`
const quotedValue = String.raw`'(?<quoted>(?:[^'\\]|\\.|'')*)'`
const bareValue = String.raw`(?<bare>[\w.+-][\w.:/-]*)`
const afterValue = String.raw`\s*(?:#[^]*)?`
const setting = new RegExp(`^${beforeValue}(?:${quotedValue}|${bareValue})${afterValue}$`)

/** GUC_scanstr(): a doubled quote is one quote, and a backslash escapes as in C. */
const unquote = (quoted: string): string =>
  quoted.replace(/''|\\([0-7]{1,3})|\\(.)/g, (_, octal?: string, letter?: string) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
    return letter === undefined ? "'" : (controlCharacters[letter] ?? letter)
  })

const controlCharacters: { readonly [Letter in string]?: string } = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
