/** Permissions bind only those who are not root. */
import { chownSync, rmSync } from 'node:fs'
import { temporaryFolder } from './left-overs.ts'
import { serverUser } from './server-user.ts'

/** Runs `action`, in an empty directory of its own, as somebody who is not root. */
export const asOrdinaryUser = async (
  action: (directory: string) => Promise<void>,
): Promise<void> => {
  // Not t.testdir(): below root's own home nobody else could enter it.
  const directory = temporaryFolder()
  const isRoot = process.geteuid?.() === 0
  try {
    if (isRoot) {
      const { uid, gid } = serverUser()
      chownSync(directory, uid, gid)
      process.seteuid?.(uid)
    }
    await action(directory)
  } finally {
    if (isRoot) process.seteuid?.(0)
    rmSync(directory, { recursive: true, force: true })
  }
}
