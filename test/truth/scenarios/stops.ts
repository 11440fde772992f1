/** Servers that are stopped, restarted, killed or held up, as a whole. */
import { makeControlGroup } from '../../harness/control-group.ts'
import { thenAlways } from '../../harness/then-always.ts'
import { stopBounds } from '../bounds.ts'
import {
  continuePostmaster,
  freezeServer,
  killPostmaster,
  stopPostmaster,
  thawServer,
  watched,
} from '../faults.ts'
import type { Scenario } from '../scenario.ts'
import { startUnreaped } from '../unreaped.ts'
import { forBothRoles } from './both-roles.ts'

/** The default --interval, and time for the look itself. */
const lookMsMax = 600

export const stops: readonly Scenario[] = [
  ...forBothRoles(({ role, word, begin }) => ({
    name: `smart stop of a ${role} that waits for a client`,
    bounds: stopBounds,
    begin,
    run: async ({ cluster, answers, daemon }) => {
      await answers(word)
      // The client is the witness, whose session goes on as if nothing were wrong.
      cluster.kill('SIGTERM')
      await daemon().said(/is stopping: no longer accepting connections/)
      await watched(300)
      await cluster.stop('fast')
      await answers('refused')
    },
  })),
  ...forBothRoles(({ role, word, begin }) => ({
    name: `fast stop and start of a ${role}`,
    bounds: stopBounds,
    begin,
    run: async ({ cluster, answers }) => {
      await answers(word)
      await cluster.restart()
      await answers(word)
    },
  })),
  ...forBothRoles(({ role, word, begin }) => ({
    name: `immediate stop and start of a ${role}`,
    bounds: stopBounds,
    begin,
    run: async ({ cluster, answers }) => {
      await answers(word)
      await cluster.stop('immediate')
      await cluster.start()
      await answers(word)
    },
  })),
  ...forBothRoles(({ role, word, begin }) => ({
    name: `postmaster of a ${role} killed, reaped at once`,
    bounds: { wrongRoleMs: 2 },
    begin,
    run: async trial => {
      await trial.answers(word)
      const startedAgain = killPostmaster(trial)
      await trial.cluster.ended()
      await watched(100)
      startedAgain()
      await trial.cluster.start()
      await trial.answers(word)
    },
  })),
  {
    name: 'postmaster killed, a zombie for a while',
    bounds: { wrongRoleMs: 2 },
    begin: arena => arena.stopped(),
    run: async trial => {
      const postmaster = await startUnreaped(trial.cluster)
      await trial.answers('MASTER')
      // That it served has to be heard: up to here logins were refused, and soon are again.
      await watched(150)
      const reaped = killPostmaster(trial)
      await trial.daemon().said(/is a zombie/)
      await watched(500)
      await postmaster.reap()
      reaped()
      await trial.cluster.start()
      await trial.answers('MASTER')
    },
  },
  ...forBothRoles(({ role, word, begin }) => ({
    name: `postmaster of a ${role} stopped (SIGSTOP) and continued`,
    begin,
    run: async trial => {
      await trial.answers(word)
      const served = stopPostmaster(trial)
      await trial.daemon().said(/is stopped \(SIGSTOP\)/)
      await watched(1200)
      continuePostmaster(trial, served)
      await trial.answers(word)
    },
  })),
  ...(['v1', 'v2'] as const).flatMap(version =>
    forBothRoles(({ role, word, begin }) => ({
      name: `${role} frozen by cgroup ${version} (docker pause) and thawed`,
      needs: [`cgroup ${version}`],
      begin,
      run: async trial => {
        const group = makeControlGroup(version)
        const act = async (): Promise<void> => {
          await trial.answers(word)
          group.addServer(trial.cluster)
          // A server that is moved is found by the next look, at the latest.
          await watched(lookMsMax)
          const served = freezeServer(trial, group)
          await trial.daemon().said(/is frozen by its control group/)
          await watched(1200)
          thawServer(group, served)
          await trial.answers(word)
        }
        await thenAlways(act, group.finish)
      },
    })),
  ),
]
