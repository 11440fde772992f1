/**
 * The last changes of each member as a lane of time, and in words. A role is told apart by the
 * height of its bar, so that the drawing needs no colours: the whole height for a primary, a half
 * for a standby, a line for a member without a role, dots for one that is silent, and nothing
 * before it was asked for the first time.
 */
import type { ClusterMember } from '../report/cluster-members.ts'
import type { Phase } from '../report/phases.ts'
import type { UnixMs } from '../units.ts'
import { element, type Content, type Html } from './html.ts'

/** Ends now. */
export type Span = {
  readonly ms: number
  /** Beginning and middle. */
  readonly labels: readonly [string, string]
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const usual: Span = { ms: 10 * minuteMs, labels: ['10 min ago', '5 min ago'] }
const longest: Span = { ms: 30 * dayMs, labels: ['30 d ago', '15 d ago'] }
const spans: readonly Span[] = [
  { ms: minuteMs, labels: ['1 min ago', '30 s ago'] },
  usual,
  { ms: hourMs, labels: ['1 h ago', '30 min ago'] },
  { ms: 6 * hourMs, labels: ['6 h ago', '3 h ago'] },
  { ms: dayMs, labels: ['24 h ago', '12 h ago'] },
  { ms: 6 * dayMs, labels: ['6 d ago', '3 d ago'] },
]

/** The shortest that contains the last five changes of the cluster, or all if there are fewer. */
export const spanFor = (members: readonly ClusterMember[], now: UnixMs): Span => {
  // Each list begins with what was found, which is no change.
  const changes = members.flatMap(({ phases }) => phases.slice(1).map(({ since }) => since))
  const oldest = changes
    .toSorted((a, b) => b - a)
    .slice(0, 5)
    .at(-1)
  if (oldest === undefined) return usual
  return spans.find(({ ms }) => ms >= now - oldest) ?? longest
}

/** The same for every lane. */
const widthUnits = 1000
/** Short phases matter most. */
const widthMin = 4

const heights = { primary: 20, standby: 10, unavailable: 3 } as const

export const lane = (
  { name, phases }: ClusterMember,
  { span, now }: { readonly span: Span; readonly now: UnixMs },
): Html => {
  const begin = now - span.ms
  const at = (time: number): number => ((Math.max(time, begin) - begin) / span.ms) * widthUnits
  const shown = phases.filter(({ answer }, index) => answer !== phases[index - 1]?.answer)
  const bars = shown.flatMap(({ since, answer }, index) => {
    const until = shown[index + 1]?.since ?? now
    // A clock that was set back makes no bar.
    if (until < begin || since > now || until < since) return []
    const width = Math.max(widthMin, at(until) - at(since))
    return [{ answer, width, x: Math.min(at(since), widthUnits - width) }]
  })
  // The short ones last, or their neighbours would cover them.
  const ordered = bars.toSorted((a, b) => b.width - a.width)
  return element('div', { class: 'lane' }, element('span', {}, name), strip(ordered, widthUnits))
}

type Bar = {
  readonly answer: Phase['answer']
  readonly x: number
  readonly width: number
}

/** What it shows is also a list of words, which is what a screen reader reads. */
const strip = (bars: readonly Bar[], width: number): Html =>
  element(
    'svg',
    { viewBox: `0 0 ${width} 20`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    bars.map(drawBar),
  )

const drawBar = ({ answer, x, width }: Bar): Content => {
  const place = { x: round(x), width: round(width) }
  const ground = element('rect', { class: 'ground', ...place, y: 0, height: 20 })
  if (answer === null) {
    const dots = { x1: place.x, x2: round(x + width), y1: 10, y2: 10, 'stroke-dasharray': 4 }
    return [ground, element('line', dots)]
  }
  const height = heights[answer]
  return [ground, element('rect', { class: answer, ...place, y: 20 - height, height })]
}

const round = (value: number): number => Math.round(value * 10) / 10

export const axis = ({ labels }: Span): Html =>
  element(
    'div',
    { class: 'axis quiet' },
    [...labels, 'now'].map(label => element('span', {}, label)),
  )

export const key = (): Html =>
  element(
    'p',
    { class: 'key quiet' },
    (['primary', 'standby', 'unavailable', null] as const).map(answer =>
      element('span', {}, strip([{ answer, x: 0, width: 24 }], 24), answer ?? 'silent'),
    ),
  )

/** What is drawn for the eye, in words: the newest first. */
export const listChanges = (
  members: readonly ClusterMember[],
  { timeOf, most }: { readonly timeOf: (at: UnixMs) => Html; readonly most: number },
): Html => {
  const all = members.flatMap(({ name, phases }) =>
    phases.map((phase, index) => ({ name, phase, before: phases[index - 1] ?? null })),
  )
  const newest = all.toSorted((a, b) => b.phase.since - a.phase.since).slice(0, most)
  return element(
    'ol',
    {},
    newest.map(({ name, phase, before }) =>
      element('li', {}, timeOf(phase.since), ' ', ...inWords(name, phase, before)),
    ),
  )
}

const inWords = (name: string, phase: Phase, before: Phase | null): readonly Content[] => {
  const { timeline, rule, because } = phase
  const where = timeline === null ? '' : `, timeline ${timeline}`
  const reason = rule === null ? because : `${rule}: ${because}`
  return [
    element('strong', {}, name),
    `: ${changeOf(phase, before)}${where} `,
    element('span', { class: 'quiet' }, `(${reason})`),
  ]
}

const changeOf = (phase: Phase, before: Phase | null): string => {
  const word = wordFor(phase)
  if (before === null) return `found as ${word}`
  return before.answer === phase.answer ? `still ${word}` : `${wordFor(before)} → ${word}`
}

const wordFor = ({ answer }: Phase): string => answer ?? 'silent'
