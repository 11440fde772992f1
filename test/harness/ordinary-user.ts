/** Permissions bind only those who are not root. */
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverUser } from './server-user.ts'

/** Runs `action`, in an empty directory of its own, as somebody who is not root. */
export const asOrdinaryUser = async (
  action: (directory: string) => Promise<void>,
): Promise<void> => {
  // Not t.testdir(): below root's own home nobody else could enter it.
  const directory = mkdtempSync(join(tmpdir(), 'pg-replstatus-'))
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
