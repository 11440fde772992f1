/**
 * Many clusters in one process: what they cost while nobody asks, and how soon all are there.
 *
 * One of them runs. The others are stopped ones, each with a real directory and control file of its
 * own but without tables and WAL, which nobody reads: symbolic links to a few would share watches.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../harness/cluster.ts'
import { makeFolder } from '../harness/cluster-files.ts'
import { daemonProgram, startDaemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { runProgram } from '../harness/programs.ts'
import { withOpened } from '../harness/with-opened.ts'
import { residentMibOf } from './accounting.ts'
import { names } from './contenders.ts'
import type { Row } from './table.ts'
import type { Tools } from './tools.ts'
import { timeStart, watchProcess } from './upkeep.ts'

const stoppedCount = 50

const copies = `
cp -a "$1" "$2/1"
find "$2/1/base" "$2/1/pg_wal" -mindepth 1 -delete
rm -f "$2/1/postmaster.pid"
for number in $(seq 2 "$3"); do cp -a "$2/1" "$2/$number"; done
`

export const measureMany = (
  tools: Tools,
  running: Cluster,
  { stopped, rounds, seconds }: Measured,
): Promise<readonly Row[]> =>
  withOpened(async opened => {
    const { user, dataDirectory } = running
    const folder = await makeFolder(user)
    opened.later(() => runProgram({ program: 'rm', args: ['-rf', folder], cwd: '/' }))
    const args = ['-euc', copies, 'copies', stopped.dataDirectory, folder, String(stoppedCount)]
    await runProgram({ program: 'sh', args, cwd: '/', user })
    const sections: string[] = []
    for (let number = 1; number <= stoppedCount; number += 1) {
      const directory = join(folder, String(number))
      sections.push(`[stopped-${number}]\npgdata = ${directory}\nport = ${await freePort()}\n`)
    }
    const config = join(folder, 'pg-replstatus.conf')
    /** The last one is opened when all others are. */
    const write = (port: number): void => {
      const last = `[running]\npgdata = ${dataDirectory}\nport = ${port}\n`
      writeFileSync(config, ['bind = 127.0.0.1\n', ...sections, last].join(''))
    }
    const starts: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const command = (port: number): readonly string[] => {
        write(port)
        return [daemonProgram(), '--config', config]
      }
      starts.push(await timeStart(tools, command))
    }
    const port = await freePort()
    write(port)
    const daemon = await startDaemon({ config, port })
    opened.later(daemon.stop)
    await daemon.answers('MASTER')
    const { percent, wakeUps } = await watchProcess(daemon.pid, seconds)
    const row = (
      what: string,
      unit: string,
      values: readonly number[],
      goal: Row['goal'] = null,
    ): Row => ({
      measure: `${stoppedCount + 1} clusters, ${what}`,
      unit,
      values: new Map([[names.ours, values]]),
      goal,
    })
    return [
      row('start to first answer of the last', 'ms', starts),
      row('idle', '% of a core', [percent], { than: null, atMost: 2.5 }),
      row('idle, wake-ups', 'per s', [wakeUps]),
      row('memory', 'MiB', [residentMibOf(daemon.pid)]),
    ]
  })

type Measured = {
  /** What the others are copies of. */
  readonly stopped: Cluster
  readonly rounds: number
  readonly seconds: number
}
