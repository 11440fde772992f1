/**
 * Reading again until the bytes can be trusted.
 *
 * PostgreSQL rewrites pg_control in place while we read it, and ext4 does not make a read atomic
 * against a write, so a failed checksum says "caught in the act" far more often than "damaged".
 * We look again after a short pause, and speak of damage only when the same bad bytes come twice
 * with a pause between that a writer at work would not need.
 *
 * Source: get_controlfile() in controldata_utils.c (17) retries for the same reason.
 */
import type { Outcome } from '../facts/outcome.ts'
import type { Timers } from '../facts/timers.ts'
import { pause } from './clock.ts'
import type { RawFile } from './disk.ts'

type SeenFile = Extract<RawFile, { kind: 'seen' }>

export type StableReading<Fact, Fault> =
  | Exclude<RawFile, SeenFile>
  | { readonly kind: 'seen'; readonly raw: SeenFile; readonly outcome: Outcome<Fact, Fault> }

/** Milliseconds before each further attempt; their number bounds the attempts. */
const pausesMs = [1, 2, 5, 10, 10, 10]

/** `first` is a reading already made. */
export const readStable = async <Fact, Fault>(
  first: RawFile,
  read: () => Promise<RawFile>,
  decode: (bytes: Uint8Array) => Outcome<Fact, Fault>,
  timers: Timers,
): Promise<StableReading<Fact, Fault>> => {
  const decoded = (raw: RawFile): StableReading<Fact, Fault> =>
    raw.kind === 'seen' ? { kind: 'seen', raw, outcome: decode(raw.bytes) } : raw
  let reading = decoded(first)
  for (const pauseMs of pausesMs) {
    if (reading.kind !== 'seen' || reading.outcome.ok) break
    await pause(timers, pauseMs)
    const before = reading.raw
    reading = decoded(await read())
    const unchanged =
      reading.kind === 'seen' && Buffer.compare(before.bytes, reading.raw.bytes) === 0
    if (unchanged && pauseMs >= writerDoneMs) break
  }
  return reading
}

/** A writer that has been at it for longer than this would have finished. */
const writerDoneMs = 10
