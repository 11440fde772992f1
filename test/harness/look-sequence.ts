/**
 * What may happen to a monitor: looks find now this and now that, take their time, hang or are
 * void, while hints come in, processes die and somebody asks.
 */
import * as fc from 'fast-check'
import type { FakeProcess } from './fake-processes.ts'
import { lookChanges, wholeChanges } from './look-changes.ts'

export type Hint = 'hint' | 'armed' | 'trouble'
export type Who = 'postmaster' | 'checkpointer'
export type Fate = 'gone' | 'replaced' | NonNullable<FakeProcess['state']>
/** How looks go from now on; a number is how many milliseconds they take. */
export type Pace = 'void' | 'hanging' | number
export type Step =
  | { readonly kind: 'change'; readonly to: string }
  | { readonly kind: 'pace'; readonly pace: Pace }
  | { readonly kind: 'release' }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'hint'; readonly hint: Hint }
  | { readonly kind: 'fate'; readonly of: Who; readonly fate: Fate }
  | { readonly kind: 'ask' }
  /** A hint, time for a look, and the question. */
  | { readonly kind: 'look' }

/** Longer than a lease. */
export const longestLookMs = 1600

const change = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...Object.keys(wholeChanges)) },
  { weight: 5, arbitrary: fc.constantFrom(...Object.keys(lookChanges)) },
)
const passing = fc.constantFrom(0, 0.4, 0.7, 1, 2, 10, 50, 100, 499, 501, 1000, 1500, 1501)
const states = ['running', 'stopped', 'traced', 'zombie', 'dead'] as const
const fates = fc.constantFrom<Fate>('gone', 'replaced', ...states)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: change.map(to => ({ kind: 'change' as const, to })) },
  { weight: 5, arbitrary: passing.map(ms => ({ kind: 'pass' as const, ms })) },
  { weight: 3, arbitrary: fc.constant({ kind: 'ask' } as const) },
  { weight: 6, arbitrary: fc.constant({ kind: 'look' } as const) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom<Hint>('hint', 'armed', 'trouble')
      .map(hint => ({ kind: 'hint' as const, hint })),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<Pace>(0, 0, 0, 3, 40, 700, longestLookMs, 'void', 'hanging')
      .map(pace => ({ kind: 'pace' as const, pace })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'release' } as const) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom<Who>('postmaster', 'checkpointer'), fates)
      .map(([of, fate]) => ({ kind: 'fate' as const, of, fate })),
  },
)

export const lookSequence: fc.Arbitrary<readonly Step[]> = fc.array(step, {
  minLength: 5,
  maxLength: 60,
  size: 'max',
})
