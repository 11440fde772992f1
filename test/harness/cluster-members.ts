/** Members of a cluster as a daemon knows them. */
import type { ClusterMember } from '../../src/facts/report/cluster-members.ts'

/** A primary without a past. */
export const clusterMember = (changes: Partial<ClusterMember> = {}): ClusterMember => ({
  name: 'db1',
  role: 'leader',
  state: 'running',
  address: { secure: false, host: 'db1', port: 8008 },
  port: 5432,
  timeline: 1,
  lag: null,
  answer: 'primary',
  rule: 'in production',
  because: 'postmaster pid 1 is ready',
  ageMs: 0,
  hazards: [],
  phases: [],
  ...changes,
})
