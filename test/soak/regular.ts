/** The one who asks all the time, as a load balancer does, only twenty times as often. */
import { setTimeout as sleep } from 'node:timers/promises'
import { askProbe } from '../truth/questions.ts'

const everyMs = 50

export type Tally = {
  readonly right: number
  /** The word of the other role, or bytes that are none. */
  readonly wrong: number
  /** No answer, though there was a role to tell. */
  readonly missing: number
  /** No answer while a limit was reached on purpose. */
  readonly excused: number
  readonly lastFault: string | null
}

export type Regular = {
  /** What has to be heard from now on. `null`: a change is on the way, anything may be heard. */
  readonly expect: (word: string | null) => void
  /** Whether no answer is excused from now on. */
  readonly excuse: (silence: boolean) => void
  readonly tally: () => Tally
  readonly stop: () => Promise<void>
}

const silences: ReadonlySet<string> = new Set(['', 'refused', 'reset', 'hung'])

export const startRegular = (port: number): Regular => {
  const counts = { right: 0, wrong: 0, missing: 0, excused: 0 }
  let lastFault: string | null = null
  let expected: string | null = 'MASTER'
  let excused = false
  let over = false

  const judge = (said: string, wanted: string): void => {
    if (said === wanted) counts.right += 1
    else if (silences.has(said) && excused) counts.excused += 1
    else {
      counts[silences.has(said) ? 'missing' : 'wrong'] += 1
      lastFault = `received ${JSON.stringify(said)}, expected ${wanted}`
    }
  }
  const keepAsking = async (): Promise<void> => {
    while (!over) {
      const before = expected
      const said = await askProbe(port)
      if (before !== null && before === expected) judge(said, before)
      await sleep(everyMs)
    }
  }
  const ended = keepAsking()
  return {
    expect: word => {
      expected = word
    },
    excuse: silence => {
      excused = silence
    },
    tally: () => ({ ...counts, lastFault }),
    stop: async () => {
      over = true
      await ended
    },
  }
}
