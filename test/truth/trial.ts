/**
 * One server, the probes beside it, and the witnesses of both, while something is done to the
 * server. At the end all are judged by what the server itself has said.
 */
import type { Cluster } from '../harness/cluster.ts'
import { startDaemon, type Daemon, type DaemonOptions } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { until } from '../harness/until.ts'
import { openDeedBook, type DeedBook } from './deeds.ts'
import { judge, type Findings } from './judge.ts'
import { truthOf } from './truth.ts'
import { openHearing } from './witnesses.ts'

export type Trial = DeedBook & {
  readonly cluster: Cluster
  /** Has the witnesses asked from now on; resolves when each has heard a first answer. */
  readonly begin: () => Promise<void>
  /** The probe under test. Where the scenario starts it, only from then on. */
  readonly daemon: () => Daemon
  readonly startDaemon: () => Promise<Daemon>
  /** Waits until the probe says this: the bytes, or `refused`. */
  readonly answers: (word: string) => Promise<void>
  /** What was found since the last judgement, by the name of the probe. */
  readonly judgement: () => Promise<ReadonlyMap<string, Findings>>
  readonly close: () => Promise<void>
}

export const probeUnderTest = 'pg-replstatus'
export const predecessor = 'bgw_replstatus'

export type TrialOptions = {
  readonly cluster: Cluster
  /** Default: the cluster's data directory. */
  readonly pgdata?: string
  /** Port of bgw_replstatus, where the server runs it. */
  readonly predecessorPort: number | null
  /** Names and ports of others that are asked and judged as well. */
  readonly others?: readonly (readonly [name: string, port: number])[]
  /** Default true; false: the scenario starts it. */
  readonly withDaemon?: boolean
  /** The server is hidden from the probe: its silence is no fault at any time. */
  readonly hidden?: boolean
} & Pick<DaemonOptions, 'environment' | 'through'>

/** With witnesses that ask from now on. */
export const openTrial = async (options: TrialOptions): Promise<Trial> => {
  const trial = await prepareTrial(options)
  try {
    await trial.begin()
    return trial
  } catch (failure) {
    await trial.close()
    throw failure
  }
}

export const prepareTrial = async (options: TrialOptions): Promise<Trial> => {
  const { cluster, pgdata = cluster.dataDirectory, predecessorPort, withDaemon = true } = options
  const port = await freePort()
  const deeds = openDeedBook()
  const sighted = deeds.probeBlinded()
  let daemon: Daemon | null = null

  const start = async (): Promise<Daemon> => {
    const { environment = {}, through = [] } = options
    daemon = await startDaemon({ dataDirectory: pgdata, port, environment, through })
    if (options.hidden !== true) sighted()
    return daemon
  }
  const summons = {
    server: cluster.port,
    probes: [
      [probeUnderTest, port] as const,
      ...(predecessorPort === null ? [] : [[predecessor, predecessorPort] as const]),
      ...(options.others ?? []),
    ],
    files: pgdata,
  }
  const [called, started] = await Promise.allSettled([openHearing(), withDaemon ? start() : null])
  const witnesses = called.status === 'fulfilled' ? called.value : null
  const close = async (): Promise<void> => {
    witnesses?.close()
    await daemon?.stop()
  }
  const failed = [called, started].find(({ status }) => status === 'rejected')
  if (witnesses === null || failed?.status === 'rejected') {
    await close()
    throw failed?.status === 'rejected' ? failed.reason : new Error('no witnesses')
  }
  const running = (): Daemon => {
    if (daemon === null) throw new Error('the daemon has not been started yet')
    return daemon
  }
  return {
    ...deeds,
    cluster,
    begin: () => witnesses.begin(summons),
    daemon: running,
    startDaemon: start,
    answers: async word => {
      const what = `the answer ${word}; the daemon logged:\n${running().log().join('\n')}\n`
      await until(async () => (await running().ask()) === word, { what, limitMs: 10_000 })
    },
    judgement: async () => {
      const testimony = await witnesses.testimony()
      const truth = truthOf(testimony, deeds.take())
      if (process.env['TRUTH_DEBUG'])
        console.log(truth.roles, truth.serving, testimony.session.length, testimony.logins.length)
      return new Map(Array.from(testimony.probes, ([name, said]) => [name, judge(said, truth)]))
    },
    close,
  }
}
