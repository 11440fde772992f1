/**
 * The manual page, in roff with the macros of man(7), made from the --help pages and the table of
 * options. It is a file of the packages, not a part of the program.
 */
import { optionList, optionsOf, synopsisOf, variableOf } from './option-list.ts'
import { help } from './help.ts'
import { commandNames, type CommandName } from './option-spec.ts'
import { optionTable, type OptionName } from './option-table.ts'

/** `date` is that of the release, such as 2026-01-31. The page ends with a line feed. */
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
    // Without the descriptions, which follow below.
    ...asTyped(indented(usage).replaceAll(/(?<=\S) {2,}\w.*/g, '')),
    '.SH DESCRIPTION',
    ...prose(intro),
    ...commandNames.flatMap(section),
    '.SH EXIT STATUS',
    ...listed(indented(exitCodes).split('\n')),
    '.SH ENVIRONMENT',
    ...(Object.keys(optionTable) as OptionName[]).flatMap(environment),
    '.SH SEE ALSO',
    'README.md of the package: recipes, and the limits of what it can detect.',
  ]
  // A heading begins a paragraph.
  const needed = lines.filter((line, at) => line !== '.PP' || !lines[at - 1]?.startsWith('.SH'))
  return `${needed.join('\n')}\n`
}

/** The help of a command, with its options as a list of roff. */
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

/** What follows a line such as `Usage:` is already formatted. */
const paragraph = (text: string): readonly string[] => {
  const [first = ''] = text.split('\n', 1)
  if (/^[A-Z][a-z ]+:$/.test(first)) return ['.PP', escaped(first), ...asTyped(indented(text))]
  return text.startsWith(' ') ? asTyped(text) : ['.PP', ...prose(text)]
}

/** The lines below the first one. */
const indented = (text: string): string => text.slice(text.indexOf('\n') + 1)

const prose = (text: string): readonly string[] => text.split('\n').map(escaped)

const asTyped = (text: string): readonly string[] => ['.PP', '.EX', ...prose(text), '.EE']

const options = (command: CommandName): readonly string[] => {
  const lines: string[] = []
  let under = ''
  for (const [name, spec] of optionsOf(command)) {
    if (spec.heading !== under) lines.push('.SS', escaped(spec.heading || 'Help'))
    under = spec.heading
    lines.push('.TP', `.B ${escaped(synopsisOf(name))}`, ...described(spec.help))
  }
  return lines
}

/** A word, two or more blanks and its meaning: a list at the end of the text of an option. */
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

const environment = (name: OptionName): readonly string[] => {
  const variable = variableOf(name)
  return variable === null ? [] : ['.TP', `.B ${escaped(variable)}`, escaped(`as --${name}`)]
}

/** As ASCII hyphens. At the beginning of a line, a dot or an apostrophe would be a request. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replace(/^\./, '\\&.')
