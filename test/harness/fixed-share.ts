/** So many connections for a listener, whatever else there is. */
import type { Share } from '../../src/serve/connection-slots.ts'

export const fixedShare = (max: number): Share => ({ max: () => max, onLowered: () => undefined })
