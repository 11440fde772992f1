/** Backends that die badly: the postmaster then restarts all its children, and keeps its pid. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { standbyRequestFile } from '../../harness/cluster-files.ts'
import { until } from '../../harness/until.ts'
import {
  addFiles,
  awaitLogins,
  crashAndRecover,
  crashBackend,
  stopBackend,
  watched,
} from '../faults.ts'
import type { Scenario } from '../scenario.ts'
import { forBothRoles } from './both-roles.ts'

const manyFiles = 20_000

export const crashes: readonly Scenario[] = [
  ...forBothRoles(({ role, word, begin }) => ({
    name: `backend killed on a ${role}`,
    begin,
    run: async ({ cluster, answers }) => {
      await answers(word)
      await crashAndRecover(cluster)
      await answers(word)
      await watched(200)
    },
  })),
  ...forBothRoles(({ role, word, begin }) => ({
    name: `backend killed on a ${role} of ${manyFiles} files`,
    begin: async arena => {
      const cluster = await begin(arena)
      addFiles(cluster, manyFiles)
      return cluster
    },
    run: async ({ cluster, answers }) => {
      await answers(word)
      await crashAndRecover(cluster)
      await answers(word)
    },
  })),
  ...forBothRoles(({ role, word, begin }) => ({
    name: `backend killed on a ${role} while another is stopped`,
    begin,
    run: async ({ cluster, answers }) => {
      await answers(word)
      const stopped = await stopBackend(cluster)
      await crashAndRecover(cluster)
      await stopped.close()
      await answers(word)
    },
  })),
  ...forBothRoles(({ role, word, begin }) => ({
    name: `probe started in the crash restart of a ${role}`,
    begin,
    options: () => ({ withDaemon: false }),
    run: async ({ cluster, startDaemon, answers }) => {
      const stopped = await stopBackend(cluster)
      await crashBackend(cluster)
      await until(async () => !(await cluster.accepts()), { what: 'the crash restart' })
      await startDaemon()
      await awaitLogins(cluster)
      await stopped.close()
      await answers(word)
    },
  })),
  {
    name: 'backend killed with restart_after_crash off',
    begin: arena => arena.primary({ restart_after_crash: 'off' }),
    run: async ({ cluster, answers }) => {
      await answers('MASTER')
      await crashBackend(cluster)
      await cluster.ended()
      await answers('refused')
    },
  },
  {
    name: 'standby requested of a running primary, then a backend killed',
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, daemon }) => {
      await answers('MASTER')
      cluster.requestStandby(null)
      await daemon().said(/hazard="primary with standby request"/)
      await crashAndRecover(cluster)
      await answers('STANDBY')
      await watched(200)
    },
  },
  {
    name: 'request removed from a running standby, then a backend killed',
    begin: arena => arena.standby(),
    run: async ({ cluster, answers, daemon }, { major }) => {
      await answers('STANDBY')
      rmSync(join(cluster.dataDirectory, standbyRequestFile(major)))
      await daemon().said(/hazard="standby without signal file"/)
      await crashAndRecover(cluster)
      await answers('MASTER')
      await watched(200)
    },
  },
]
