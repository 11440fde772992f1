/**
 * What a program printed, as a terminal that shows it again and again. The lines are those of the
 * program, broken where the screen ends. Pauses are shortened and bursts are slowed down, so that
 * it can be read; the times that the program prints stay true.
 */
import type { Printed } from './demo-run.ts'
import { box, element, printDrawing, text, words, type Markup } from './svg.ts'

const columns = 62
const rows = 25
const lineHeight = 20
const margin = 18
const screenTop = 14
const width = columns * 9 + 2 * margin
const screenHeight = rows * lineHeight

/** A line waits for at least and at most so long after the one before it. */
const pauseMs = { min: 350, max: 1500 }
/** Before it begins again. */
const restMs = 6000

/** One line of the screen. */
type Row = { readonly indent: number; readonly said: string; readonly look: string }

/** As the demo prints them: time, name, what happened, and behind two blanks why. */
const journalLine = /^(?<time>[\d:.]{12}) {2}(?<rest>\S+ +\S.*)$/
const reasonIndent = 14
const whatIndent = 23

const broken = (said: string, indent: number): readonly string[] => {
  const pattern = new RegExp(`(.{1,${columns - indent}})(?: +|$)`, 'g')
  return Array.from(said.matchAll(pattern), ([, piece = '']) => piece)
}

/** The folder of a run has a long name, which is another one every time. */
const shortened = (line: string): string => line.replace(/(\/\S+?-demo-)\S+\d\w*\b/, '$1…')

export const rowsOf = (line: string): readonly Row[] => {
  const shown = shortened(line)
  if (!journalLine.test(shown)) {
    const indent = shown.search(/\S|$/)
    return indent > 0 || shown === ''
      ? [{ indent, said: shown.trimStart(), look: '' }]
      : broken(shown, 0).map(said => ({ indent: 0, said, look: '' }))
  }
  const head = shown.slice(0, whatIndent)
  const [what = '', ...reason] = shown.slice(whatIndent).split(/ {2,}/)
  const [first = '', ...rest] = broken(what, whatIndent)
  return [
    { indent: 0, said: head + first, look: 'journal' },
    ...rest.map(said => ({ indent: whatIndent, said, look: '' })),
    ...reason
      .flatMap(why => broken(why, reasonIndent))
      .map(said => ({ indent: reasonIndent, said, look: 'quiet' })),
  ]
}

const roleWords = /\b(primary|standby|unavailable)\b/

/** Roles have their colour, and are words anyway. */
const spans = (said: string): readonly Markup[] =>
  said
    .split(roleWords)
    .filter(part => part !== '')
    .map(part => {
      if (!roleWords.test(part)) return words(part)
      const look = part === 'unavailable' ? 'trouble' : part
      return element('tspan', { class: `${look} strong` }, words(part))
    })

const drawRow = ({ indent, said, look }: Row, index: number): readonly Markup[] => {
  if (said === '') return []
  const at = { x: margin + indent * 9, y: screenTop + index * lineHeight + 15 }
  if (look !== 'journal') return [text(said, { ...at, class: `mono ${look}`.trim() })]
  const [time, name, what] = [
    said.slice(0, 12),
    said.slice(reasonIndent, whatIndent).trim(),
    said.slice(whatIndent),
  ]
  return [
    text(time, { ...at, class: 'mono quiet' }),
    text(name, { ...at, x: margin + reasonIndent * 9, class: 'mono' }),
    element('text', { ...at, x: margin + whatIndent * 9, class: 'mono' }, ...spans(what)),
  ]
}

/** So many rows are there from then on. */
type Frame = { readonly at: number; readonly count: number }

/** How far the screen has moved, and how far down what is still to come is covered. */
const scrolled = (count: number): number => -Math.max(0, count - rows) * lineHeight
const covered = (count: number): number => count * lineHeight

const stillStyle = (count: number): string => `text{white-space:pre}
.scroll{transform:translateY(${scrolled(count)}px)}
.cover{transform:translateY(${covered(count)}px)}`

const motionStyle = (frames: readonly Frame[]): string => {
  const endMs = (frames.at(-1)?.at ?? 0) + restMs
  const keyframes = (name: string, offset: (count: number) => number): string => {
    const steps = frames.map(({ at, count }) => {
      const percent = ((at / endMs) * 100).toFixed(2)
      return `${percent}%{transform:translateY(${offset(count)}px)}`
    })
    return `@keyframes ${name}{${steps.join('')}}`
  }
  const duration = `${(endMs / 1000).toFixed(2)}s step-end infinite`
  return [
    keyframes('scroll', scrolled),
    keyframes('cover', covered),
    `@media not (prefers-reduced-motion:reduce){
.scroll{animation:scroll ${duration}}
.cover{animation:cover ${duration}}
}`,
  ].join('\n')
}

const framesOf = (printed: readonly Printed[]): readonly Frame[] => {
  const frames: Frame[] = []
  let [at, before, count] = [0, printed[0]?.at ?? 0, 0]
  for (const one of printed) {
    const paused = Math.min(pauseMs.max, Math.max(pauseMs.min, one.at - before))
    // What belongs together is printed together.
    at += count === 0 || one.line === '' || one.line.startsWith(' ') ? 0 : paused
    count += rowsOf(one.line).length
    before = one.at
    frames.push({ at, count })
  }
  return frames.filter(({ at }, index) => frames[index + 1]?.at !== at)
}

export type Show = {
  /** Stands in the first line. */
  readonly command: string
  readonly printed: readonly Printed[]
  readonly title: string
  /**
   * Only the last screen: an image does not learn everywhere that its reader wants no motion, while
   * the document that shows it does.
   */
  readonly isStill: boolean
}

export const drawTerminal = (options: Show): string => {
  const { command, title, isStill } = options
  const [first] = options.printed
  const printed = [{ at: (first?.at ?? 0) - 1000, line: `$ ${command}` }, ...options.printed]
  const frames = framesOf(printed)
  const all = printed.flatMap(({ line }) => rowsOf(line))
  const told = printed
    .map(({ line }) => shortened(line).trim().replaceAll(/\s+/g, ' '))
    .filter(Boolean)
  const bottom = screenTop + screenHeight
  return printDrawing({
    width,
    height: bottom + 44,
    shownWidth: 720,
    title,
    description: `A terminal prints: ${told.join(' | ')}`,
    style: `${stillStyle(all.length)}\n${isStill ? '' : motionStyle(frames)}`,
    parts: [
      element(
        'clipPath',
        { id: 'screen' },
        element('rect', { x: 0, y: screenTop, width, height: screenHeight }),
      ),
      element(
        'g',
        { 'clip-path': 'url(#screen)' },
        element(
          'g',
          { class: 'scroll' },
          ...all.flatMap(drawRow),
          element(
            'g',
            { class: 'cover' },
            box([0, screenTop, width, Math.max(all.length, rows) * lineHeight], {
              class: 'ground',
              rx: 0,
            }),
          ),
        ),
      ),
      text('The times are those of the run. Long pauses are cut, bursts are slowed down.', {
        x: margin,
        y: bottom + 26,
        class: 'small quiet',
      }),
    ],
  })
}
