/** What was said and done over time, as lanes of bars above one scale. */
import { box, element, line, printDrawing, text, type Markup } from './svg.ts'

export type Bar = {
  /** Milliseconds since the begin of the picture. */
  readonly from: number
  readonly to: number
  readonly kind: 'primary' | 'standby' | 'nothing' | 'wrong'
  /** Left out where there is no room for it, so that the kind must tell as much. */
  readonly said: string
  /** The first that fits is said where there is no room for the former. */
  readonly shorter?: readonly string[]
}

export type Lane = { readonly name: string; readonly bars: readonly Bar[] }

export type Group = { readonly name: string; readonly lanes: readonly Lane[] }

/** Numbered in the drawing, and explained below it. */
export type Mark = { readonly at: number; readonly what: string }

/** Its first column is what is told, each other one is of one program. */
export type Table = { readonly heads: readonly string[]; readonly rows: readonly Row[] }
type Row = readonly [what: string, ...figures: readonly string[]]

export type Story = {
  readonly title: string
  readonly description: string
  readonly groups: readonly Group[]
  readonly marks: readonly Mark[]
  /** What is wrong about bars of that kind. */
  readonly wrong: string
  /** Below the drawing. */
  readonly table: Table
  readonly lengthMs: number
}

const width = 560
const left = 128
const right = 14
const laneHeight = 28
const barHeight = 22
const groupHead = 30
const top = 40
/** Of bold text in the widest of the usual fonts. */
const charWidth = 8.6

const style = `.wrong{fill:url(#stripes)}
.nothing{fill:var(--panel);stroke:var(--line);stroke-width:1;stroke-dasharray:3 3}
.stripe{stroke:var(--ground);stroke-width:1.5;opacity:.5}
.mark{stroke:var(--text);stroke-width:1;stroke-dasharray:2 3}
.tick{stroke-width:1}
.disc{fill:var(--text)}
.plate{fill:var(--trouble)}
.standby-bar{fill:var(--ground);stroke:var(--standby);stroke-width:2}
.halo{paint-order:stroke;stroke:var(--ground);stroke-width:6px}
.end{text-anchor:end}`

/** So that what is wrong is told from what is right without its colour, too. */
const stripes = element(
  'pattern',
  {
    id: 'stripes',
    width: 8,
    height: 8,
    patternUnits: 'userSpaceOnUse',
    patternTransform: 'rotate(45)',
  },
  element('rect', { width: 8, height: 8, class: 'trouble' }),
  line([0, 0, 0, 8], { class: 'stripe', 'stroke-width': 3 }),
)

type Place = { readonly scale: (ms: number) => number; readonly y: number }

const looks: Readonly<Record<Bar['kind'], { readonly bar: string; readonly text: string }>> = {
  primary: { bar: 'primary', text: 'strong on' },
  standby: { bar: 'standby-bar', text: 'strong standby' },
  nothing: { bar: 'nothing', text: 'quiet' },
  wrong: { bar: 'wrong', text: 'strong on' },
}

const drawBar = (bar: Bar, { scale, y }: Place): readonly Markup[] => {
  const [x, end] = [scale(bar.from), scale(bar.to)]
  const { bar: look, text: ink } = looks[bar.kind]
  const fits = (said: string): boolean => said.length * charWidth + 8 <= end - x
  const said = [bar.said, ...(bar.shorter ?? [])].find(fits) ?? ''
  const inset = bar.kind === 'standby' ? 1 : 0
  const middle = (x + end) / 2
  const plateWidth = said.length * charWidth + 6
  return [
    box([x + inset, y + inset, Math.max(1, end - x - 2 * inset), barHeight - 2 * inset], {
      class: look,
      rx: 3,
    }),
    ...(bar.kind === 'wrong' && said !== ''
      ? [
          box([middle - plateWidth / 2, y + 2, plateWidth, barHeight - 4], {
            class: 'plate',
            rx: 3,
          }),
        ]
      : []),
    ...(said === '' ? [] : [text(said, { x: middle, y: y + 15.5, class: `middle small ${ink}` })]),
  ]
}

/** A whole number of seconds, at least every sixth of the width. */
const drawScale = (story: Story, scale: (ms: number) => number, y: number): readonly Markup[] => {
  const seconds = Math.floor(story.lengthMs / 1000)
  const every = Math.ceil(seconds / 6)
  const ticks = Array.from({ length: Math.floor(seconds / every) + 1 }, (_, tick) => tick * every)
  return [
    line([left, y, width - right, y], { class: 'tick' }),
    ...ticks.flatMap(second => [
      line([scale(second * 1000), y, scale(second * 1000), y + 6], { class: 'tick' }),
      text(second === 0 ? '0 ms' : String(second * 1000), {
        x: scale(second * 1000),
        y: y + 21,
        class: `small quiet ${second === 0 ? '' : 'middle'}`,
      }),
    ]),
  ]
}

const disc = (number: number, x: number, y: number): readonly Markup[] => [
  element('circle', { cx: x, cy: y, r: 9.5, class: 'disc' }),
  text(String(number), { x, y: y + 4.7, class: 'middle small strong on' }),
]

const rowHeight = 24
const columnEnds = [424, width - right]

const drawTable = ({ heads, rows }: Table, y: number): readonly Markup[] => {
  const across = (baseline: number): Markup =>
    line([14, baseline + 8, width - right, baseline + 8], { class: 'tick' })
  const cell = (said: string, column: number, baseline: number, look: string): Markup =>
    text(said, { x: columnEnds[column] ?? 0, y: baseline, class: `small end ${look}` })
  return [
    text('milliseconds', { x: 14, y, class: 'small quiet' }),
    ...heads.map((head, column) => cell(head, column, y, 'quiet')),
    across(y),
    ...rows.flatMap(([what, ...figures], row) => {
      const baseline = y + (row + 1) * rowHeight + 4
      return [
        text(what, { x: 14, y: baseline, class: 'small' }),
        ...figures.map((figure, column) => cell(figure, column, baseline, 'strong')),
      ]
    }),
  ]
}

export const drawStory = (story: Story): string => {
  const scale = (ms: number): number => left + (ms / story.lengthMs) * (width - left - right)
  const parts: Markup[] = []
  let y = top
  for (const group of story.groups) {
    parts.push(text(group.name, { x: 14, y: y + 19, class: 'strong halo' }))
    y += groupHead
    for (const lane of group.lanes) {
      parts.push(text(lane.name, { x: left - 10, y: y + 16, class: 'small end' }))
      for (const bar of lane.bars) parts.push(...drawBar(bar, { scale, y }))
      y += laneHeight
    }
    y += 4
  }
  const foot = y + 6
  parts.push(...drawScale(story, scale, foot))
  const marks = story.marks.flatMap(({ at }, index) => [
    line([scale(at), top - 8, scale(at), foot], { class: 'mark' }),
    ...disc(index + 1, scale(at), top - 18),
  ])
  y = foot + 48
  for (const [index, { what }] of story.marks.entries()) {
    parts.push(...disc(index + 1, 24, y - 5), text(what, { x: 42, y, class: 'small' }))
    y += 24
  }
  parts.push(box([14, y - 12, 20, 16], { class: 'wrong', rx: 3 }))
  parts.push(text(story.wrong, { x: 42, y: y + 1, class: 'small' }))
  y += 32
  const table = drawTable(story.table, y + 8)
  return printDrawing({
    ...story,
    width,
    height: y + 8 + story.table.rows.length * rowHeight + 34,
    shownWidth: 720,
    style,
    parts: [element('defs', {}, stripes), ...marks, ...parts, ...table],
  })
}
