/** Copies of a cluster that become primaries of their own, beside the real one. */
import assert from 'node:assert'
import type { Cluster } from '../../harness/cluster.ts'
import { startDaemon } from '../../harness/daemon.ts'
import { thenAlways } from '../../harness/then-always.ts'
import type { Arena } from '../arena.ts'
import { ended } from '../arena.ts'
import { watched } from '../faults.ts'
import type { Scenario } from '../scenario.ts'
import { beginPair, besideCompanion, withCompanion } from './companions.ts'

/** Longer than it takes to ask each peer again. */
const askedAgainMs = 1200

const copies = new WeakMap<Cluster, Cluster>()

/** A pair, and a copy that runs as another standby. */
const beginWithCopy = async (arena: Arena): Promise<Cluster> => {
  const primary = await beginPair(arena)
  const copy = await primary.standby({ settings: { shared_preload_libraries: '' } })
  await copy.start()
  copies.set(primary, copy)
  return primary
}

/** A restore that is tried out: none of the members has it as a peer, nor has it any. */
const triedOut: Scenario = {
  name: 'copy of the cluster promoted, which is no peer',
  // The same on each.
  since: 18,
  bounds: { wrongRoleMs: 0, wrongSilenceMs: 0 },
  begin: beginWithCopy,
  options: withCompanion,
  run: async ({ cluster, answers, daemon }) => {
    const copy = copies.get(cluster)
    assert(copy !== undefined)
    await ended(copy, () =>
      besideCompanion(cluster, async (_, other) => {
        const itsDaemon = await startDaemon({ dataDirectory: copy.dataDirectory })
        await thenAlways(
          async () => {
            await answers('MASTER')
            await copy.promote('pg_ctl')
            await itsDaemon.answers('MASTER')
            await watched(askedAgainMs)
            await other.answers('STANDBY')
          },
          async () => void (await itsDaemon.stop()),
        )
      }),
    )
    const suspicions = daemon()
      .log()
      .filter(line => /superseded|another primary/.test(line))
    assert.deepEqual(suspicions, [])
  },
}

export const clones: readonly Scenario[] = [triedOut]
