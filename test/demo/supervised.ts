/**
 * A program that is started again when it ends by itself, as systemd would, after a pause that is
 * long enough to see what its absence does.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tell } from './journal.ts'

const pauseMs = 3000

type Program = {
  readonly ended: () => Promise<unknown>
  readonly stop: () => Promise<unknown>
}

export type Supervised<Running> = {
  readonly current: () => Running
  readonly stop: () => Promise<void>
}

export const supervise = async <Running extends Program>({
  name,
  start,
  tell,
}: {
  /** `s1: pg-replstatus` */
  readonly name: string
  readonly start: () => Promise<Running>
  readonly tell: Tell
}): Promise<Supervised<Running>> => {
  let current = await start()
  let stopping = false

  const watch = async (): Promise<void> => {
    for (;;) {
      await current.ended()
      if (stopping) return
      tell({ who: 'demo', what: `${name} was stopped from outside; it is started again in 3 s` })
      await sleep(pauseMs, undefined, { ref: false })
      if (stopping) return
      current = await start()
    }
  }
  watch().catch((failure: unknown) => {
    tell({ who: 'demo', what: `could not start ${name} again: ${firstLine(failure)}` })
  })

  const stop = async (): Promise<void> => {
    stopping = true
    await current.stop()
  }
  return { current: () => current, stop }
}

export const firstLine = (failure: unknown): string =>
  (failure instanceof Error ? failure.message : String(failure)).split('\n', 1).join('')
