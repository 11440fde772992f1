/**
 * The command line, split into command, flags and operands, with values that are not checked yet.
 * Commander parses options, and suggests the name of a misspelt one.
 */
import assert from 'node:assert'
import { Command, CommanderError, Option } from 'commander'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import type { OperatorError } from '../output/operator-error.ts'
import { negationOf, optionsOf, synopsisOf } from './option-list.ts'
import { commandNames, type CommandName } from './option-spec.ts'
import type { OptionName } from './option-table.ts'
import type { Flags } from './settings.ts'

export type CommandWords = {
  readonly command: CommandName
  readonly flags: Flags
  readonly operands: readonly string[]
}

/** `argv` begins with the name of a command, or with an option of the default one. */
export const sortWords = (argv: readonly string[]): Outcome<CommandWords, OperatorError> => {
  const [first = '-'] = argv
  const words = first.startsWith('-') ? ['serve', ...argv] : argv
  const sorted: CommandWords[] = []
  const parser = createParser(found => {
    sorted.push(found)
  })
  try {
    parser.parse(words, { from: 'user' })
  } catch (error) {
    assert(error instanceof CommanderError, error as Error)
    return fault(describe(error.message, words[0]))
  }
  const [found] = sorted
  assert(found !== undefined, 'Commander neither ran a command nor reported an error')
  return fact(found)
}

const createParser = (found: (words: CommandWords) => void): Command => {
  const parser = new Command()
    .helpOption(false)
    .helpCommand(false)
    .configureOutput({ outputError: keepQuiet })
    .exitOverride()
  for (const name of commandNames) {
    const command = parser.command(name).argument('[operands...]')
    for (const [option] of optionsOf(name)) {
      command.addOption(new Option(synopsisOf(option, '<>')).argParser(collect))
      const negation = negationOf(option)
      if (negation !== null) command.addOption(new Option(negation).argParser(collectOff))
    }
    command.action((operands: readonly string[]) => {
      found({ command: name, flags: flagsOf(command), operands })
    })
  }
  return parser
}

/** The error that Commander throws has the same message. */
const keepQuiet = (): void => {}

/** For a flag without a value, Commander has no text. */
const collect = (text: string | undefined, before: readonly string[] = []): readonly string[] => [
  ...before,
  text ?? 'on',
]

/** Commander stores both under the same name, so that the last one is used. */
const collectOff = (_: unknown, before: readonly string[] = []): readonly string[] => [
  ...before,
  'off',
]

const flagsOf = (command: Command): Flags => {
  const flags = new Map<OptionName, readonly string[]>()
  for (const option of command.options.filter(({ negate }) => !negate)) {
    const texts = command.getOptionValue(option.attributeName()) as readonly string[] | undefined
    if (texts !== undefined) flags.set(option.name() as OptionName, texts)
  }
  return flags
}

/** Commander's message is "error: ...", with a suggestion on a second line. */
const describe = (text: string, command: string | undefined): OperatorError => {
  const [first = '', second = ''] = text.split('\n')
  const message = first.replace(/^error: /, '')
  const [, meant] = /^\(Did you mean (.+)\?\)$/.exec(second) ?? []
  if (meant !== undefined) return { message, hint: `did you mean ${meant}?` }
  const known = commandNames.find(name => name === command)
  const [, valued] = /^unknown option '--([a-z-]+)=/.exec(message) ?? []
  const [option] = optionsOf(known ?? 'serve').find(([name]) => name === valued) ?? []
  const negation = option === undefined ? null : negationOf(option)
  if (negation !== null)
    return { message, hint: `a switch has no value: use --${valued} or ${negation}` }
  return { message, hint: known === undefined ? commandHint : helpHint(known) }
}

const commandHint = 'see "pg-replstatus --help"; the data directory must be specified with -D'

export const helpHint = (command: CommandName): string => `see "pg-replstatus ${command} --help"`
