/**
 * The values of options: a flag goes before the environment, that before the configuration file,
 * and that before the default.
 *
 * Mistakes are gathered instead of thrown, so that options.ts reads as the list it is. After a
 * mistake the default stands in; whoever reads values has to ask for the mistakes as well.
 */
import type { FileMistake, OperatorError } from './operator-error.ts'
import { optionTable, type OptionName } from './option-table.ts'

export type Environment = { readonly [variable: string]: string | undefined }

/** Each option given on the command line with all its texts in order; `on` if it takes none. */
export type Flags = ReadonlyMap<OptionName, readonly string[]>

/** Each option given in a part of a configuration file, in the order of lines. */
export type Entries = ReadonlyMap<OptionName, readonly Entry[]>
export type Entry = { readonly text: string; readonly line: number }

export type FilePart = {
  readonly path: string
  /** A section, and what stands before the first one. */
  readonly parts: readonly Entries[]
}

/** What an option may say. */
export type Form<Value> = {
  /** Completes "--port is "abc", wanted ...". */
  readonly wanted: string
  /** Null for what it may not say. */
  readonly read: (text: string) => Value | null
}

export type Settings = {
  /** Of an option given several times the last one counts. */
  readonly one: <Value, Default>(
    option: OptionName,
    form: Form<Value>,
    fallback: Default,
  ) => Value | Default
  /** All that was given, each of them possibly a list with commas. */
  readonly all: <Value>(option: OptionName, form: Form<Value>) => readonly Value[]
  /** In the order of reading. */
  readonly mistakes: readonly (OperatorError | FileMistake)[]
  /** What has been read, and where it was given; without what was given nowhere. */
  readonly given: GivenOptions
}

/** Of an option that takes a list each part, of any other the one that counts. */
export type GivenOptions = ReadonlyMap<OptionName, readonly Given[]>

export type Given = {
  /** What the operator wrote: `--port`, `PG_REPLSTATUS_PORT`, or in a file `port`. */
  readonly name: string
  readonly text: string
  /** Null outside of files. */
  readonly at: { readonly path: string; readonly line: number } | null
}

/** `--port`, `PG_REPLSTATUS_PORT` or `port (FILE:LINE)`. */
export const sourceOf = ({ name, at }: Pick<Given, 'name' | 'at'>): string =>
  at === null ? name : `${name} (${at.path}:${at.line})`

/** A mistake in what an option says, with what gave it, unless that is the command line. */
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
  const mistakes: (OperatorError | FileMistake)[] = []
  const read = new Map<OptionName, readonly Given[]>()

  const complain = ({ at, text }: Given, message: string): void => {
    if (at === null) return void mistakes.push({ message, hint })
    const { path, line } = at
    const told = /\s[;#]/.test(text) ? 'a comment must be on a line of its own' : hint
    mistakes.push({ message: `${path}:${line}: ${message}`, hint: told, line })
  }
  const readAs = <Value>(given: Given, form: Form<Value>): Value | null => {
    const { name, text } = given
    const value = form.read(text)
    if (value === null) complain(given, `${name} is ${JSON.stringify(text)}, wanted ${form.wanted}`)
    return value
  }

  return {
    one: (option, form, fallback) => {
      const given = findGiven(option, flags, sources)
      const last = given.at(-1)
      if (last === undefined) return fallback
      read.set(option, [last])
      for (const { at } of given.slice(0, -1)) {
        // On a command line the last word corrects the first; in a file one of them is forgotten.
        if (at !== null) complain(last, `${option} stands in line ${at.line} already, wanted once`)
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
    mistakes,
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
  const name = optionTable[option].variable
  const text = name === null ? undefined : environment[name]
  // What unit files and compose files leave empty was not given.
  if (name !== null && text !== undefined && text !== '') return [{ name, text, at: null }]
  if (file === undefined) return []
  const { path, parts } = file
  const entries = parts.find(part => part.has(option))?.get(option) ?? []
  return entries.map(({ text: entry, line }) => ({ name: option, text: entry, at: { path, line } }))
}
