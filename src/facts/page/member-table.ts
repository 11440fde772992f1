/** The members as a table; on a narrow screen each is a block of lines. */
import { urlOf, type ClusterMember } from '../report/cluster-members.ts'
import { answeredText, lagText, reasonText, timelineText } from '../report/member-text.ts'
import { element, type Content, type Html } from './html.ts'

/** A role is told apart by a sign as well as by its word. */
const signs = { primary: '●', standby: '○', unavailable: '▲', silent: '?' } as const

type Column = {
  readonly title: string
  readonly isNumber: boolean
  readonly cell: (member: ClusterMember) => string
}

/** Between the name and the role on the left, and the notes below. */
const columns: readonly Column[] = [
  { title: 'State', isNumber: false, cell: ({ state }) => state },
  { title: 'Timeline', isNumber: true, cell: timelineText },
  { title: 'Lag', isNumber: true, cell: lagText },
  { title: 'Answered', isNumber: true, cell: answeredText },
]

export const memberTable = (members: readonly ClusterMember[]): Html => {
  const heads = columns.map(({ title, isNumber }) =>
    element('th', { scope: 'col', class: isNumber ? 'number' : null }, title),
  )
  return element(
    'table',
    {},
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, 'Member'),
        element('th', { scope: 'col' }, 'Role'),
        heads,
      ),
    ),
    members.map(memberRows),
  )
}

const memberRows = (member: ClusterMember): Html => {
  const { name, address, port, answer } = member
  const role = answer ?? 'silent'
  const cells = columns.map(({ title, isNumber, cell }) =>
    element('td', { 'data-title': title, class: isNumber ? 'number' : null }, cell(member)),
  )
  return element(
    'tbody',
    { class: role },
    element(
      'tr',
      {},
      element(
        'th',
        { scope: 'row' },
        element('a', { href: `${urlOf(address)}/ui` }, name),
        port === null ? null : element('span', { class: 'quiet' }, ` port ${port}`),
      ),
      element('td', { class: 'role' }, `${signs[role]} ${role}`),
      cells,
    ),
    notesOf(member).map(note =>
      element('tr', { class: 'note' }, element('td', { colspan: columns.length + 2 }, note)),
    ),
  )
}

/** The reason of a member that has no role, and what is wrong with any other. */
const notesOf = (member: ClusterMember): readonly Content[] => {
  const { answer, hazards } = member
  const isServing = answer === 'primary' || answer === 'standby'
  return [
    ...(isServing ? [] : [reasonText(member)]),
    ...(hazards ?? []).map(hazard => element('strong', {}, `▲ Warning: ${hazard}`)),
  ]
}
