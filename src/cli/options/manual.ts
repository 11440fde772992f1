/**
 * The manual page, in roff with the macros of man(7), made from the --help pages and the table of
 * options. It is a file of the packages, not a part of the program.
 */
import { optionList, optionsOf, synopsisOf, variableOf } from './option-list.ts'
import { help, signals } from './help.ts'
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
    '.SH EXAMPLES',
    ...examples.flatMap(example),
    '.SH SIGNALS',
    ...listed(indented(signals).trimEnd().split('\n')),
    '.SH EXIT STATUS',
    ...listed(indented(exitCodes).split('\n')),
    '.SH ENVIRONMENT',
    ...(Object.keys(optionTable) as OptionName[]).flatMap(environment),
    '.SH FILES',
    ...files.flatMap(file),
    '.SH SEE ALSO',
    'README.md of the package, and the pages that it names.',
  ]
  // A heading begins a paragraph.
  const needed = lines.filter((line, at) => line !== '.PP' || !lines[at - 1]?.startsWith('.SH'))
  return `${needed.join('\n')}\n`
}

const examples: readonly (readonly [purpose: string, words: string])[] = [
  [
    'Watch a server, and answer on port 5400 and by HTTP:',
    '-D /var/lib/postgresql/16/main --http 8008',
  ],
  [
    'Let an old primary yield to the member that replaced it:',
    '-D /data --http 8008 --peer s2:8008',
  ],
  ['Why is there no answer?', 'status -D /var/lib/postgresql/16/main'],
  ['As a health check, in either role:', 'status -D /data --expect any'],
  ['Exactly one primary?', 'query db1:5400 db2:5400 db3:5400'],
]

const example = ([purpose, words]: (typeof examples)[number]): readonly string[] => [
  '.PP',
  escaped(purpose),
  ...asTyped(`  pg-replstatus ${words}`),
]

/** Those of the package. */
const files: readonly (readonly [path: string, purpose: string])[] = [
  ['/etc/pg-replstatus.conf', 'configuration of pg-replstatus.service, of several clusters'],
  ['/etc/pg-replstatus/15-main.conf', 'environment of pg-replstatus@15-main.service'],
  ['/run/pg-replstatus/15-main/http.sock', 'its Unix socket, for status and history'],
]

const file = ([path, purpose]: (typeof files)[number]): readonly string[] => [
  '.TP',
  `.B ${escaped(path)}`,
  escaped(purpose),
]

/** The help of a command, with its options as a list of roff. */
const section = (command: CommandName): readonly string[] => {
  const [before = '', after = ''] = help[command]
    .replace(`${signals}\n`, '')
    .split(optionList(command))
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

/** Words, two or more blanks and their meaning: a list at the end of the text of an option. */
const meaning = /^(?: {2})?((?:\S+, )*\S+) {2,}(\S.*)$/

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
