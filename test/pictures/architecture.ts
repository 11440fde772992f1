/** Who asks whom: clients, HAProxy, servers, and a pg-replstatus beside each of them. */
import { wireWords } from '../../src/serve/role/reply.ts'
import { places, readPort, writePort } from '../demo/places.ts'
import { box, element, line, printDrawing, text, type Markup } from './svg.ts'

type Column = {
  readonly x: number
  readonly name: string
  readonly server: string
  readonly role: 'primary' | 'standby' | 'trouble'
  readonly answer: string
  readonly port: number
}

const columnWidth = 172
const answers = [
  ['primary', 'primary', wireWords.primary],
  ['standby', 'standby', wireWords.standby],
  ['stopping', 'trouble', 'closed'],
] as const

const columns = places.map(({ name, probePort }, index): Column => {
  const [server, role, answer] = answers[index] ?? answers[2]
  return { x: 12 + index * 182, name, server, role, answer, port: probePort }
})

/** How far down things are. */
const y = { clients: 14, haproxy: 92, host: 186, server: 216, probe: 316, end: 396, legend: 424 }
/** Within a column: where haproxy's check goes down, and where the server begins. */
const checkAt = 20
const serverAt = 42

const arrow = 'url(#arrow)'
const sessionArrow = 'url(#session)'

const arrowHead = (id: string, size: number): Markup =>
  element(
    'marker',
    {
      id,
      viewBox: '0 0 10 10',
      refX: 9,
      refY: 5,
      markerWidth: size,
      markerHeight: size,
      markerUnits: 'userSpaceOnUse',
      orient: 'auto-start-reverse',
    },
    element('path', { d: 'M0 0.5L10 5L0 9.5z', class: `head of-${id}` }),
  )

const client = (name: string, x: number, port: number): readonly Markup[] => [
  box([x, y.clients, 130, 34], { class: 'edge' }),
  text(name, { x: x + 65, y: y.clients + 22, class: 'middle' }),
  line([x + 65, y.clients + 34, x + 65, y.haproxy], { 'marker-end': arrow }),
  text(`port ${port}`, { x: x + 74, y: y.clients + 61, class: 'small quiet' }),
]

/** Sessions lead to the middle of a server. */
const middleOf = ({ x }: Column): number => x + (serverAt + columnWidth - 8) / 2

const session = (column: Column): Markup =>
  line([middleOf(column), y.haproxy + 40, middleOf(column), y.server], {
    class: 'session',
    'marker-end': sessionArrow,
  })

const host = (column: Column): readonly Markup[] => {
  const { x, name, server, role, answer, port } = column
  const middle = middleOf(column)
  return [
    box([x, y.host, columnWidth, y.end - y.host + 8], { class: 'panel' }),
    line([x + checkAt, y.haproxy + 40, x + checkAt, y.probe], {
      class: 'check',
      'marker-end': arrow,
    }),
    text(name, { x: x + columnWidth - 12, y: y.host + 20, class: 'small quiet end' }),
    box([x + serverAt, y.server, columnWidth - serverAt - 8, 52], { class: 'edge' }),
    text('PostgreSQL', { x: middle, y: y.server + 22, class: 'middle strong' }),
    text(server, { x: middle, y: y.server + 41, class: `middle small ${role}` }),
    line([middle, y.probe, middle, y.server + 52], {
      class: 'reads',
      'marker-end': arrow,
    }),
    text('reads', { x: middle + 6, y: y.probe - 18, class: 'small quiet' }),
    box([x + 8, y.probe, columnWidth - 16, 80], { class: 'edge' }),
    text('pg-replstatus', { x: x + columnWidth / 2, y: y.probe + 22, class: 'middle strong' }),
    text(`port ${port}`, { x: x + columnWidth / 2, y: y.probe + 40, class: 'middle small quiet' }),
    ...reply(x + columnWidth / 2, answer, role),
  ]
}

/** An answer is filled, a closed port is an outline. */
const reply = (middle: number, answer: string, role: Column['role']): readonly Markup[] => {
  const isOpen = role !== 'trouble'
  return [
    box([middle - 48, y.probe + 48, 96, 24], {
      class: isOpen ? role : 'closed',
      rx: 4,
    }),
    text(answer, {
      x: middle,
      y: y.probe + 65,
      class: `middle strong ${isOpen ? 'mono small on' : 'small trouble'}`,
    }),
  ]
}

const legendEntry = (at: number, kind: string, said: string, down: number): readonly Markup[] => [
  line([at, y.legend + down - 4, at + 34, y.legend + down - 4], {
    class: kind,
    'marker-end': kind === 'session' ? sessionArrow : arrow,
  }),
  text(said, { x: at + 44, y: y.legend + down, class: 'small' }),
]

const style = `.end{text-anchor:end}
.head{fill:var(--line);stroke:none}
.of-session{fill:var(--text)}
.session{stroke:var(--text);stroke-width:2.5}
.check{stroke-dasharray:5 4}
.reads{stroke-dasharray:1.5 4;stroke-linecap:round;stroke-width:2.5}
.closed{fill:none;stroke:var(--trouble);stroke-width:1.5;stroke-dasharray:4 3}`

const description = [
  `Clients that write come to port ${writePort} of HAProxy, those that only read to port ${readPort}.`,
  'HAProxy sends the sessions of writers to the primary, and those of readers to the standby.',
  'Beside each PostgreSQL server runs a pg-replstatus, which reads the files and processes of the',
  `server. Once a second HAProxy connects to each and reads one word: ${wireWords.primary} beside the`,
  `primary, ${wireWords.standby} beside the standby. Beside the server that is stopping the port is`,
  'closed, and no session is sent there. The standby receives the write-ahead log (WAL) of the',
  'primary.',
].join(' ')

export const drawArchitecture = (): string => {
  const [primary, standby] = columns
  const wal =
    primary === undefined || standby === undefined
      ? []
      : [
          line([primary.x + columnWidth - 8, y.server + 26, standby.x + serverAt, y.server + 26], {
            'marker-end': arrow,
          }),
          text('WAL', { x: standby.x + 2, y: y.server + 19, class: 'small quiet middle' }),
        ]
  return printDrawing({
    width: 560,
    height: 482,
    shownWidth: 720,
    title: 'HAProxy asks the pg-replstatus beside each PostgreSQL server for its role',
    description,
    style,
    parts: [
      element('defs', {}, arrowHead('arrow', 9), arrowHead('session', 11)),
      ...client('writers', 84, writePort),
      ...client('readers', 346, readPort),
      box([12, y.haproxy, 536, 40], { class: 'edge' }),
      text('HAProxy', { x: 280, y: y.haproxy + 26, class: 'middle strong' }),
      ...columns.flatMap(host),
      ...columns.slice(0, 2).map(session),
      ...wal,
      ...legendEntry(20, 'session', 'sessions', 6),
      ...legendEntry(200, 'check', 'once a second: connect, read one word', 6),
      ...legendEntry(
        20,
        'reads',
        'postmaster.pid, pg_control, signal files, /proc: no session',
        34,
      ),
    ],
  })
}
