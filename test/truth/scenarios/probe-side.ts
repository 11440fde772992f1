/** Things that happen to the probe rather than to the server. */
import assert from 'node:assert'
import { join } from 'node:path'
import type { Cluster } from '../../harness/cluster.ts'
import type { Daemon } from '../../harness/daemon.ts'
import { isWatched } from '../../harness/inotify-watches.ts'
import { thenAlways } from '../../harness/then-always.ts'
import { until } from '../../harness/until.ts'
import { awaitLogins, crashBackend, killPostmaster, stopBackend, watched } from '../faults.ts'
import { mountHangingDisk } from '../hanging-disk.ts'
import { askProbe } from '../questions.ts'
import type { Scenario } from '../scenario.ts'
import type { Trial } from '../trial.ts'
import { stepClock, withoutInotify } from '../whole-machine.ts'

/** A port that is closed, was closed just then, or says nothing; not one that hangs. */
const silence = /^(?:refused|reset|)$/

/** Longer than any lease. */
const asleepMs = 10_000

/** Setting a watch asks the disk at once: on one that hangs, that would be all there is to see. */
const awaitWatches = async (daemon: Daemon, { dataDirectory }: Cluster): Promise<void> => {
  const paths = [dataDirectory, join(dataDirectory, 'global/pg_control')]
  const process = `/proc/${daemon.pid}`
  const areWatched = (): boolean => paths.every(path => isWatched(path, process))
  await until(areWatched, { what: 'the watches of the daemon' })
}

/**
 * The probe stands still while something is done to the server. Connects made meanwhile wait in
 * its backlog: what the first of them is told must be right when it is told.
 */
const whileAsleep = async (trial: Trial, act: () => Promise<void>): Promise<string> => {
  const daemon = trial.daemon()
  daemon.kill('SIGSTOP')
  const sighted = trial.probeBlinded()
  await act()
  await watched(asleepMs)
  const asked = askProbe(daemon.port)
  daemon.kill('SIGCONT')
  const answer = await asked
  sighted()
  return answer
}

/** unshare itself is deaf to signals while it waits; it is passed on to what it started. */
const inOtherPidNamespace = [
  '/bin/sh',
  '-c',
  `unshare --pid --fork --mount-proc "$@" & unshared=$!
   trap 'kill -TERM $(cat /proc/$unshared/task/$unshared/children)' TERM
   wait; wait`,
  'namespace',
]

export const probeSide: readonly Scenario[] = [
  {
    name: 'daemon stopped for 10 s while the server is promoted',
    begin: arena => arena.standby(),
    run: async trial => {
      await trial.answers('STANDBY')
      const first = await whileAsleep(trial, () => trial.cluster.promote('pg_ctl'))
      assert.strictEqual(first, 'MASTER', 'the first answer after the suspension')
      await trial.answers('MASTER')
    },
  },
  {
    name: 'daemon stopped for 10 s while the postmaster is killed',
    begin: arena => arena.primary(),
    run: async trial => {
      await trial.answers('MASTER')
      const first = await whileAsleep(trial, async () => void killPostmaster(trial))
      assert.match(first, silence, 'the first answer after the suspension')
      await trial.answers('refused')
    },
  },
  {
    name: 'disk that hangs, and responds again',
    // The stop writes through the same one process that the probe reads through.
    bounds: { wrongRoleMs: 100 },
    needs: ['root', 'bindfs'],
    begin: arena => arena.stopped(),
    // From before the probe is started: it has to find the disk under the directory.
    options: () => ({ withDaemon: false, hidden: true }),
    run: async ({ cluster, startDaemon, daemon, answers }) => {
      const disk = await mountHangingDisk(cluster)
      const act = async (): Promise<void> => {
        await cluster.start()
        await startDaemon()
        await answers('MASTER')
        await awaitWatches(daemon(), cluster)
        disk.hang()
        await daemon().said(/the last check is \d+ ms old, the limit is 1500 ms/)
        assert.match(await askProbe(daemon().port), silence, 'the listener continues')
        disk.goOn()
        await answers('MASTER')
        await cluster.stop()
        await answers('refused')
      }
      await thenAlways(act, async () => {
        disk.goOn()
        // While it is mounted: nobody finds the server by its directory afterwards.
        await cluster.stop('immediate')
        await disk.unmount()
      })
    },
  },
  {
    name: 'postmaster in another pid namespace',
    needs: ['root'],
    begin: arena => arena.primary(),
    options: () => ({ through: inOtherPidNamespace, hidden: true }),
    run: async ({ daemon }) => {
      await daemon().said(/stale postmaster\.pid: process \d+ does not exist/)
      await watched(1000)
    },
  },
  {
    name: 'inotify exhausted at the start, then a promotion, then freed',
    needs: ['whole machine'],
    // Files are polled ten times a second meanwhile.
    bounds: { noticePrimaryMsMax: 200, noticePrimaryMsMedian: 200, wrongSilenceMs: 200 },
    begin: arena => arena.standby(),
    options: () => ({ withDaemon: false }),
    run: async ({ cluster, startDaemon, daemon, answers }) => {
      await withoutInotify(async () => {
        await startDaemon()
        await daemon().said(/polling because=.*EMFILE/)
        await answers('STANDBY')
        await cluster.promote('pg_ctl')
        await answers('MASTER')
      })
      await daemon().said(/polling ended/)
      await cluster.stop('immediate')
      await answers('refused')
      await cluster.start()
      await answers('MASTER')
    },
  },
  ...([2, -2] as const).map((seconds): Scenario => ({
    name: `clock set ${seconds > 0 ? 'forward' : 'back'} in a crash restart, and right again`,
    needs: ['whole machine'],
    begin: arena => arena.standby(),
    run: async ({ cluster, answers, daemon, startDaemon, probeBlinded }) => {
      await answers('STANDBY')
      const stopped = await stopBackend(cluster)
      await crashBackend(cluster)
      await daemon().said(/a crash restart/)
      await stepClock(seconds)
      try {
        await awaitLogins(cluster)
        await answers('STANDBY')
        const sighted = probeBlinded()
        await daemon().stop()
        await startDaemon()
        sighted()
        await answers('STANDBY')
      } finally {
        await stepClock(-seconds)
      }
      await stopped.close()
      await cluster.promote('pg_ctl')
      await answers('MASTER')
    },
  })),
]
