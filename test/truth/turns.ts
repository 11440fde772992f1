/**
 * How several plays share one machine. Most of the time of a play goes into making servers and
 * removing them, which several plays do at once. While one is being judged, no other may use a
 * processor.
 */
export type Turns = {
  /** Waits for one of a few lanes, in which one play is made at a time. */
  readonly inLane: <Value>(act: () => Promise<Value>) => Promise<Value>
  /** Work that disturbs: beside other such work, and never while something is done alone. */
  readonly beside: <Value>(act: () => Promise<Value>) => Promise<Value>
  /** Waits for the end of all such work; takes precedence over work that has not begun. */
  readonly alone: <Value>(act: () => Promise<Value>) => Promise<Value>
}

export const createTurns = (lanes: number): Turns => {
  let playing = 0
  let working = 0
  let waitingAlone = 0
  let isAlone = false
  let blocked: (() => void)[] = []

  const turn = async <Value>(
    act: () => Promise<Value>,
    { isFree, begin, end }: { isFree: () => boolean; begin: () => void; end: () => void },
  ): Promise<Value> => {
    while (!isFree()) await new Promise<void>(resolve => blocked.push(resolve))
    begin()
    try {
      return await act()
    } finally {
      end()
      const all = blocked
      blocked = []
      for (const check of all) check()
    }
  }
  return {
    inLane: act =>
      turn(act, {
        isFree: () => playing < lanes,
        begin: () => void (playing += 1),
        end: () => void (playing -= 1),
      }),
    beside: act =>
      turn(act, {
        isFree: () => !isAlone && waitingAlone === 0,
        begin: () => void (working += 1),
        end: () => void (working -= 1),
      }),
    alone: act => {
      waitingAlone += 1
      return turn(act, {
        isFree: () => !isAlone && working === 0,
        begin: () => {
          waitingAlone -= 1
          isAlone = true
        },
        end: () => {
          isAlone = false
        },
      })
    },
  }
}
