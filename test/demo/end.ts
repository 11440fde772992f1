/** Whatever makes the demo end before it ends by itself. */
import { constants } from 'node:os'
import { parentGone } from '../../src/build/parent.js'
import type { Keyboard } from './keys.ts'

export type End = {
  readonly why: string
  /** `hangup`: die of SIGHUP, as Node's own exit fails when the terminal is gone. */
  readonly exit: number | 'hangup'
  /** There was nobody to press a key. */
  readonly unattended?: true
}

/** The first request; a second signal ends on the spot, and the guards clean up. */
export const endAsked = (keyboard: Keyboard | null): Promise<End> =>
  new Promise(resolve => {
    let asked = false
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        const exitCode = 128 + constants.signals[signal]
        if (asked) process.exit(exitCode)
        asked = true
        resolve({ why: signal, exit: signal === 'SIGHUP' ? 'hangup' : exitCode })
      })
    }
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', () => resolve({ why: 'the output was closed', exit: 1 }))
    }
    void parentGone().then(() =>
      resolve({ why: 'the program that started the demo has ended', exit: 1 }),
    )
    void keyboard?.quit.then(by => {
      if (by === 'key') return resolve({ why: 'quitting', exit: 0 })
      const why = 'standard input was closed, so no key can be pressed'
      return resolve({ why, exit: process.stdin.isTTY ? 'hangup' : 0, unattended: true })
    })
  })

export const leave = (exit: End['exit']): void => {
  if (exit !== 'hangup') process.exit(exit)
  process.removeAllListeners('SIGHUP')
  process.kill(process.pid, 'SIGHUP')
}
