import * as fc from 'fast-check'
import t from 'tap'
import { compareHistories } from '../../../src/facts/decide/timeline-order.ts'
import { anyHistory, promoted, timelineHistory } from '../../harness/timelines.ts'

const first = timelineHistory(1)
const second = promoted(first, 0x300n)
const third = promoted(second, 0x500n)

t.test('a promotion continues the history of the server that it replaces', async t => {
  t.strictSame(compareHistories(first, second), {
    kind: 'continued',
    left: { timeline: 1, at: 0x300n },
    next: 2,
  })
  t.strictSame(compareHistories(second, first), { kind: 'continues' })
})

t.test('also by two promotions, of which the first counts', async t => {
  t.strictSame(compareHistories(first, third), {
    kind: 'continued',
    left: { timeline: 1, at: 0x300n },
    next: 2,
  })
  t.strictSame(compareHistories(second, third), {
    kind: 'continued',
    left: { timeline: 2, at: 0x500n },
    next: 3,
  })
})

t.test('a restore to before a promotion in the archive is still recognized', async t => {
  // Timeline 2 was left at a position that it never had: the server recovered along timeline 1.
  const restored = promoted(second, 0x200n)
  t.strictSame(compareHistories(second, restored), {
    kind: 'continued',
    left: { timeline: 2, at: 0x200n },
    next: 3,
  })
  t.strictSame(compareHistories(first, restored), {
    kind: 'continued',
    left: { timeline: 1, at: 0x300n },
    next: 2,
  })
})

t.test('of two timelines of the same number neither continues the other', async t => {
  const restored = promoted(first, 0x200n)
  t.strictSame(compareHistories(second, restored), { kind: 'diverged' })
  t.strictSame(compareHistories(third, restored), { kind: 'diverged' })
  t.strictSame(compareHistories(second, promoted(restored, 0x500n)), { kind: 'diverged' })
})

t.test('two that were promoted in the same place at the same position are the same', async t => {
  t.strictSame(compareHistories(second, promoted(first, 0x300n)), { kind: 'same' })
})

t.test('a higher number is no proof, nor a part of the history', async t => {
  const diverged = [
    [second, promoted(first, 0x400n)],
    [second, promoted(first, 0x300n, 3)],
    [second, promoted(promoted(first, 0x400n), 0x500n)],
    [second, promoted(promoted(first, 0x300n, 3), 0x500n)],
    [promoted(first, 0x300n, 3), third],
  ] as const
  for (const [own, other] of diverged) {
    t.strictSame(compareHistories(own, other), { kind: 'diverged' })
    t.strictSame(compareHistories(other, own), { kind: 'diverged' })
  }
})

t.test('of two histories at most one is replaced, and in no circle', async () => {
  const isReplaced = (own: typeof first, by: typeof first): boolean =>
    compareHistories(own, by).kind === 'continued'
  fc.assert(
    fc.property(fc.array(anyHistory, { minLength: 1, maxLength: 6 }), all => {
      const last = all.filter(own => !all.some(other => isReplaced(own, other)))
      return last.length > 0
    }),
  )
  const mirrored = { continued: 'continues', continues: 'continued' } as const
  fc.assert(
    fc.property(anyHistory, anyHistory, (own, other) => {
      const { kind } = compareHistories(own, other)
      const expected = kind === 'continued' || kind === 'continues' ? mirrored[kind] : kind
      return compareHistories(other, own).kind === expected
    }),
  )
  fc.assert(
    fc.property(anyHistory, fc.bigInt({ min: 1n, max: 9n }), (history, at) =>
      isReplaced(history, promoted(history, at)),
    ),
  )
})
