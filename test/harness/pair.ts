/** The two servers that most tests want: a primary and its standby. */
import type { Test } from 'tap'
import { createCluster, type Cluster } from './cluster.ts'

export type Pair = { readonly primary: Cluster; readonly standby: Cluster }

/** Both run, and are gone when the test ends. */
export const startPair = async (t: Test, major: number): Promise<Pair> => {
  const primary = await createCluster({ major })
  t.teardown(primary.destroy)
  await primary.start()
  const standby = await primary.standby()
  t.teardown(standby.destroy)
  await standby.start()
  return { primary, standby }
}
