/**
 * The answers on the wire, the same bytes as those of bgw_replstatus.
 *
 * The words are defined only here. HAProxy's `expect string` finds a word anywhere in an answer, so
 * that no word may contain another one.
 */
import type { Availability } from '../../facts/decide/verdict.ts'

/** What the port does while there is no role. `refuse` and `close` send nothing. */
export type WhenUnavailable = 'refuse' | 'close' | 'reply'

export type Reply =
  | {
      readonly kind: 'say'
      /** For the counters. */
      readonly means: 'primary' | 'standby' | 'unavailable'
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'silence' }

export const wireWords = {
  primary: 'MASTER',
  standby: 'STANDBY',
  unavailable: 'UNAVAILABLE',
} as const

export type ReplyOptions = {
  readonly newline: boolean
  readonly whenUnavailable: WhenUnavailable
}

/** All replies are made once, to avoid allocations for each connection. */
export const makeReplies = ({
  newline,
  whenUnavailable,
}: ReplyOptions): ((availability: Availability) => Reply) => {
  const say = (means: keyof typeof wireWords): Reply => ({
    kind: 'say',
    means,
    bytes: Buffer.from(wireWords[means] + (newline ? '\n' : ''), 'latin1'),
  })
  const primary = say('primary')
  const standby = say('standby')
  const unavailable: Reply = whenUnavailable === 'reply' ? say('unavailable') : { kind: 'silence' }

  const replyTo = (availability: Availability): Reply => {
    if (availability.kind === 'unavailable') return unavailable
    return availability.role === 'primary' ? primary : standby
  }
  return replyTo
}
