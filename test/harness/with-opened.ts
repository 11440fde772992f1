/** Things that are opened one after the other, and closed whatever comes of it. */
import { thenAlways } from './then-always.ts'

/** Takes what closes a thing that has just been opened; the last one is closed first. */
export type Opened = { readonly later: (close: () => Promise<unknown>) => void }

export const withOpened = async <Value>(
  act: (opened: Opened) => Promise<Value>,
): Promise<Value> => {
  const closers: (() => Promise<unknown>)[] = []
  return thenAlways(
    () => act({ later: close => void closers.unshift(close) }),
    async () => {
      for (const close of closers) await close()
    },
  )
}
