/**
 * A snapshot as output of a plugin of Nagios or Icinga: one line of text, a bar, and numbers to be
 * drawn. (The Monitoring Plugins' development guidelines.)
 *
 * The first bar ends the text, so that none may come from elsewhere: a path may have one, and so
 * may the reason of a maintenance. Nor is there a semicolon of ours, of which Nagios makes a colon.
 */
import { timelineOf } from '../decide/reason.ts'
import type { Evidence } from '../decide/evidence.ts'
import { unmetExpectation } from '../decide/expectation.ts'
import { plainText } from '../visible-text.ts'
import type { Snapshot } from '../decide/snapshot.ts'
import { answerOf, type WantedRole } from '../decide/verdict.ts'

export type NagiosReport = {
  readonly state: 'OK' | 'WARNING' | 'CRITICAL' | 'UNKNOWN'
  /** Without a line end. */
  readonly line: string
}

/** Without a role that is expected, either of the two is well. */
export const nagiosReport = (snapshot: Snapshot, expected: WantedRole | null): NagiosReport => {
  const { evidence, verdict, hazards, lookMs } = snapshot
  const unmet = unmetExpectation(snapshot, expected)
  const state = unmet === null ? (hazards.length === 0 ? 'OK' : 'WARNING') : 'CRITICAL'
  const found = unmet ?? answerOf(verdict)
  const warnings = hazards.map(({ warning }) => `, but ${warning}`).join('')
  const numbers = [`time=${(lookMs / 1000).toFixed(6)}s`, ...timeline(evidence)]
  const text = `${found}: ${withoutBar(verdict.because)}${warnings}`
  return { state, line: `${head(state)}${text} | ${numbers.join(' ')}` }
}

/** The state could not be determined. */
export const nagiosUnknown = (why: {
  readonly message: string
  readonly hint: string
}): NagiosReport => {
  const state = 'UNKNOWN'
  return { state, line: `${head(state)}${withoutBar(why.message)} (${withoutBar(why.hint)})` }
}

const head = (state: NagiosReport['state']): string => `PG_REPLSTATUS ${state} - `

const withoutBar = (text: string): string => plainText(text).replaceAll('|', '.')

/** It rises in a promotion. */
const timeline = (evidence: Evidence): readonly string[] => {
  const found = timelineOf(evidence)
  return found === null ? [] : [`timeline=${found}`]
}
