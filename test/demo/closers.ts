/** What has to be closed at the end, also if the end comes while things are still being opened. */
export type Closers = {
  /** Once the end has come it closes at once and throws, so that nothing more is opened. */
  readonly add: (close: () => Promise<unknown>) => void
  /** All at the same time. */
  readonly close: () => Promise<void>
}

export const createClosers = (): Closers => {
  const closers: (() => Promise<unknown>)[] = []
  let closing = false
  return {
    add: close => {
      if (!closing) return void closers.push(close)
      close().catch(() => undefined)
      throw new Error('the demo is ending')
    },
    close: async () => {
      closing = true
      // One that fails must not keep the others open; the guards see to the rest.
      await Promise.allSettled(closers.map(async close => close()))
    },
  }
}
