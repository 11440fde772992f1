/**
 * Parses a configuration file into sections, with the line of each value. The values are checked in
 * configuration.ts. The format of a line is in config-line.ts.
 */
import { readConfigLine, type ConfigLine } from './config-line.ts'
import { quoteText } from '../../facts/visible-text.ts'
import { helpHint, sortWords } from '../options/command-words.ts'
import type { FileError } from '../output/operator-error.ts'
import { optionsOf, variableOf } from '../options/option-list.ts'
import type { OptionName } from '../options/option-table.ts'
import type { Entries, Entry } from '../options/settings.ts'

export type ConfigSection = {
  readonly name: string
  /** Of its header. */
  readonly line: number
  readonly entries: Entries
}

export type ConfigFile = {
  /** Above the first section: applies to the process and to every cluster. */
  readonly top: Entries
  readonly sections: readonly ConfigSection[]
  readonly errors: readonly FileError[]
}

/** These apply to the process. */
const topOnly: readonly OptionName[] = ['log-level', 'log-format', 'user']
/** Two clusters cannot have the same. */
const sectionOnly: readonly OptionName[] = ['pgdata']

type Part = { readonly isTop: boolean; readonly entries: Map<OptionName, Entry[]> }

/** `path` is for messages. */
export const parseConfigFile = (text: string, path: string): ConfigFile => {
  const errors: FileError[] = []
  const sections = new Map<string, ConfigSection>()
  const top: Part = { isTop: true, entries: new Map() }
  let part = top

  const readHeader = (name: string, line: number): LineError | null => {
    // Keys below an invalid header are checked as well.
    part = { isTop: false, entries: new Map() }
    if (!sectionName.test(name)) return badHeader(`[${name}]`)
    const earlier = sections.get(name)
    if (earlier !== undefined) return repeated(name, earlier.line)
    sections.set(name, { name, line, entries: part.entries })
    return null
  }

  const read = (written: string, line: number): LineError | null => {
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
        return badSetting(written)
      case 'setting':
        return readSetting(found, { part, line })
    }
  }

  for (const [index, written] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    const error = read(written, line)
    if (error === null) continue
    errors.push({ message: `${path}:${line}: ${error.message}`, hint: error.hint, line })
  }
  return { top: top.entries, sections: [...sections.values()], errors }
}

/** Without file and line. */
type LineError = { readonly message: string; readonly hint: string }

export const sectionName = /^[\w.-]{1,64}$/

const badHeader = (written: string): LineError => ({
  message: `invalid section ${quoteText(written)}: must be [NAME]`,
  hint: 'a name consists of letters, digits, "-", "_" and ".", 64 at most',
})

const repeated = (name: string, line: number): LineError => ({
  message: `section ${name} already begins in line ${line}`,
  hint: 'use another name, or a single section for the cluster',
})

/** The keys of a configuration file: options of serve that the environment may set, too. */
export const isFileKey = (name: string): name is OptionName =>
  name !== 'config' &&
  optionsOf('serve').some(([known]) => known === name && variableOf(known) !== null)

type Setting = Extract<ConfigLine, { readonly kind: 'setting' }>

/** Null if it is valid. */
const readSetting = (
  { key, value }: Setting,
  { part, line }: { readonly part: Part; readonly line: number },
): LineError | null => {
  if (!isFileKey(key)) return unknownKey(key)
  if (part.isTop ? sectionOnly.includes(key) : topOnly.includes(key)) return misplaced(key)
  if (value === null) return openQuote(key)
  part.entries.set(key, [...(part.entries.get(key) ?? []), { text: value, line }])
  return null
}

const badSetting = (written: string): LineError => ({
  message: `invalid setting ${quoteText(written.trim())}: must be KEY = VALUE`,
  hint: 'the value of a switch is on or off; a comment begins with ";" or "#"',
})

const unknownKey = (key: string): LineError => {
  const name = key.replace(/^-+/, '')
  if (optionsOf('serve').some(([known]) => known === name && !isFileKey(name))) {
    return {
      message: `${name} cannot be set in a file`,
      hint: `use --${name} on the command line`,
    }
  }
  const message = `unknown key ${quoteText(key)}`
  const hint = isFileKey(name) ? `did you mean ${name}?` : similarTo(name)
  return { message, hint }
}

/** Commander suggests the name of a misspelt option. */
const similarTo = (name: string): string => {
  const sorted = sortWords(['serve', `--${name}`])
  const meant = sorted.ok ? null : /^did you mean --(.+)\?$/.exec(sorted.fault.hint)?.[1]
  if (meant !== undefined && meant !== null && isFileKey(meant)) return `did you mean ${meant}?`
  return `keys are the options without dashes; ${helpHint('serve')}`
}

const misplaced = (key: OptionName): LineError =>
  key === 'pgdata'
    ? {
        message: 'pgdata must be set in a section',
        hint: 'a section begins with the name of its cluster: [main]',
      }
    : {
        message: `${key} must be set above the first section`,
        hint: 'it applies to the whole process',
      }

const openQuote = (key: OptionName): LineError => ({
  message: `unterminated quoted value of ${key}`,
  hint: 'put quotes around the whole value; nothing within them is escaped',
})
