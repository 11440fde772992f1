/** A single check, for `status`, and for the daemon before it starts. */
import { stampSnapshot, type Snapshot } from '../../facts/decide/snapshot.ts'
import type { Verdict } from '../../facts/decide/verdict.ts'
import { pause, type Clock } from '../../observe/system/clock.ts'
import type { Look, Probe } from '../../observe/probe.ts'
import { nullInShortage } from '../../observe/system/system-error.ts'

/** Transient states, such as a child process without a title, are over within milliseconds. */
const attemptsMax = 5
const betweenAttemptsMs = 10

/**
 * Null if every attempt failed because the lock file kept changing. Rejects if a shortage lasts.
 * Closes the probe. If a crash restart is suspected, waits for up to `restartMs`: it may take half
 * a second to find out.
 */
export const checkOnce = async (
  probe: Probe,
  clock: Clock,
  { restartMs }: { restartMs: number },
): Promise<Snapshot | null> => {
  try {
    return await checkRepeatedly(probe, clock, { restartMs })
  } finally {
    probe.close()
  }
}

const checkRepeatedly = async (
  probe: Probe,
  clock: Clock,
  { restartMs }: { restartMs: number },
): Promise<Snapshot | null> => {
  let snapshot: Snapshot | null = null
  const take = (): Promise<Taken | null> => takeSnapshot(probe, clock)
  const began = clock.monotonic()
  for (let attempts = 1; ; attempts += 1) {
    const isLastAttempt: boolean = snapshot === null && attempts >= attemptsMax
    const taken: Taken | null = await (isLastAttempt ? take() : nullInShortage(take))
    snapshot = taken?.snapshot ?? snapshot
    await taken?.unfinished
    if (taken?.unfinished === undefined && snapshot !== null && isAnswer(snapshot.verdict)) break
    const mayEnd = snapshot?.verdict.rule === 'crash restart'
    if (attempts >= attemptsMax && !(mayEnd && clock.monotonic() - began < restartMs)) break
    await pause(clock, betweenAttemptsMs)
  }
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
