/** Options as people read them in the help, and as Commander wants them. */
import type { CommandName, OptionSpec } from './option-spec.ts'
import { optionsOf, optionTable, type OptionName } from './option-table.ts'

/** The options of a command for its help, under their headings; ends with a line feed. */
export const optionList = (command: CommandName): string => {
  const lines: string[] = []
  let under: string | null = null
  for (const [name, spec] of optionsOf(command)) {
    if (spec.heading !== under) {
      if (under !== null) lines.push('')
      if (spec.heading !== '') lines.push(`${spec.heading}:`)
      under = spec.heading
    }
    const [first = '', ...rest] = spec.help
    lines.push(`  ${written(name, spec, '').padEnd(textColumn - 2)}${first}`)
    for (const line of rest) lines.push(`${' '.repeat(textColumn + 2)}${line}`)
  }
  return lines.map(line => `${line}\n`).join('')
}

const textColumn = 29

/** `-D, --pgdata DIR`, and with `<` before the value as Commander wants it. */
export const written = (name: string, { short, value }: OptionSpec, bracket: '<' | ''): string => {
  const letter = short === undefined ? '' : `-${short}, `
  const closing = bracket === '' ? '' : '>'
  return `${letter}--${name}${value === undefined ? '' : ` ${bracket}${value}${closing}`}`
}

/** What turns a switch off that may be on elsewhere; null where nothing else can turn it on. */
export const negationOf = (name: OptionName): string | null => {
  const { value, variable }: OptionSpec = optionTable[name]
  return value === undefined && variable !== null ? `--no-${name}` : null
}

/** As Commander wants it. */
export const flagOf = (name: OptionName): string => written(name, optionTable[name], '<')
