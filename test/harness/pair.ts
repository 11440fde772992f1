/** The two servers that most tests want: a primary and its standby. */
import type { Test } from 'tap'
import { createCluster, type Cluster, type ClusterOptions } from './cluster.ts'

export type Pair = { readonly primary: Cluster; readonly standby: Cluster }

/** It runs, and is gone when the test ends. */
export const startPrimary = async (t: Test, options: ClusterOptions): Promise<Cluster> => {
  const primary = await createCluster(options)
  t.teardown(primary.destroy)
  await primary.start()
  return primary
}

/** Both run, and are gone when the test ends. */
export const startPair = async (t: Test, major: number): Promise<Pair> => {
  const primary = await startPrimary(t, { major })
  const standby = await primary.standby()
  t.teardown(standby.destroy)
  await standby.start()
  return { primary, standby }
}
