/**
 * The values of options: a flag goes before the environment, and that before the default.
 *
 * Mistakes are gathered instead of thrown, so that options.ts reads as the list it is. After a
 * mistake the default stands in; whoever reads values has to ask for the mistakes as well.
 */
import type { OperatorError } from './operator-error.ts'
import { optionTable, type OptionName } from './option-table.ts'

export type Environment = { readonly [variable: string]: string | undefined }

/** Each option given on the command line with all its texts in order; `on` if it takes none. */
export type Flags = ReadonlyMap<OptionName, readonly string[]>

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
  readonly mistakes: readonly OperatorError[]
}

export const createSettings = (
  flags: Flags,
  { environment, hint }: { readonly environment: Environment; readonly hint: string },
): Settings => {
  const mistakes: OperatorError[] = []

  const readAs = <Value>({ name, text }: Given, form: Form<Value>): Value | null => {
    const value = form.read(text)
    if (value === null) {
      mistakes.push({ message: `${name} is ${JSON.stringify(text)}, wanted ${form.wanted}`, hint })
    }
    return value
  }

  return {
    one: (option, form, fallback) => {
      const given = findGiven(option, flags, environment).at(-1)
      return given === undefined ? fallback : (readAs(given, form) ?? fallback)
    },
    all: (option, form) =>
      findGiven(option, flags, environment)
        .flatMap(({ name, text }) => text.split(',').map(part => ({ name, text: part.trim() })))
        .map(given => readAs(given, form))
        .filter(value => value !== null),
    mistakes,
  }
}

/** `name` is what the operator wrote: `--port` or `PG_REPLSTATUS_PORT`. */
type Given = { readonly name: string; readonly text: string }

const findGiven = (
  option: OptionName,
  flags: Flags,
  environment: Environment,
): readonly Given[] => {
  const texts = flags.get(option)
  if (texts !== undefined) return texts.map(text => ({ name: `--${option}`, text }))
  const name = optionTable[option].variable
  const text = name === null ? undefined : environment[name]
  // What unit files and compose files leave empty was not given.
  return name === null || text === undefined || text === '' ? [] : [{ name, text }]
}
