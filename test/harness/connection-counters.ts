/** Counters of which each is another number. */
import type { ConnectionCounters } from '../../src/serve/role/answering.ts'

export const connects: ConnectionCounters = {
  primary: 1,
  standby: 2,
  unavailable: 3,
  none: 4,
  dropped: 5,
  acceptFailed: 6,
  reset: 7,
  lingeringDestroyed: 8,
  refused: 9,
}
