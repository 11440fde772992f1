/** `cluster`: asks a running daemon for all members of its cluster, and prints them. */
import type { Outcome } from '../../facts/outcome.ts'
import { clusterTable } from '../../facts/report/cluster-table.ts'
import { troublesOf, type ClusterView } from '../../facts/report/cluster-view.ts'
import { visibleText } from '../../facts/visible-text.ts'
import type { Clock } from '../../observe/system/clock.ts'
import type { ClusterOptions } from '../options/option-values.ts'
import { exitAsExpected, exitCodes, exitDone, exitOtherwise } from '../output/exit-codes.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { Host } from '../system/host.ts'

/** Time between two questions of --watch. */
const everyMs = 1000
/** The cursor to the first line, and all below it is erased. */
const clearScreen = '\u001b[H\u001b[J'

export type ClusterNeeds = {
  readonly host: Pick<Host, 'openClusterClient'> & { readonly clock: Pick<Clock, 'after'> }
  readonly out: (text: string) => void
  readonly fail: (error: OperatorError) => void
  /** Standard output is a terminal. */
  readonly terminal: boolean
  readonly stopRequested: () => Promise<string>
  /** Resolves when nothing reads standard output any more. */
  readonly readerGone: () => Promise<void>
}

/** Resolves to the exit code. */
export const showCluster = async (
  options: ClusterOptions,
  needs: ClusterNeeds,
): Promise<number> => {
  const { host, out, fail } = needs
  const { target, timeoutMs } = options
  if (options.watch) return watchCluster(options, needs)
  const view = await host.openClusterClient()(target, timeoutMs).answer
  if (!view.ok) {
    fail(unanswered(options, view.fault))
    return exitCodes.error
  }
  out(page(options, view.fact))
  return troublesOf(view.fact.members).length === 0 ? exitAsExpected : exitOtherwise
}

const page = ({ target, json }: ClusterOptions, view: ClusterView): string =>
  json
    ? view.document
    : clusterTable(view, target.text)
        .map(line => `${line}\n`)
        .join('')

const unanswered = ({ target }: ClusterOptions, because: string): OperatorError => ({
  message: `could not get the cluster from ${target.text}: ${visibleText(because)}`,
  hint: 'pg-replstatus must run there with --http; see "pg-replstatus cluster --help"',
})

/**
 * Until a signal, or until there is no reader. That a daemon does not answer is shown, and it is
 * asked again.
 */
const watchCluster = async (
  options: ClusterOptions,
  { host, out, fail, terminal, stopRequested, readerGone }: ClusterNeeds,
): Promise<number> => {
  const ask = host.openClusterClient()
  let asking = ask(options.target, options.timeoutMs)
  let interrupt = asking.cancel
  let stopped = false
  const awaitStop = async (): Promise<void> => {
    await Promise.race([stopRequested(), readerGone()])
    stopped = true
    interrupt()
  }
  void awaitStop()
  const show = (view: Outcome<ClusterView, string>): void => {
    if (terminal) out(clearScreen)
    if (!view.ok) return fail(unanswered(options, view.fault))
    const text = page(options, view.fact)
    out(terminal || options.json ? text : `${text}\n`)
  }
  const pause = (): Promise<void> =>
    new Promise(resolve => {
      const timer = host.clock.after(everyMs, resolve)
      interrupt = () => {
        timer.cancel()
        resolve()
      }
    })
  for (;;) {
    const view = await asking.answer
    if (stopped) return exitDone
    show(view)
    await pause()
    if (stopped) return exitDone
    asking = ask(options.target, options.timeoutMs)
    interrupt = asking.cancel
  }
}
