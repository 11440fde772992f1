/** Lock files that lie: left over, deleted, naming somebody else. */
import assert from 'node:assert'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../../harness/cluster.ts'
import { signalFilesSince } from '../../harness/cluster-files.ts'
import type { Arena } from '../arena.ts'
import { killPostmaster, watched } from '../faults.ts'
import type { Scenario } from '../scenario.ts'
import { startSleeper, type Sleeper } from '../sleeper.ts'
import type { Trial } from '../trial.ts'

const lockFileOf = (cluster: Cluster): string => join(cluster.dataDirectory, 'postmaster.pid')

/** As if the number of the postmaster that died had been given to somebody else since. */
const renameHolder = (cluster: Cluster, pid: number): void => {
  const path = lockFileOf(cluster)
  const [, ...rest] = readFileSync(path, 'utf8').split('\n')
  // In place, as the file belongs to the server's user.
  writeFileSync(path, [pid, ...rest].join('\n'))
}

type Stranger = {
  readonly who: string
  readonly seen: RegExp
  readonly find: (trial: Trial, arena: Arena) => Promise<Sleeper>
}

const nobodyToEnd = (pid: number): Sleeper => ({ pid, end: async () => undefined })

const strangers: readonly Stranger[] = [
  {
    who: 'an unrelated program',
    seen: /is not the postmaster: it is sleep/,
    find: ({ cluster }) => startSleeper(cluster, { cwd: '/' }),
  },
  {
    who: 'a program at work in the data directory',
    seen: /is not the postmaster: it is not a PostgreSQL program/,
    find: ({ cluster }) => startSleeper(cluster, { cwd: cluster.dataDirectory }),
  },
  {
    who: 'the server of another data directory',
    seen: /it is a PostgreSQL server of another data directory/,
    find: async (_trial, arena) => nobodyToEnd((await arena.upstream()).pid()),
  },
  {
    who: 'the daemon itself',
    seen: /is not the postmaster: it is node/,
    find: async ({ daemon }) => nobodyToEnd(daemon().pid),
  },
]

export const lockFiles: readonly Scenario[] = [
  ...strangers.map(({ who, seen, find }): Scenario => ({
    name: `lock file left over, its pid now ${who}`,
    begin: arena => arena.primary(),
    run: async (trial, arena) => {
      const { cluster, answers, daemon } = trial
      await answers('MASTER')
      const startedAgain = killPostmaster(trial)
      await cluster.ended()
      const stranger = await find(trial, arena)
      renameHolder(cluster, stranger.pid)
      await daemon().said(seen)
      await watched(200)
      await stranger.end()
      renameHolder(cluster, stranger.pid)
      startedAgain()
    },
  })),
  {
    name: 'lock file deleted under a running server, and put back',
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, probeBlinded }) => {
      await answers('MASTER')
      const path = lockFileOf(cluster)
      const sighted = probeBlinded()
      renameSync(path, `${path}.away`)
      await answers('refused')
      renameSync(`${path}.away`, path)
      sighted()
      await answers('MASTER')
    },
  },
  {
    name: 'backup_label left on a running primary',
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, daemon }) => {
      await answers('MASTER')
      cluster.place('backup_label', '')
      await daemon().said(/hazard="primary with backup_label"/)
      rmSync(join(cluster.dataDirectory, 'backup_label'))
      await daemon().said(/hazard ended/)
      const warnings = daemon()
        .log()
        .filter(line => line.includes(' warning: hazard '))
      assert.strictEqual(warnings.length, 1, 'it is logged once')
    },
  },
  {
    name: 'recovery.conf where a newer server refuses it',
    since: signalFilesSince,
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, daemon }) => {
      await answers('MASTER')
      cluster.place('recovery.conf', "standby_mode = 'on'\n")
      await daemon().said(/hazard="next start fails"/)
      await cluster.stop()
      await answers('refused')
      await cluster.launch()
      await cluster.ended()
      await watched(100)
    },
  },
]
