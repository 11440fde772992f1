/**
 * The values of options. The command line takes precedence over the environment, which takes
 * precedence over the configuration file.
 *
 * Errors are collected instead of thrown, so that all of them are reported. After an error the
 * default is returned: the caller must check `errors` before it uses the values.
 */
import { quoteText } from '../../facts/visible-text.ts'
import type { FileError, OperatorError } from '../output/operator-error.ts'
import { variableOf } from './option-list.ts'
import type { OptionName } from './option-table.ts'

export type Environment = { readonly [variable: string]: string | undefined }

/** Each option on the command line with its values in order; `on` for a switch. */
export type Flags = ReadonlyMap<OptionName, readonly string[]>

/** Each option in a part of a configuration file, in the order of lines. */
export type Entries = ReadonlyMap<OptionName, readonly Entry[]>
export type Entry = { readonly text: string; readonly line: number }

export type FilePart = {
  readonly path: string
  /** A section, and the settings above the first section. */
  readonly parts: readonly Entries[]
}

/** The valid values of an option. */
export type Form<Value> = {
  /** Completes "--port must be ...". */
  readonly expected: string
  /** Null for an invalid value. */
  readonly read: (text: string) => Value | null
}

export type Settings = {
  /** Of several values the last one is used. */
  readonly one: <Value, Default>(
    option: OptionName,
    form: Form<Value>,
    fallback: Default,
  ) => Value | Default
  /** All values. Each may be a list with commas. */
  readonly all: <Value>(option: OptionName, form: Form<Value>) => readonly Value[]
  /** Adds an error if the option was given, which is useless without the other one. */
  readonly need: (option: OptionName, other: OptionName) => void
  /** Adds an error if the option was given; `because` follows its name. */
  readonly refuse: (option: OptionName, because: string) => void
  /** In the order of reading. */
  readonly errors: readonly (OperatorError | FileError)[]
  /** Where the options that were read have been given; without defaults. */
  readonly given: GivenOptions
}

/** Of an option with a list, each part; of any other, the value that is used. */
export type GivenOptions = ReadonlyMap<OptionName, readonly Given[]>

export type Given = {
  /** As the operator wrote it: `--port`, `PG_REPLSTATUS_PORT`, or in a file `port`. */
  readonly name: string
  readonly text: string
  /** Null host of files. */
  readonly at: { readonly path: string; readonly line: number } | null
}

/** `--port`, `PG_REPLSTATUS_PORT` or `port (FILE:LINE)`. */
export const sourceOf = ({ name, at }: Pick<Given, 'name' | 'at'>): string =>
  at === null ? name : `${name} (${at.path}:${at.line})`

/** Adds to an error where the value was given, unless that is the command line. */
export const withSource = (
  { message, hint }: OperatorError,
  given: GivenOptions,
  option: OptionName,
): OperatorError => {
  const [source] = given.get(option) ?? []
  return source === undefined || source.name.startsWith('--')
    ? { message, hint }
    : { message: `${sourceOf(source)}: ${message}`, hint }
}

export const createSettings = (flags: Flags, sources: Sources): Settings => {
  const { hint } = sources
  const errors: (OperatorError | FileError)[] = []
  const read = new Map<OptionName, readonly Given[]>()

  const addError = ({ at, text }: Given, message: string): void => {
    if (at === null) return void errors.push({ message, hint })
    const { path, line } = at
    const lineHint = /\s[;#]/.test(text) ? 'a comment must be on a line of its own' : hint
    errors.push({ message: `${path}:${line}: ${message}`, hint: lineHint, line })
  }
  const readAs = <Value>(given: Given, form: Form<Value>): Value | null => {
    const { name, text } = given
    const value = form.read(text)
    if (value === null) {
      addError(given, `${name} must be ${form.expected}, but is ${quoteText(text)}`)
    }
    return value
  }

  const refuse = (option: OptionName, because: string): void => {
    for (const given of read.get(option) ?? []) addError(given, `${given.name} ${because}`)
  }

  return {
    one: (option, form, fallback) => {
      const given = findGiven(option, flags, sources)
      const last = given.at(-1)
      if (last === undefined) return fallback
      read.set(option, [last])
      for (const { at } of given.slice(0, -1)) {
        // On a command line the last value replaces the others. In a file it is an oversight.
        if (at !== null) addError(last, `${option} is already set in line ${at.line}`)
      }
      return readAs(last, form) ?? fallback
    },
    all: (option, form) => {
      const parts = findGiven(option, flags, sources).flatMap(({ name, text, at }) =>
        text.split(',').map(part => ({ name, text: part.trim(), at })),
      )
      if (parts.length > 0) read.set(option, parts)
      return parts.map(given => readAs(given, form)).filter(value => value !== null)
    },
    need: (option, other) => {
      refuse(option, `requires ${other}`)
    },
    refuse,
    errors,
    given: read,
  }
}

type Sources = {
  readonly environment: Environment
  readonly file?: FilePart
  readonly hint: string
}

const findGiven = (
  option: OptionName,
  flags: Flags,
  { environment, file }: Sources,
): readonly Given[] => {
  const texts = flags.get(option)
  if (texts !== undefined) return texts.map(text => ({ name: `--${option}`, text, at: null }))
  const name = variableOf(option)
  const text = name === null ? undefined : environment[name]
  // Unit files and compose files may leave a variable empty.
  if (name !== null && text !== undefined && text !== '') return [{ name, text, at: null }]
  if (file === undefined) return []
  const { path, parts } = file
  const entries = parts.find(part => part.has(option))?.get(option) ?? []
  return entries.map(({ text: entry, line }) => ({ name: option, text: entry, at: { path, line } }))
}
