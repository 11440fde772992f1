/**
 * The manual page, in roff with the macros of man(7), from what --help prints and the table of
 * options. Not part of the program: it is made with it, and lies beside it.
 */
import { optionList, written } from './option-list.ts'
import { help } from './help.ts'
import type { CommandName, OptionSpec } from './option-spec.ts'
import { commandNames, optionsOf, optionTable } from './option-table.ts'

/** `date` is that of the release, as in 2026-01-31. The page ends with a line feed. */
export const manualPage = ({
  version,
  date,
}: {
  readonly version: string
  readonly date: string
}): string => {
  const [intro = '', usage = '', , exitCodes = ''] = help.program.trimEnd().split('\n\n')
  const purpose = intro.slice(intro.indexOf(' ') + 1, intro.indexOf(':'))
  const lines = [
    `.TH PG\\-REPLSTATUS 1 ${date} "pg\\-replstatus ${version}" "PostgreSQL"`,
    '.SH NAME',
    `pg\\-replstatus \\- ${escaped(purpose.replaceAll('\n', ' '))}`,
    '.SH SYNOPSIS',
    // Without what each of them does, which is told below.
    ...asTyped(indented(usage).replaceAll(/(?<=\S) {2,}\w.*/g, '')),
    '.SH DESCRIPTION',
    ...prose(intro),
    ...commandNames.flatMap(section),
    '.SH EXIT STATUS',
    ...listed(indented(exitCodes).split('\n')),
    '.SH ENVIRONMENT',
    ...Object.entries(optionTable).flatMap(([name, spec]) => environment(name, spec)),
    '.SH SEE ALSO',
    'README.md of the package tells more: recipes, and what it can\\(aqt know.',
  ]
  // A heading begins a paragraph by itself.
  const needed = lines.filter((line, at) => line !== '.PP' || !lines[at - 1]?.startsWith('.SH'))
  return `${needed.join('\n')}\n`
}

/** What one command's help says, with its options as a list that roff can set. */
const section = (command: CommandName): readonly string[] => {
  const [before = '', after = ''] = help[command].split(optionList(command))
  return [
    `.SH ${command.toUpperCase()}`,
    ...paragraphs(before),
    ...options(command),
    ...paragraphs(after),
  ]
}

const paragraphs = (text: string): readonly string[] => text.trim().split('\n\n').flatMap(paragraph)

/** Under a line such as `Usage:` people have set what follows themselves. */
const paragraph = (text: string): readonly string[] => {
  const [first = ''] = text.split('\n', 1)
  if (/^[A-Z][a-z ]+:$/.test(first)) return ['.PP', escaped(first), ...asTyped(indented(text))]
  return text.startsWith(' ') ? asTyped(text) : ['.PP', ...prose(text)]
}

/** The lines that stand below the first one. */
const indented = (text: string): string => text.slice(text.indexOf('\n') + 1)

const prose = (text: string): readonly string[] => text.split('\n').map(escaped)

const asTyped = (text: string): readonly string[] => ['.PP', '.EX', ...prose(text), '.EE']

const options = (command: CommandName): readonly string[] => {
  const lines: string[] = []
  let under = ''
  for (const [name, spec] of optionsOf(command)) {
    if (spec.heading !== under) lines.push('.SS', escaped(spec.heading || 'Help'))
    under = spec.heading
    lines.push('.TP', `.B ${escaped(written(name, spec, ''))}`, ...described(spec.help))
  }
  return lines
}

/** A word, two blanks or more and what it means: a list at the end of the text of an option. */
const meaning = /^(?: {2})?(\S+) {2,}(\S.*)$/

const described = (text: readonly string[]): readonly string[] => {
  const first = text.findIndex(line => meaning.test(line))
  if (first === -1) return text.map(escaped)
  return [...text.slice(0, first).map(escaped), '.RS', ...listed(text.slice(first)), '.RE']
}

const listed = (text: readonly string[]): readonly string[] =>
  text.flatMap(line => {
    const [, word, means = ''] = meaning.exec(line) ?? []
    if (word === undefined) return [escaped(line.trimStart())]
    return ['.TP', `.B ${escaped(word)}`, escaped(means)]
  })

const environment = (name: string, { variable }: OptionSpec): readonly string[] =>
  variable === null ? [] : ['.TP', `.B ${escaped(variable)}`, escaped(`as --${name}`)]

/** A hyphen is typed, not set; a dot or an apostrophe at the beginning would be a request. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replace(/^\./, '\\&.')
