/**
 * Times looks at a data directory: with a rest of 20 ms before each, and prints as JSON.
 *
 *   node look-timer.js PGDATA LOOKS
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemHost } from '../../src/cli/system/host.ts'

const [pgdata = '', looks = '500'] = process.argv.slice(2)
const restMs = 20

const host = systemHost(process.env, process.pid)
const probe = host.openProbe({ pgdata, controlCheck: 'native', pgControldata: null })
const took: number[] = []
// The first ones read everything.
for (let look = -20; look < Number(looks); look += 1) {
  await sleep(restMs)
  const began = performance.now()
  await probe.look()
  if (look >= 0) took.push(performance.now() - began)
}
probe.close()
took.sort((one, other) => one - other)
const percentile = (share: number): number => took[Math.floor(share * (took.length - 1))] ?? 0
process.stdout.write(`${JSON.stringify({ medianMs: percentile(0.5), p99Ms: percentile(0.99) })}\n`)
