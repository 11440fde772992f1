/**
 * A configuration file taken apart: text in, sections out, each value with its line. What values
 * may say is judged in configuration.ts.
 *
 * The style is that of pgbouncer and pgBackRest. The library reads `key = value` with its quotes
 * and comments, a line at a time, so that every mistake can be told with its place.
 */
import { parse } from 'ini'
import { quoteText } from '../facts/foreign-text.ts'
import { helpHint, sortWords } from './command-words.ts'
import type { FileMistake } from './operator-error.ts'
import { optionsOf, type OptionName } from './option-table.ts'
import type { Entries, Entry } from './settings.ts'

export type ConfigSection = {
  readonly name: string
  /** Of its header. */
  readonly line: number
  readonly entries: Entries
}

export type ConfigFile = {
  /** Before the first section: holds for every cluster, and for the process. */
  readonly top: Entries
  readonly sections: readonly ConfigSection[]
  readonly mistakes: readonly FileMistake[]
}

/** These hold for the process. */
const topOnly: readonly OptionName[] = ['log-level', 'log-format']
/** No two clusters have the same. */
const sectionOnly: readonly OptionName[] = ['pgdata']

type Part = { readonly isTop: boolean; readonly entries: Map<OptionName, Entry[]> }

/** `path` is for the messages alone. */
export const parseConfigFile = (text: string, path: string): ConfigFile => {
  const mistakes: FileMistake[] = []
  const sections = new Map<string, ConfigSection>()
  const top: Part = { isTop: true, entries: new Map() }
  let part = top

  const readHeader = (written: string, line: number): string | Told => {
    // Below a header that is wrong keys are judged all the same.
    part = { isTop: false, entries: new Map() }
    const name = header.exec(written)?.[1]?.trim() ?? ''
    if (!lawfulName.test(name)) return badHeader(written)
    const earlier = sections.get(name)
    if (earlier !== undefined) return repeated(name, earlier.line)
    sections.set(name, { name, line, entries: part.entries })
    return name
  }

  for (const [index, written] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    if (/^\s*(?:[;#]|$)/.test(written)) continue
    const isHeader = /^\s*\[/.test(written)
    const said = isHeader ? readHeader(written, line) : readSetting(written, { part, line })
    if (typeof said === 'string') continue
    mistakes.push({ message: `${path}:${line}: ${said.message}`, hint: said.hint, line })
  }
  return { top: top.entries, sections: [...sections.values()], mistakes }
}

/** A mistake without its place. */
type Told = { readonly message: string; readonly hint: string }

const header = /^\s*\[([^\]]*)\]\s*(?:[;#].*)?$/
export const lawfulName = /^[\w.-]{1,64}$/

const badHeader = (written: string): Told => ({
  message: `${quoteText(written.trim())} is no section, wanted [NAME]`,
  hint: 'a name is of letters, digits, "-", "_" and ".", 64 at most',
})

const repeated = (name: string, line: number): Told => ({
  message: `section ${name} began in line ${line} already, wanted once`,
  hint: 'give the cluster another name, or all its settings in one place',
})

/** What a configuration file may say: all of serve that may come from elsewhere but itself. */
export const isFileKey = (name: string): name is OptionName =>
  name !== 'config' &&
  optionsOf('serve').some(([known, { variable }]) => known === name && variable !== null)

/** The key, or what is wrong. */
const readSetting = (
  written: string,
  { part, line }: { readonly part: Part; readonly line: number },
): string | Told => {
  const [, key = ''] = /^\s*([^=;#]*?)\s*=/.exec(written) ?? []
  if (key === '') return noSetting(written)
  if (!isFileKey(key)) return unknownKey(key)
  if (part.isTop ? sectionOnly.includes(key) : topOnly.includes(key)) return misplaced(key)
  const text = valueOf(written, key)
  if (text === null) return badQuotes(key)
  part.entries.set(key, [...(part.entries.get(key) ?? []), { text, line }])
  return key
}

const noSetting = (written: string): Told => ({
  message: `${quoteText(written.trim())} is no setting, wanted KEY = VALUE`,
  hint: 'a switch takes on or off; comments begin with ";" or "#"',
})

const unknownKey = (key: string): Told => {
  const name = key.replace(/^-+/, '')
  if (optionsOf('serve').some(([known]) => known === name && !isFileKey(name))) {
    return {
      message: `${name} is for the command line, not for files`,
      hint: `give it as --${name}`,
    }
  }
  const message = `unknown key ${quoteText(key)}`
  const hint = isFileKey(name) ? `did you mean ${name}?` : similarTo(name)
  return { message, hint }
}

/** Commander knows what might have been meant by a misspelt option. */
const similarTo = (name: string): string => {
  const sorted = sortWords(['serve', `--${name}`])
  const meant = sorted.ok ? null : /^did you mean --(.+)\?$/.exec(sorted.fault.hint)?.[1]
  if (meant !== undefined && meant !== null && isFileKey(meant)) return `did you mean ${meant}?`
  return `keys are the options without dashes; ${helpHint('serve')}`
}

const misplaced = (key: OptionName): Told =>
  key === 'pgdata'
    ? {
        message: 'pgdata stands before the first section, wanted in one',
        hint: 'begin the section of the cluster with its name: [main]',
      }
    : {
        message: `${key} stands in a section, wanted before the first one`,
        hint: 'it holds for the whole process',
      }

/** Null where quotes do not match, of which the library makes part of the value. */
const valueOf = (written: string, key: OptionName): string | null => {
  const raw = written.slice(written.indexOf('=') + 1).trim()
  const { [key]: value } = parse(`${key} = ${raw}`, { bracketedArray: false })
  // It turns true, false, null and quoted numbers into what they are called.
  const text = typeof value === 'object' && value !== null ? raw : String(value)
  const quote = /^["']/.exec(raw)?.[0]
  const isOdd = quote !== undefined && (!/^(["']).*\1$/.test(raw) || text.startsWith(quote))
  return isOdd ? null : text
}

const badQuotes = (key: OptionName): Told => ({
  message: `${key} has quotes that do not match, wanted them around the whole value`,
  hint: 'a comment beside a quoted value goes on a line of its own',
})
