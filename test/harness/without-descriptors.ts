/** A process that may open nothing: what becomes of ours when clients have used up all there is. */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Few, so that they are soon used up. Only the soft limit, and it stays. */
const limit = 256

/** While it acts, each call that would open something fails with EMFILE, once `left` are open. */
export const withoutDescriptors = async <Value>(
  act: () => Value | Promise<Value>,
  left = 0,
): Promise<Value> => {
  execFileSync('prlimit', [`--pid=${process.pid}`, `--nofile=${limit}:`])
  const held: number[] = []
  const take = (): void => {
    try {
      for (let count = 0; count < limit; count += 1) held.push(openSync('/dev/null', 'r'))
    } catch {
      // That was the last one.
    }
  }
  take()
  // What threads were still about to close, queued before this.
  for (let threads = 0; threads < 4; threads += 1) await stat('/')
  take()
  for (const descriptor of held.splice(0, left)) closeSync(descriptor)
  try {
    return await act()
  } finally {
    for (const descriptor of held) closeSync(descriptor)
  }
}
