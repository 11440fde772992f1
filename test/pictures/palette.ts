/**
 * The colours of the drawings, those of the page for browsers: Okabe's and Ito's, which people with
 * any kind of colour blindness tell apart. A drawing brings its own ground along, so that it can
 * be read wherever it is shown.
 */
export type Scheme = Readonly<Record<ColourName, string>>

type ColourName = 'text' | 'quiet' | 'ground' | 'panel' | 'line' | 'primary' | 'standby' | 'trouble'

export const schemes: { readonly light: Scheme; readonly dark: Scheme } = {
  light: {
    text: '#1a1a1a',
    quiet: '#595959',
    ground: '#ffffff',
    panel: '#f1f3f5',
    line: '#7a7a7a',
    primary: '#0060a0',
    standby: '#00704f',
    trouble: '#b03a00',
  },
  dark: {
    text: '#eeeeee',
    quiet: '#b0b0b0',
    ground: '#161616',
    panel: '#262626',
    line: '#8a8a8a',
    primary: '#64b9f0',
    standby: '#2fc59a',
    trouble: '#ff9457',
  },
}

/** Whatever is written in the first colour may stand on the second. */
export const writtenOn: readonly (readonly [ColourName, ColourName])[] = [
  ...(['text', 'quiet', 'primary', 'standby', 'trouble'] as const).flatMap(text =>
    (['ground', 'panel'] as const).map(ground => [text, ground] as const),
  ),
  ...(['primary', 'standby', 'trouble'] as const).map(ground => ['ground', ground] as const),
]

/** Lines and edges that have a meaning. */
export const drawnOn: readonly (readonly [ColourName, ColourName])[] = [
  ['line', 'ground'],
  ['line', 'panel'],
]

const variables = (scheme: Scheme): string =>
  Object.entries(scheme)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';')

/** The colours by their names, for both modes. */
export const colourStyle = (): string =>
  `svg{${variables(schemes.light)}}
@media (prefers-color-scheme:dark){svg{${variables(schemes.dark)}}}`

/** As WCAG 2.2 defines it (1.4.3), of two colours as #rrggbb. */
export const contrast = (one: string, other: string): number => {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(at => channel(colour.slice(at, at + 2)))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const channel = (digits: string): number => {
  const part = Number.parseInt(digits, 16) / 255
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
}
