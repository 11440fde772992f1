/** The demo with somebody at the keys, one key at a time. */
import type { Tell } from './journal.ts'
import { bringBack, newestPrimary, tellRows } from './old-primary.ts'
import { printSteps, promote } from './promotion.ts'
import type { Server } from './server.ts'
import type { Stage } from './stage.ts'
import { firstLine } from './supervised.ts'

const keyReminder = 'p promotes, r brings back, 1 2 3 stop or start, q quits'

/** Ctrl-C and Ctrl-D come as these while a terminal hands over single keys. */
const quitKeys: ReadonlySet<string> = new Set(['q', '\u0003', '\u0004'])

export type Keyboard = {
  readonly onKey: (listener: (key: string) => void) => void
  /** Somebody has quit, or there is nobody any more. */
  readonly quit: Promise<'key' | 'gone'>
}

/** Keys of a terminal come at once; those of a file or a pipe do as well. */
export const openKeyboard = (input: NodeJS.ReadStream): Keyboard => {
  if (input.isTTY) input.setRawMode(true)
  input.setEncoding('utf8')
  const onKey: Keyboard['onKey'] = listener => {
    input.on('data', (keys: string) => {
      for (const key of keys) listener(key)
    })
  }
  const quit = new Promise<'key' | 'gone'>(resolve => {
    onKey(key => {
      if (quitKeys.has(key)) resolve('key')
    })
    for (const event of ['end', 'close', 'error'] as const) {
      input.once(event, () => resolve('gone'))
    }
  })
  return { onKey, quit }
}

/** One action at a time. */
export const obeyKeys = (stage: Stage, keyboard: Keyboard, tell: Tell): void => {
  let busy = false
  const run = async (action: () => Promise<void>): Promise<void> => {
    if (busy) return tell({ who: 'demo', what: 'not now: the last command is still running' })
    busy = true
    try {
      await action()
    } catch (failure) {
      tell({ who: 'demo', what: `failed: ${firstLine(failure)}` })
    } finally {
      busy = false
    }
  }
  keyboard.onKey(key => {
    if (key === 'p') return void run(async () => promoteAndTell(stage, tell))
    if (key === 'r') return void run(async () => void (await bringBack(stage, tell)))
    const server = stage.servers[Number(key) - 1]
    if (server !== undefined) return void run(async () => toggle(server, stage, tell))
    if (key.trim() !== '' && !quitKeys.has(key)) tell({ who: 'demo', what: keyReminder })
  })
}

const promoteAndTell = async (stage: Stage, tell: Tell): Promise<void> => {
  const { steps } = await promote(stage, tell)
  for (const line of printSteps(steps).trimEnd().split('\n')) tell({ who: 'demo', what: line })
  await tellRows(stage, tell)
}

/** A server that was stopped may have missed a promotion, so it starts as a new clone. */
const toggle = async (server: Server, { servers }: Stage, tell: Tell): Promise<void> => {
  if (server.running()) {
    tell({ who: 'demo', what: `stopping ${server.name}` })
    return server.stop()
  }
  const primary = await newestPrimary(servers)
  if (primary !== null) {
    tell({ who: 'demo', what: `starting ${server.name} as a standby, cloned from ${primary.name}` })
    await server.clone(primary)
    return server.start()
  }
  tell({ who: 'demo', what: `starting ${server.name} as it was, because there is no primary` })
  return server.start()
}
