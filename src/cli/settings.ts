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
}

export const createSettings = (flags: Flags, sources: Sources): Settings => {
  const { hint, file } = sources
  const mistakes: (OperatorError | FileMistake)[] = []

  const complain = (line: number | null, message: string): void => {
    if (line === null) mistakes.push({ message, hint })
    else mistakes.push({ message: `${file?.path}:${line}: ${message}`, hint, line })
  }
  const readAs = <Value>(given: Given, form: Form<Value>): Value | null => {
    const { name, text, line } = given
    const value = form.read(text)
    if (value === null) complain(line, `${name} is ${JSON.stringify(text)}, wanted ${form.wanted}`)
    return value
  }

  return {
    one: (option, form, fallback) => {
      const given = findGiven(option, flags, sources)
      const last = given.at(-1)
      if (last === undefined) return fallback
      for (const { line } of given.slice(0, -1)) {
        // On a command line the last word corrects the first; in a file one of them is forgotten.
        if (line !== null)
          complain(last.line, `${option} stands in line ${line} already, wanted once`)
      }
      return readAs(last, form) ?? fallback
    },
    all: (option, form) =>
      findGiven(option, flags, sources)
        .flatMap(({ name, text, line }) =>
          text.split(',').map(part => ({ name, text: part.trim(), line })),
        )
        .map(given => readAs(given, form))
        .filter(value => value !== null),
    mistakes,
  }
}

type Sources = {
  readonly environment: Environment
  readonly file?: FilePart
  readonly hint: string
}

type Given = {
  /** What the operator wrote: `--port`, `PG_REPLSTATUS_PORT`, or in a file `port`. */
  readonly name: string
  readonly text: string
  /** Null outside of files. */
  readonly line: number | null
}

const findGiven = (
  option: OptionName,
  flags: Flags,
  { environment, file }: Sources,
): readonly Given[] => {
  const texts = flags.get(option)
  if (texts !== undefined) return texts.map(text => ({ name: `--${option}`, text, line: null }))
  const name = optionTable[option].variable
  const text = name === null ? undefined : environment[name]
  // What unit files and compose files leave empty was not given.
  if (name !== null && text !== undefined && text !== '') return [{ name, text, line: null }]
  const entries = file?.parts.find(part => part.has(option))?.get(option) ?? []
  return entries.map(entry => ({ name: option, text: entry.text, line: entry.line }))
}
