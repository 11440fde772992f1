/**
 * The end of the program that has started this one, usually npm, which may leave it behind if it is
 * killed: the demo with three servers and eight ports, or prepare.js with a build that disturbs the
 * next one. Uses only Node's own modules.
 *
 * No event reports it: npm passes on no pipe that would be closed, and Node has no call for
 * PR_SET_PDEATHSIG. Therefore it is checked once a second, which costs some microseconds.
 */
import { readFileSync } from 'node:fs'

const everyMs = 1000

/** npm starts a shell, which stays in between (dash) or becomes the program (bash). */
const shells = ['sh', 'dash', 'bash', 'ash', 'busybox', 'zsh', 'ksh']

/**
 * Null if it has ended, or where there is no /proc.
 *
 * @param {number} pid
 */
const lookAt = pid => {
  try {
    const [, name, parent] = /^\d+ \((.*)\) [A-Z] (\d+)/is.exec(stat(pid)) ?? []
    return { name, parent }
  } catch {
    return null
  }
}
/** @param {number} pid */
const stat = pid => readFileSync(`/proc/${pid}/stat`, 'latin1')

/**
 * The parent of the shell that npm has started; undefined without such a shell.
 *
 * @param {number} pid
 */
const parentOfShell = pid => {
  if (process.env.npm_lifecycle_event === undefined) return undefined
  const shell = lookAt(pid)
  return shell !== null && shells.includes(shell.name ?? '') ? shell.parent : undefined
}

/** @returns {Promise<void>} */
export const parentGone = () =>
  new Promise(resolve => {
    const parent = process.ppid
    const above = parentOfShell(parent)
    const isGone = () =>
      process.ppid !== parent || (above !== undefined && lookAt(parent)?.parent !== above)
    const timer = setInterval(() => {
      if (!isGone()) return
      clearInterval(timer)
      resolve()
    }, everyMs)
    timer.unref()
  })
