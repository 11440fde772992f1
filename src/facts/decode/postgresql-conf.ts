/**
 * PostgreSQL's own configuration files: postgresql.conf, and recovery.conf, which has the same
 * form. Files that an `include` names are not followed, except Debian's conf.d.
 *
 * Source: src/backend/utils/misc/guc-file.l.
 */

/** The name as it is written: to the server, case does not matter. */
export type Setting = { readonly name: string; readonly value: string }

/** Null for a line that sets nothing: a blank one, a comment, or one that can't be understood. */
export const parseSettingLine = (line: string): Setting | null => {
  const { name, quoted, bare = '' } = settingForm.exec(line)?.groups ?? {}
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
const settingForm = new RegExp(`^${beforeValue}(?:${quotedValue}|${bareValue})${afterValue}$`)

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

/** Names in lower case; what the server would use at its next start. */
export type ServerSettings = ReadonlyMap<string, string>

/** Of several files, and of several lines, the last one wins. */
export const readSettings = (texts: readonly string[]): ServerSettings => {
  const settings = new Map<string, string>()
  for (const line of texts.flatMap(text => text.split('\n'))) {
    const setting = parseSettingLine(line)
    if (setting !== null) settings.set(setting.name.toLowerCase(), setting.value)
  }
  return settings
}

export type WorkerSettings = {
  readonly port: number
  /** Null for every address. */
  readonly bind: string | null
}

/** Where bgw_replstatus answers; null where the server does not load it. */
export const workerSettings = (settings: ServerSettings): WorkerSettings | null => {
  const port = settings.get('bgw_replstatus.port')
  const bind = settings.get('bgw_replstatus.bind') ?? ''
  const loaded = (settings.get('shared_preload_libraries') ?? '')
    .split(',')
    .some(library => /(?:^|\/)bgw_replstatus(?:\.so)?$/.test(library.trim().replaceAll('"', '')))
  if (!loaded && port === undefined && bind === '') return null
  return { port: Number(port ?? workerPort), bind: bind === '' ? null : bind }
}

/** bgw_replstatus.c */
const workerPort = 5400
