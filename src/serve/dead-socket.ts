/** A Unix socket that was left behind by a process that is gone. */
import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

/** Removes it, unless a process listens on it, or it is no socket. Returns whether it is gone. */
export const removeDeadSocket = async (path: string): Promise<boolean> => {
  try {
    if (!(await lstat(path)).isSocket() || !(await isDead(path))) return false
    await unlink(path)
    return true
  } catch {
    // That it cannot be removed is told by the error of the one who wants to listen.
    return false
  }
}

const isDead = (path: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect({ path })
    const settle = (dead: boolean): void => {
      socket.destroy()
      resolve(dead)
    }
    socket.on('connect', () => {
      settle(false)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      settle(error.code === 'ECONNREFUSED')
    })
  })
