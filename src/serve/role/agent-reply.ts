/**
 * The answer to HAProxy's agent-check: one line of words, ended by a line feed.
 *
 * HAProxy ignores unknown words and does not change the state of the server, so that with an error
 * here a server would stay up. It splits words at spaces, tabs and commas. `#` begins a description
 * only at the start of a word, so that `down#reason` is an unknown word. Without the line feed it
 * waits until its timeout. (HAProxy's src/tcpcheck.c; tried on 2.6.)
 *
 * `up` is sent without `ready`, which would end maintenance and drain that were set manually on
 * HAProxy's socket, at the next check. `ready` is for agents that send `maint` or `drain`, which
 * this one does not.
 */
import { isWanted, type Availability, type WantedRole } from '../../facts/decide/verdict.ts'
import type { Reply } from './reply.ts'

/** The part of a verdict that the line depends on. */
export type Judgement = Availability & { readonly because: string }

/** HAProxy keeps 127 characters of a description (HCHK_DESC_LEN), including its own words. */
const reasonMax = 100

/** In bytes. */
export type AgentLag = {
  /** Of a standby; null if it is unknown. */
  readonly now: number | null
  readonly max: number
}

/** Without `lag` there is no limit. It does not apply to a primary. */
export type ReplyToAgent = (judgement: Judgement, lag?: AgentLag) => Reply

export const makeAgentReplies =
  (upFor: WantedRole): ReplyToAgent =>
  (judgement, lag) => {
    if (judgement.kind === 'unavailable') return say('unavailable', down(judgement.because))
    const { role } = judgement
    if (!isWanted(role, upFor)) return say(role, down(role))
    const behind = role === 'standby' && lag !== undefined ? behindBecause(lag) : null
    return say(role, behind === null ? 'up' : down(`${role} ${behind}`))
  }

/** Null for a standby that is not too far behind. Unknown is too far. */
const behindBecause = ({ now, max }: AgentLag): string | null => {
  if (now === null) return 'with an unknown lag'
  return now > max ? `with a lag of ${now} bytes, more than ${max}` : null
}

const say = (means: 'primary' | 'standby' | 'unavailable', line: string): Reply => ({
  kind: 'say',
  means,
  bytes: Buffer.from(`${line}\n`, 'latin1'),
})

const down = (because: string): string => `down #${reasonOf(because)}`

/** In ASCII, on one line, and cut if it is too long. */
const reasonOf = (because: string): string => {
  const plain = because.replaceAll(/[^ -~]/gu, '?')
  return plain.length > reasonMax ? `${plain.slice(0, reasonMax - 3)}...` : plain
}
