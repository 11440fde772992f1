/**
 * SIGUSR1 asks the daemon for its flight record.
 *
 * Node itself would open a port for debuggers then, on whichever process it is sent to; it doesn't
 * where somebody listens to the signal. So this comes before anything else. Earlier, in the tens of
 * milliseconds in which Node itself starts, nothing can be done about it.
 */
import type { SignalSource } from './stop-signals.ts'

/** From now on. Until the returned function has been told what to do, the signal does nothing. */
export const claimRecordSignal = (source: Pick<SignalSource, 'on'>) => {
  let act = nothing
  const obey = (): void => {
    act()
  }
  source.on('SIGUSR1', obey)
  return (action: () => void): void => {
    act = action
  }
}

const nothing = (): void => {}
