/** The signals that stop the daemon, and the one that has it read its configuration again. */

const stopSignals = ['SIGTERM', 'SIGINT'] as const

/** The part of `process` that this needs. */
export type SignalSource = Pick<NodeJS.Process, 'on' | 'off'>

/**
 * From now on the first signal is no end any more: its name is told instead. The second ends the
 * process as if nobody had listened.
 */
export const awaitStopSignal = (source: SignalSource): Promise<string> =>
  new Promise(resolve => {
    const stop = (signal: NodeJS.Signals): void => {
      for (const name of stopSignals) source.off(name, stop)
      resolve(signal)
    }
    for (const name of stopSignals) source.on(name, stop)
  })

/** From now on SIGHUP, which would end the process, is heard instead; for good. */
export const hearReload = (source: Pick<SignalSource, 'on'>, listener: () => void): void => {
  source.on('SIGHUP', listener)
}
