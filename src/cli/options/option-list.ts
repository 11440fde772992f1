/** Lists of options: those of a command, and how each is written. */
import type { CommandName, OptionSpec } from './option-spec.ts'
import { optionTable, type OptionName } from './option-table.ts'

const entries = Object.entries(optionTable) as readonly (readonly [OptionName, OptionSpec])[]

/** The options of a command, in the order of its help. */
export const optionsOf = (command: CommandName): readonly (readonly [OptionName, OptionSpec])[] =>
  entries.filter(([, { commands }]) => commands.includes(command))

/** The environment variable of an option; null for none. */
export const variableOf = (name: OptionName): string | null => {
  const { variable }: OptionSpec = optionTable[name]
  return variable === undefined
    ? `PG_REPLSTATUS_${name.toUpperCase().replaceAll('-', '_')}`
    : variable
}

/** `-D, --pgdata DIR`, or `-D, --pgdata <DIR>` with brackets, as Commander expects it. */
export const synopsisOf = (name: OptionName, brackets: '<>' | '' = ''): string => {
  const { short, value }: OptionSpec = optionTable[name]
  const [opening = '', closing = ''] = brackets
  const letter = short === undefined ? '' : `-${short}, `
  return `${letter}--${name}${value === undefined ? '' : ` ${opening}${value}${closing}`}`
}

/** Turns a switch off that is on elsewhere; null for other options. */
export const negationOf = (name: OptionName): string | null => {
  const { value }: OptionSpec = optionTable[name]
  return value === undefined && variableOf(name) !== null ? `--no-${name}` : null
}

/** The options of a command for its help, under their headings; ends with a line feed. */
export const optionList = (command: CommandName): string => {
  const lines: string[] = []
  let under: string | null = null
  for (const [name, { heading, help }] of optionsOf(command)) {
    if (heading !== under) {
      if (under !== null) lines.push('')
      if (heading !== '') lines.push(`${heading}:`)
      under = heading
    }
    const [first = '', ...rest] = help
    lines.push(`  ${synopsisOf(name).padEnd(textColumn - 2)}${first}`)
    for (const line of rest) lines.push(`${' '.repeat(textColumn + 2)}${line}`)
  }
  return lines.map(line => `${line}\n`).join('')
}

const textColumn = 29
