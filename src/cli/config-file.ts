/**
 * A configuration file taken apart: text in, sections out, each value with its line. What values
 * may say is judged in configuration.ts, and how a line is written in config-line.ts.
 */
import { readConfigLine, type ConfigLine } from '../facts/config-line.ts'
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

  const readHeader = (name: string, line: number): Told | null => {
    // Below a header that is wrong keys are judged all the same.
    part = { isTop: false, entries: new Map() }
    if (!lawfulName.test(name)) return badHeader(`[${name}]`)
    const earlier = sections.get(name)
    if (earlier !== undefined) return repeated(name, earlier.line)
    sections.set(name, { name, line, entries: part.entries })
    return null
  }

  const read = (written: string, line: number): Told | null => {
    const found = readConfigLine(written)
    switch (found.kind) {
      case 'nothing':
        return null
      case 'section':
        return readHeader(found.name, line)
      case 'bad section':
        part = { isTop: false, entries: new Map() }
        return badHeader(written.trim())
      case 'bad setting':
        return noSetting(written)
      case 'setting':
        return readSetting(found, { part, line })
    }
  }

  for (const [index, written] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    const told = read(written, line)
    if (told === null) continue
    mistakes.push({ message: `${path}:${line}: ${told.message}`, hint: told.hint, line })
  }
  return { top: top.entries, sections: [...sections.values()], mistakes }
}

/** A mistake without its place. */
type Told = { readonly message: string; readonly hint: string }

export const lawfulName = /^[\w.-]{1,64}$/

const badHeader = (written: string): Told => ({
  message: `${quoteText(written)} is no section, wanted [NAME]`,
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

type Setting = Extract<ConfigLine, { readonly kind: 'setting' }>

/** What is wrong, if anything. */
const readSetting = (
  { key, value }: Setting,
  { part, line }: { readonly part: Part; readonly line: number },
): Told | null => {
  if (!isFileKey(key)) return unknownKey(key)
  if (part.isTop ? sectionOnly.includes(key) : topOnly.includes(key)) return misplaced(key)
  if (value === null) return openQuote(key)
  part.entries.set(key, [...(part.entries.get(key) ?? []), { text: value, line }])
  return null
}

const noSetting = (written: string): Told => ({
  message: `${quoteText(written.trim())} is no setting, wanted KEY = VALUE`,
  hint: 'a switch takes on or off; a comment is a line that begins with ";" or "#"',
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

const openQuote = (key: OptionName): Told => ({
  message: `${key} begins with a quote that is not closed`,
  hint: 'put quotes around the whole value; nothing within them is escaped',
})
