/**
 * Wakes up every millisecond and notes when it could not, as no witness did on this processor then:
 * it gives way as they do.
 *
 *   taskset -c 0 node metronome-process.js
 */
import { setPriority } from 'node:os'
import { niceness, now } from './testimony.ts'

const everyMs = 1

let wokenAt = now()
let longestMs = 0

const tick = (): void => {
  const at = now()
  longestMs = Math.max(longestMs, at - wokenAt - everyMs)
  wokenAt = at
  setTimeout(tick, everyMs)
}

process.on('message', () => {
  process.send?.(longestMs)
  longestMs = 0
})
process.once('disconnect', () => process.exit())
setPriority(niceness)
tick()
process.send?.('ticking')
