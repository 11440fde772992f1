/** The members of a cluster as a table for people. */
import { visibleText } from '../visible-text.ts'
import { troublesOf, type ClusterView, type MemberView } from './cluster-view.ts'
import { answeredText, lagText, reasonText, timelineText } from './member-text.ts'

/** Lines without line ends. `asked` is the daemon that answered. */
export const clusterTable = (view: ClusterView, asked: string): readonly string[] => {
  const { scope, members } = view
  const widthOf = ({ title, cell }: Column): number =>
    Math.max(title.length, ...members.map(member => cell(member).length))
  const printRow = (cellOf: (column: Column) => string): string =>
    columns
      .map(one => aligned(cellOf(one), one, widthOf(one)))
      .join('  ')
      .trimEnd()
  const printMember = (member: MemberView): readonly string[] => {
    const row = printRow(({ cell }) => cell(member))
    return [row, ...notesOf(member)]
  }
  const troubles = troublesOf(members)
  return [
    `${scope === null ? 'cluster' : `cluster ${scope}`}, as reported by ${asked}`,
    '',
    printRow(({ title }) => title),
    ...members.flatMap(printMember),
    ...(troubles.length === 0 ? [] : ['', ...troubles.flatMap(trouble => broken(trouble))]),
  ].map(visibleText)
}

type Column = {
  readonly title: string
  readonly isNumber: boolean
  readonly cell: (member: MemberView) => string
}

const column = (title: string, cell: Column['cell']): Column => ({ title, isNumber: false, cell })
const numbers = (title: string, cell: Column['cell']): Column => ({ title, isNumber: true, cell })

const columns: readonly Column[] = [
  column('MEMBER', ({ name }) => name),
  column('ROLE', ({ role }) => roles.get(role) ?? role),
  column('STATE', ({ state }) => state),
  numbers('TIMELINE', timelineText),
  numbers('LAG', lagText),
  numbers('ANSWERED', answeredText),
]

/** As everywhere else in this program. */
const roles: ReadonlyMap<string, string> = new Map([
  ['leader', 'primary'],
  ['replica', 'standby'],
])

const aligned = (cell: string, { isNumber }: Column, width: number): string =>
  isNumber ? cell.padStart(width) : cell.padEnd(width)

/** The reason of a member that has no role, and what is wrong with any other. */
const notesOf = (member: MemberView): readonly string[] => {
  const { role, hazards } = member
  const reason = reasonText(member)
  return [
    ...(roles.has(role) || reason === '' ? [] : broken(reason, indent)),
    ...(hazards ?? []).flatMap(hazard => broken(`warning: ${hazard}`, indent)),
  ]
}

const indent = '    '
const widthMax = 80

/** In lines, at blanks. */
const broken = (text: string, before = ''): readonly string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && before.length + line.length + 1 + word.length > widthMax) {
      lines.push(before + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, before + line]
}
