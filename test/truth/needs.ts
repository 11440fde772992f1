/** What scenarios need besides a server; whoever lacks it is told how to get it. */
import { whyNoControlGroup, type CgroupVersion } from '../harness/control-group.ts'
import { hasPredecessor } from './arena.ts'
import { hasHangingDisk } from './hanging-disk.ts'
import type { Need, Scenario } from './scenario.ts'
import { hasServerPrograms } from './server-programs.ts'

let wholeMachineAllowed = false

/** What scenarios do to the clock and to limits of the kernel is felt by everybody. */
export const allowWholeMachine = (): void => {
  wholeMachineAllowed = true
}

type Provision = { readonly isThere: () => boolean; readonly howToGet: string }

const provideControlGroup = (version: CgroupVersion): Provision => ({
  isThere: () => whyNoControlGroup(version) === null,
  howToGet: `run it as root, where control groups of ${version} may be made`,
})

const provisions: Readonly<Record<Need, Provision>> = {
  root: {
    isThere: () => process.getuid?.() === 0,
    howToGet: 'run it as root, to mount and to unshare',
  },
  'whole machine': {
    isThere: () => wholeMachineAllowed && process.getuid?.() === 0,
    howToGet: 'run it as root with --whole-machine, on a machine without other users',
  },
  bindfs: { isThere: hasHangingDisk, howToGet: 'apt-get install bindfs, and a kernel with FUSE' },
  'cgroup v1': provideControlGroup('v1'),
  'cgroup v2': provideControlGroup('v2'),
  'server programs': {
    isThere: () => hasServerPrograms('pg_basebackup', 'pg_rewind'),
    howToGet: 'apt-get install postgresql-15',
  },
}

/** How to get what is missing for a scenario; none when it can be played. */
export const missingFor = ({ needs = [] }: Scenario): readonly string[] =>
  needs
    .filter(need => !provisions[need].isThere())
    .map(need => `needs ${need}: ${provisions[need].howToGet}`)

/** Null when bgw_replstatus is there to be compared with. */
export const missingPredecessor = (): string | null =>
  hasPredecessor() ? null : 'no bgw_replstatus: apt-get install postgresql-15-bgw-replstatus'
