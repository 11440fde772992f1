/**
 * Runs the programs that prepare.js needs, and ends them with it. Uses only Node's own modules.
 *
 * npm does not end at Ctrl-C: it downloads the rest, removes it, and ends half a minute later.
 * Meanwhile it would write into the folder that the next attempt removes. Therefore the signal is
 * passed on, the end is waited for, and what is still running then is killed.
 */
import { spawn } from 'node:child_process'
import { parentGone } from './parent.js'

/** How long a program may take to end by itself. */
const endLimitMs = 3000

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/** @type {NodeJS.Signals | null} */
let received = null

/**
 * The program and all that it has started.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
const signalGroup = ({ pid }, signal) => {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // It has ended by now.
  }
}

/** @param {NodeJS.Signals} signal */
const interrupt = signal => {
  // Ctrl-C may come twice: from the terminal, and from the npm that runs us.
  if (received !== null) return
  received = signal
  if (running.size > 0) process.stderr.write('prepare: interrupted, waiting for what is running\n')
  for (const child of running) {
    signalGroup(child, signal)
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), endLimitMs)
    child.once('close', () => clearTimeout(timer))
  }
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, interrupt)
}
void parentGone().then(() => interrupt('SIGTERM'))

export const interrupted = () => received !== null

/** Ends this process as the signal would have done. */
export const endInterrupted = () => {
  if (received === null) return
  process.removeAllListeners(received)
  process.kill(process.pid, received)
}

/**
 * The first error is the one to fix, and npm ends its output with its whole manual.
 *
 * @param {string} text
 */
const beginning = text => text.trimEnd().split('\n').slice(0, 30).join('\n')

/**
 * Runs a program quietly; shows its output only if it fails.
 *
 * @typedef {object} Step
 * @property {string} what it does
 * @property {string} [note] what else to know beforehand
 * @property {string} program
 * @property {string[]} args
 * @property {string} cwd
 *
 * @param {Step} step
 * @returns {Promise<void>}
 */
export const run = ({ what, note = '', program, args, cwd }) =>
  new Promise((resolve, reject) => {
    if (received !== null) return reject(new Error('interrupted'))
    process.stderr.write(`prepare: ${what}${note}\n`)
    // Detached, so that it has a process group, and Ctrl-C reaches it through us alone.
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    running.add(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        output += chunk
      })
    }
    child.once('error', failure => reject(new Error(`${what}: ${failure.message}`)))
    child.once('close', code => {
      running.delete(child)
      if (code === 0) resolve()
      else reject(new Error(`${what} failed with exit code ${code}\n${beginning(output)}`))
    })
  })
