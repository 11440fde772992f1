/** The signals by which an operator controls the daemon. */

const stopSignals = ['SIGTERM', 'SIGINT'] as const

/** The part of `process` that this needs. */
export type SignalSource = Pick<NodeJS.Process, 'on' | 'off'>

/** Without a listener, each of these signals terminates the process. */
export type OperatorSignals = {
  /** SIGTERM or SIGINT: resolves to its name. The next one terminates the process. */
  readonly stopRequested: () => Promise<string>
  /** SIGHUP */
  readonly onReload: (listener: () => void) => void
  /** SIGUSR1. There is one listener; until it is set, the signal does nothing. */
  readonly onHistory: (listener: () => void) => void
  /** SIGUSR2 */
  readonly onMaintenance: (listener: () => void) => void
}

/**
 * To be called before anything else. On SIGUSR1 Node.js opens a port for a debugger unless there is
 * a listener. In the milliseconds in which Node.js itself starts, nothing can prevent that.
 */
export const operatorSignals = (source: SignalSource): OperatorSignals => {
  let logHistory = nothing
  source.on('SIGUSR1', () => {
    logHistory()
  })
  return {
    stopRequested: () => firstStopSignal(source),
    onReload: listener => void source.on('SIGHUP', listener),
    onHistory: listener => {
      logHistory = listener
    },
    onMaintenance: listener => void source.on('SIGUSR2', listener),
  }
}

const nothing = (): void => {}

const firstStopSignal = (source: SignalSource): Promise<string> =>
  new Promise(resolve => {
    const stop = (signal: NodeJS.Signals): void => {
      for (const name of stopSignals) source.off(name, stop)
      resolve(signal)
    }
    for (const name of stopSignals) source.on(name, stop)
  })
