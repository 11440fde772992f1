/** Looking once, as `status` does, and the daemon before it starts. */
import { stampSnapshot, type Snapshot } from '../facts/snapshot.ts'
import type { Verdict } from '../facts/verdict.ts'
import { pause, type Clock } from '../observe/clock.ts'
import type { Look, Probe } from '../observe/probe.ts'

/** What passes within milliseconds, such as a child without a title yet, is waited for. */
const looksMax = 5
const betweenLooksMs = 10

/**
 * Null when every look was void: the lock file did not stand still. Closes the probe. A crash
 * restart is waited for up to `restartMs`: whether it is one may take half a second to find out.
 */
export const lookOnce = async (
  probe: Probe,
  clock: Clock,
  { restartMs }: { restartMs: number },
): Promise<Snapshot | null> => {
  let snapshot: Snapshot | null = null
  const began = clock.monotonic()
  for (let looks = 1; ; looks += 1) {
    const taken = await takeSnapshot(probe, clock)
    snapshot = taken?.snapshot ?? snapshot
    await taken?.unfinished
    if (taken?.unfinished === undefined && snapshot !== null && isAnswer(snapshot.verdict)) break
    const mayEnd = snapshot?.verdict.rule === 'crash restart'
    if (looks >= looksMax && !(mayEnd && clock.monotonic() - began < restartMs)) break
    await pause(clock, betweenLooksMs)
  }
  probe.close()
  return snapshot
}

type Taken = { readonly snapshot: Snapshot } & Pick<Look, 'unfinished'>

const takeSnapshot = async (probe: Probe, clock: Clock): Promise<Taken | null> => {
  const lookedAt = clock.monotonic()
  const lookedAtUnix = clock.unix()
  const looked = await probe.look()
  if (looked === null) return null
  const lookMs = clock.monotonic() - lookedAt
  const snapshot = stampSnapshot(looked.evidence, { lookedAt, lookedAtUnix, lookMs })
  return { ...looked, snapshot }
}

const isAnswer = (verdict: Verdict): boolean => verdict.kind === 'available' || verdict.settled
