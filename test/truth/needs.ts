/** What scenarios need besides a server; whoever lacks it is told how to get it. */
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

const provisions: Readonly<Record<Need, Provision>> = {
  root: {
    isThere: () => process.getuid?.() === 0,
    howToGet: 'run it as root, to mount and to unshare',
  },
  'whole machine': {
    isThere: () => wholeMachineAllowed && process.getuid?.() === 0,
    howToGet: 'run it as root with --whole-machine, on a machine that nobody works on',
  },
  bindfs: { isThere: hasHangingDisk, howToGet: 'apt-get install bindfs, and a kernel with FUSE' },
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
