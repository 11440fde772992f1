import t from 'tap'
import { axis, key, lane, listChanges, spanFor } from '../../../src/facts/page/lanes.ts'
import { element } from '../../../src/facts/page/html.ts'
import type { Phase } from '../../../src/facts/report/phases.ts'
import type { UnixMs } from '../../../src/facts/units.ts'
import { clusterMember } from '../../harness/cluster-members.ts'

const minuteMs = 60_000
const now = (100 * 24 * 60 * minuteMs) as UnixMs
const ago = (minutes: number): UnixMs => (now - minutes * minuteMs) as UnixMs

const phase = (
  minutesAgo: number,
  answer: Phase['answer'],
  changes: Partial<Phase> = {},
): Phase => ({
  since: ago(minutesAgo),
  answer,
  rule: answer && 'some rule',
  because: 'some reason',
  timeline: answer && 1,
  ...changes,
})
const withPhases = (...phases: Phase[]) => clusterMember({ phases })

t.test('the span contains the last five changes, or is a month', async t => {
  const spanOf = (...minutes: readonly number[]): string => {
    const changes = minutes.map(one => phase(one, one % 2 === 0 ? 'primary' : null))
    const [begin] = spanFor([withPhases(phase(200_000, 'standby'), ...changes)], now).labels
    return begin
  }
  t.equal(spanOf(), '10 min ago', 'what was found is no change')
  t.equal(spanOf(1), '1 min ago')
  t.equal(spanOf(10), '10 min ago')
  t.equal(spanOf(11), '1 h ago')
  t.equal(spanOf(100, 3), '6 h ago')
  t.equal(spanOf(1000), '24 h ago')
  t.equal(spanOf(5000), '6 d ago')
  t.equal(spanOf(50_000), '30 d ago')
  t.equal(spanOf(5000, 9, 8, 7, 6, 5), '10 min ago')
  const members = [withPhases(phase(0, null), phase(700, null)), withPhases()]
  t.equal(spanFor(members, now).labels[0], '24 h ago')
})

/** `answer from-to/1000` of each bar; the ground that each stands on is left out. */
const barsOf = (...phases: Phase[]): readonly string[] => {
  const span = spanFor([], now)
  const { markup } = lane(withPhases(...phases), { span, now })
  const bars = /<rect class="(?<answer>[a-fh-z]\w+)" x="(?<x>[\d.]+)" width="(?<width>[\d.]+)"/g
  const dots = /<line x1="(?<x>[\d.]+)" x2="(?<end>[\d.]+)"/g
  return [...markup.matchAll(bars), ...markup.matchAll(dots)].map(({ groups = {} }) => {
    const { answer = 'silent', x = '', width = Number(groups['end']) - Number(x) } = groups
    return `${answer} ${x}-${Number(x) + Number(width)}`
  })
}

t.test('a lane shows the last minutes', async t => {
  t.strictSame(barsOf(), [])
  t.strictSame(barsOf(phase(5, 'standby')), ['standby 500-1000'], 'not known before')
  t.strictSame(barsOf(phase(99, 'primary'), phase(4, null)), ['primary 0-600', 'silent 600-1000'])
  t.strictSame(
    barsOf(phase(99, 'primary'), phase(5, 'primary', { rule: 'another' })),
    ['primary 0-1000'],
    'the same role is one bar',
  )
  t.strictSame(barsOf(phase(99, 'primary'), phase(20, 'standby')), ['standby 0-1000'])
})

t.test('short phases can be seen, in front of their neighbours', async t => {
  const bars = barsOf(phase(99, 'standby'), phase(5, 'unavailable'), phase(4.999, 'primary'))
  t.strictSame(bars, ['standby 0-500', 'primary 500.1-1000', 'unavailable 500-504'])
  t.strictSame(barsOf(phase(0, 'primary')), ['primary 996-1000'])
})

t.test('a clock that was set makes no bar', async t => {
  t.strictSame(barsOf(phase(-60, 'primary')), [], 'begins in the future')
  const back = barsOf(phase(2, 'primary'), phase(5, 'unavailable'), phase(1, 'standby'))
  t.strictSame(back, ['unavailable 500-900', 'standby 900-1000'])
})

t.test('the key has each height, and the axis ends now', async t => {
  for (const word of ['primary', 'standby', 'unavailable', 'silent'])
    t.match(key().markup, new RegExp(`</svg>${word}</span>`))
  t.match(axis(spanFor([], now)).markup, /10 min ago.*5 min ago.*now/)
})

t.test('changes are listed in words, the newest first', async t => {
  const timeOf = (at: UnixMs) => element('time', {}, (now - at) / minuteMs)
  const list = (most: number) => {
    const members = [
      withPhases(phase(90, 'standby'), phase(3, 'primary', { timeline: 2 }), phase(1, null)),
      clusterMember({
        name: 'db9',
        phases: [phase(80, null), phase(2, 'unavailable'), phase(0, 'unavailable')],
      }),
    ]
    const { markup } = listChanges(members, { timeOf, most })
    return Array.from(markup.matchAll(/<li>(.*?)<\/li>/g), ([, item = '']) =>
      item.replace(/<[^>]+>/g, ''),
    )
  }
  t.strictSame(list(20), [
    '0 db9: still unavailable, timeline 1 (some rule: some reason)',
    '1 db1: primary → silent (some reason)',
    '2 db9: silent → unavailable, timeline 1 (some rule: some reason)',
    '3 db1: standby → primary, timeline 2 (some rule: some reason)',
    '80 db9: found as silent (some reason)',
    '90 db1: found as standby, timeline 1 (some rule: some reason)',
  ])
  t.equal(list(2).length, 2)
})
