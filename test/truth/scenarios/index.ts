/** Everything that is done to servers, to their files, and to the probe. */
import type { Scenario } from '../scenario.ts'
import { clones } from './clones.ts'
import { controlFiles } from './control-files.ts'
import { crashes } from './crashes.ts'
import { directories } from './directories.ts'
import { lockFiles } from './lock-files.ts'
import { lyingPeers } from './lying-peers.ts'
import { oldPrimaries } from './old-primaries.ts'
import { probeSide } from './probe-side.ts'
import { promotions } from './promotions.ts'
import { restores } from './restores.ts'
import { stops } from './stops.ts'

export const scenarios: readonly Scenario[] = [
  ...promotions,
  ...oldPrimaries,
  ...clones,
  ...restores,
  ...lyingPeers,
  ...stops,
  ...crashes,
  ...lockFiles,
  ...controlFiles,
  ...directories,
  ...probeSide,
]
