/**
 * Drawings as markup: one file each, with their style inside, without a script, and with nothing
 * that would have to be loaded, so that they can be shown as images everywhere.
 */
import { colourStyle } from './palette.ts'

/** Markup that needs no more escaping. */
export type Markup = string & { readonly markup: true }

type Value = string | number
export type Attributes = Readonly<Record<string, Value>>

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"]/g, sign => entities[sign] ?? sign)

/** A tenth of a pixel is as exact as it shows. */
const shown = (value: Value): string =>
  typeof value === 'number' ? String(Math.round(value * 10) / 10) : escaped(value)

export const element = (
  name: string,
  attributes: Attributes,
  ...children: readonly Markup[]
): Markup => {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${shown(value)}"`)
  const start = `<${name}${written.join('')}`
  return (
    children.length === 0 ? `${start}/>` : `${start}>${children.join('')}</${name}>`
  ) as Markup
}

/** Text within an element. */
export const words = (text: string): Markup => escaped(text) as Markup

export const text = (said: string, attributes: Attributes): Markup =>
  element('text', attributes, words(said))

/** Corners are round, as those of the window around it. */
export const box = (
  [x, y, width, height]: readonly [number, number, number, number],
  attributes: Attributes = {},
): Markup => element('rect', { x, y, width, height, rx: 6, ...attributes })

export const line = (
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  attributes: Attributes = {},
): Markup => element('line', { x1, y1, x2, y2, ...attributes })

export type Drawing = {
  readonly width: number
  readonly height: number
  /** How wide it is where there is room for it. */
  readonly shownWidth?: number
  readonly title: string
  /** All that it shows, in words. */
  readonly description: string
  /** What is added to the style of all. */
  readonly style?: string
  readonly parts: readonly Markup[]
}

const sans = 'system-ui,-apple-system,"Segoe UI","Noto Sans","Liberation Sans",Arial,sans-serif'
const mono = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace'

const commonStyle = `text{font:15px ${sans};fill:var(--text)}
.mono{font-family:${mono}}
.small{font-size:13px}
.strong{font-weight:600}
.middle{text-anchor:middle}
.quiet{fill:var(--quiet)}
.ground{fill:var(--ground)}
.panel{fill:var(--panel)}
.primary{fill:var(--primary)}
.standby{fill:var(--standby)}
.trouble{fill:var(--trouble)}
.on{fill:var(--ground)}
.frame{stroke:var(--panel);stroke-width:2}
line,path,.edge{stroke:var(--line);stroke-width:1.5;fill:none}
.edge{fill:var(--ground)}`

export const printDrawing = (drawing: Drawing): string => {
  const { width, height, shownWidth = width, title, description, style = '', parts } = drawing
  const root = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width: shownWidth,
    height: (shownWidth * height) / width,
    role: 'img',
    'aria-labelledby': 'title desc',
  }
  const lines = [
    element('title', { id: 'title' }, words(title)),
    element('desc', { id: 'desc' }, words(description)),
    element('style', {}, words(`${colourStyle()}\n${commonStyle}\n${style}`.trim())),
    box([1, 1, width - 2, height - 2], { class: 'ground frame', rx: 8 }),
    ...parts,
  ]
  return `${element('svg', root, `\n${lines.join('\n')}\n` as Markup)}\n`
}
