/**
 * What HAProxy's agent-check is told: one line of words, ended by a line feed.
 *
 * HAProxy ignores what it does not know and leaves the server as it was, so that a slip of the pen
 * here is a server that stays up. It takes words apart at spaces, tabs and commas, and `#` begins a
 * description only at the start of a word: `down#reason` is no word at all. Without the line feed
 * it waits for more until its time is over. (HAProxy's src/tcpcheck.c; tried on 2.6.)
 *
 * `up` goes alone, without `ready`. `ready` ends every maintenance and drain, also the one that
 * somebody ordered by hand on HAProxy's socket, and so the server would be back two seconds later.
 * It is meant for agents that say `maint` or `drain` themselves, which this one never does.
 */
import { isWanted, type Availability, type WantedRole } from '../facts/verdict.ts'
import type { Reply } from './reply.ts'

/** As much of a verdict as the line depends on. */
export type Judgement = Availability & { readonly because: string }

/** HAProxy keeps 127 characters of a description (HCHK_DESC_LEN), its own words included. */
const reasonMax = 100

export const makeAgentReplies =
  (upFor: WantedRole): ((judgement: Judgement) => Reply) =>
  judgement => {
    if (judgement.kind === 'unavailable') return say('unavailable', down(judgement.because))
    const { role } = judgement
    return say(role, isWanted(role, upFor) ? 'up' : down(role))
  }

const say = (means: 'primary' | 'standby' | 'unavailable', line: string): Reply => ({
  kind: 'say',
  means,
  bytes: Buffer.from(`${line}\n`, 'latin1'),
})

const down = (because: string): string => `down #${reasonOf(because)}`

/** In plain ASCII and on one line, whatever is in it, and cut where it is too long. */
const reasonOf = (because: string): string => {
  const plain = because.replaceAll(/[^ -~]/gu, '?')
  return plain.length > reasonMax ? `${plain.slice(0, reasonMax - 3)}...` : plain
}
