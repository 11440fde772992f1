/**
 * What was read, kept for as long as it has provably not changed.
 *
 * A write moves the times of a file; an entry made or removed, those of its directory. So the same
 * stamp means the same content, but for four exceptions, each of which is seen to:
 *
 * - File times tick, every 1 to 10 ms or when the processor that keeps the time gets its turn: a
 *   write close upon another may leave no trace. So a reading is kept only if its stamp had been
 *   known for a while when it began. That while is told by the monotonic clock, and file times are
 *   compared with nothing but each other: no setting of the clock makes a fresh write look old.
 * - A clock set back may give out the same time again, but hardly to the nanosecond. Where times
 *   are coarser than a millisecond nothing is kept.
 * - A write moves the times first and the bytes thereafter, on an overloaded disk seconds later.
 *   The event of it comes after the bytes. Whoever hears of one calls forget(), and so does, each
 *   time, whoever could not hear of it.
 * - Events can get lost when too many come at once, so that nothing is kept beyond `keptMsMax`.
 */
import type { Clock } from './clock.ts'
import type { Pace, Status } from './disk.ts'

export type Stamp = Pick<Status, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>

export type KeptReading<Reading> = {
  /** The reading, if the stamp just taken proves that it is still right; else null. */
  readonly provenBy: (stamp: Stamp) => Reading | null
  /** What to go by until there is proof: a kept reading, or one that found nothing. */
  readonly presumed: () => Reading | null
  /** `stamp`: as it was before what was read, null when there was nothing to take it of. */
  readonly note: (reading: Reading, stamp: Stamp | null, began: Began) => void
  /** To be asked for before a reading begins. */
  readonly begin: () => Began
  readonly forget: () => void
}

/** When a reading began. */
type Began = ReturnType<Clock['monotonic']>

const standstillMs = 1000
const keptMsMax = 60_000

export type Keeping = {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Whether the file times of this device can be relied on. */
  readonly keeps: (device: bigint) => boolean
  /** How the disk may be asked right now. */
  readonly pace: () => Pace
}

export const createKeptReading = <Reading>({
  clock,
  keeps,
}: Omit<Keeping, 'pace'>): KeptReading<Reading> => {
  let last: { reading: Reading; stamp: Stamp | null; until: number } | null = null
  let known: { stamp: Stamp; since: number } | null = null

  return {
    provenBy: stamp => {
      if (last === null || last.stamp === null || clock.monotonic() >= last.until) return null
      return isSame(last.stamp, stamp) ? last.reading : null
    },
    presumed: () => {
      if (last === null || clock.monotonic() >= last.until) return null
      return last.reading
    },
    note: (reading, stamp, began) => {
      if (stamp === null) {
        last = { reading, stamp, until: Infinity }
        known = null
        return
      }
      if (known === null || !isSame(known.stamp, stamp)) known = { stamp, since: clock.monotonic() }
      const stoodStill = began - known.since >= standstillMs && isFine(stamp) && keeps(stamp.dev)
      last = stoodStill ? { reading, stamp, until: began + keptMsMax } : null
    },
    begin: clock.monotonic,
    forget: () => {
      last = null
      known = null
    },
  }
}

const isSame = (one: Stamp, other: Stamp): boolean =>
  one.ctimeNs === other.ctimeNs &&
  one.mtimeNs === other.mtimeNs &&
  one.ino === other.ino &&
  one.size === other.size &&
  one.dev === other.dev

/** Nobody can set the time of change, so that it shows how fine times are on a file system. */
const isFine = ({ ctimeNs }: Stamp): boolean => ctimeNs % 1_000_000n !== 0n
